import { isUtf8 } from 'node:buffer';
import { htmlText } from './html-text.ts';
import { languageOf } from './language.ts';
import { parseMail, type MailPart } from './parse-mail.ts';
import { readDeliveryReport, type DeliveryReport } from './delivery-report.ts';
import { readHeader, type MailHeader } from './read-header.ts';
import { QUOTE, safeHtml } from './safe-html.ts';
import { stripQuote } from './strip-quote.ts';

/** An attachment that was read, still with its bytes. */
export interface ReadAttachment {
  readonly filename: string;
  readonly mediaType: string;
  readonly disposition: 'attachment' | 'inline';
  readonly contentId?: string;
  readonly content: Uint8Array;
}

/** Everything of a mail that follows from its bytes alone. */
export interface ReadMail extends MailHeader {
  readonly text?: string;
  readonly textStripped?: string;
  readonly html?: string;
  readonly language?: { code: string; confidence: number; reliable: boolean };
  readonly attachments: readonly ReadAttachment[];
  readonly deliveryReport?: DeliveryReport;
  /** Only the header could be read, or not even that. */
  readonly unparsable: boolean;
  readonly truncated: boolean;
}

/** Together with the HTML, a contact stays below the 1 MB that Kafka takes by default, whatever JSON does to it. */
const MAX_TEXT_BYTES = 128 * 1024;
const MAX_STRIPPED_BYTES = 64 * 1024;
const MAX_FILENAME = 200;

/** Reads a whole mail. Takes as long as the mail is bad, and as much memory: call it where both are limited. Rejects when the body cannot be parsed. */
export async function readMail(bytes: Buffer): Promise<ReadMail> {
  const header = readHeader(bytes);
  const body = await parseMail(bytes);
  const html = body.html === undefined ? undefined : safeHtml(body.html);
  const unexplained = !header.isMail && isUtf8(bytes) ? bytes.toString() : undefined;
  const written = unexplained ?? (body.text?.trim() ? body.text : html && htmlText(html.html));
  const whole = written?.trim();
  const text = whole === undefined ? undefined : cutAt(whole, MAX_TEXT_BYTES);
  const stripped = whole === undefined ? undefined : cutAt(ownWords(whole, html?.html, header.subject), MAX_STRIPPED_BYTES);
  const language = languageOf(stripped ?? '');
  const deliveryReport = readDeliveryReport(body.parts);
  return {
    ...header,
    ...(text && { text }),
    ...(stripped && { textStripped: stripped }),
    ...(html?.html && { html: html.html }),
    ...(language && { language }),
    attachments: body.parts.map(attachmentOf),
    ...(deliveryReport && { deliveryReport }),
    unparsable: !header.isMail,
    truncated: body.truncated || (html?.truncated ?? false) || text !== whole,
  };
}

/** Plain text that quotes without a mark says nothing of it; the HTML beside it may. */
function ownWords(text: string, html: string | undefined, subject: string | undefined): string {
  const stripped = stripQuote(text, subject);
  if (stripped !== text || !html?.includes(QUOTE)) return stripped;
  const marked = htmlText(html);
  const strippedHtml = stripQuote(marked, subject);
  return strippedHtml === marked ? stripped : strippedHtml;
}

function attachmentOf(part: MailPart, index: number): ReadAttachment {
  return {
    filename: (part.filename ?? `${part.mediaType.replace('/', '-')}-${index + 1}`).slice(0, MAX_FILENAME),
    mediaType: part.mediaType,
    disposition: part.disposition,
    ...(part.contentId !== undefined && { contentId: part.contentId }),
    content: part.content,
  };
}

/** The beginning of a text that fits, cut between characters. */
function cutAt(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
