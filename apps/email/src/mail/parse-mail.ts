import { isUtf8 } from 'node:buffer';
import { Transform, type Readable, type TransformCallback } from 'node:stream';
import { MailParser, type AttachmentStream, type MessageText } from 'mailparser';
import { decodeText } from './headers.ts';

/** What a mail carries below its header. */
export interface MailBody {
  readonly text?: string;
  /** As the sender wrote it: not fit for any browser. */
  readonly html?: string;
  readonly parts: readonly MailPart[];
  /** There were more parts than are worth listing. */
  readonly truncated: boolean;
}

/** An attachment, an inline picture, or a part that says something to machines. */
export interface MailPart {
  readonly filename?: string;
  /** In lower case. */
  readonly mediaType: string;
  readonly disposition: 'attachment' | 'inline';
  readonly contentId?: string;
  readonly content: Buffer;
}

/** Nobody attaches a hundred files; the rest is in the raw mail. */
const MAX_PARTS = 100;
const SNIFF = 'x-tierline-sniff';

/** Decodes the body of a mail. Rejects when mailparser gives up: more than 1,000 parts, a header beyond 1 MB. */
export async function parseMail(bytes: Buffer): Promise<MailBody> {
  const parser = new PatientParser({ skipHtmlToText: true, skipTextToHtml: true, skipTextLinks: true, skipImageLinks: true, keepDeliveryStatus: true });
  const parts: MailPart[] = [];
  let text: MessageText | undefined;
  let truncated = false;
  return new Promise((resolve, reject) => {
    parser.on('error', reject);
    parser.on('data', (data: AttachmentStream | MessageText) => {
      if (data.type === 'text') {
        text = data;
      } else if (parts.length < MAX_PARTS) {
        collect(data).then((part) => {
          parts.push(part);
          data.release();
        }, reject);
      } else {
        truncated = true;
        data.release();
      }
    });
    parser.on('end', () =>
      resolve({ ...(text?.text !== undefined && { text: text.text }), ...(typeof text?.html === 'string' && { html: text.html }), parts, truncated }),
    );
    parser.end(bytes);
  });
}

async function collect(data: AttachmentStream): Promise<MailPart> {
  const chunks: Buffer[] = [];
  for await (const chunk of data.content as Readable) chunks.push(chunk as Buffer);
  const contentId = data.cid?.slice(0, 250);
  return {
    ...(data.filename && { filename: data.filename }),
    mediaType: data.contentType.toLowerCase(),
    // Apple sends pictures of the text without saying so, but with nothing else between them and it.
    disposition: data.contentDisposition === 'inline' || data.related ? 'inline' : 'attachment',
    ...(contentId && { contentId }),
    content: Buffer.concat(chunks),
  };
}

/** The inside of mailparser that `PatientParser` bends; pinned by the exact version in package.json. */
interface MailParserInside {
  createNode(node: unknown): { contentType?: string | false; charset?: string };
  getDecoder(): { decodeStream(charset: string): Transform };
}
const Inside = MailParser as unknown as new (options: object) => MailParser & MailParserInside;

/** mailparser, but a charset that is missing, unknown or a lie costs no letters. */
class PatientParser extends Inside {
  override createNode(node: unknown): ReturnType<MailParserInside['createNode']> {
    const created = super.createNode(node);
    const declared = created.charset?.toLowerCase().replace(/[^a-z0-9]/g, '') ?? '';
    if (created.contentType && /^text\//.test(created.contentType)) {
      if (['', 'ascii', 'usascii', 'utf8', 'unknown8bit', 'default', 'binary'].includes(declared)) created.charset = SNIFF;
      // What calls itself Latin-1 is Windows' superset of it (WHATWG Encoding §4.2).
      else if (declared === 'iso88591' || declared === 'latin1') created.charset = 'windows-1252';
    }
    return created;
  }

  override getDecoder(): ReturnType<MailParserInside['getDecoder']> {
    const known = super.getDecoder();
    return {
      decodeStream(charset) {
        if (charset === SNIFF) return new SniffingDecoder();
        try {
          return known.decodeStream(charset);
        } catch {
          return new SniffingDecoder();
        }
      },
    };
  }
}

/** UTF-8 where the bytes are UTF-8; else what the HTML says of itself (Exchange says it nowhere else); else Windows' Western set. */
class SniffingDecoder extends Transform {
  private readonly chunks: Buffer[] = [];

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.chunks.push(chunk);
    done();
  }

  override _flush(done: TransformCallback): void {
    const bytes = Buffer.concat(this.chunks);
    this.push(isUtf8(bytes) ? bytes : Buffer.from(decodeText(bytes, sniffCharset(bytes))));
    done();
  }
}

function sniffCharset(bytes: Buffer): string {
  const meta = /<meta[^>]{0,200}charset=["']?([\w-]{2,40})/i.exec(bytes.toString('latin1', 0, 4096))?.[1];
  if (meta && !/^utf-?8$/i.test(meta)) return meta;
  // Mostly UTF-8 with a broken byte here and there, or cut off in a character, is still UTF-8.
  const text = bytes.toString('utf8');
  const broken = text.match(/\uFFFD/g)?.length ?? 0;
  const whole = text.match(/[^\x00-\x7F\uFFFD]/g)?.length ?? 0;
  return whole > broken ? 'utf-8' : 'windows-1252';
}
