import { isUtf8 } from 'node:buffer';

export interface HeaderField {
  /** In lower case. */
  readonly name: string;
  /** Unfolded, not decoded any further. */
  readonly value: string;
}

/** The fields that somebody here asks for. A header of 20 MB is mostly others. */
const KEPT = new Set(
  `from sender reply-to to cc subject date message-id in-reply-to references return-path delivered-to x-original-to envelope-to received
   auto-submitted precedence x-auto-response-suppress x-autoreply x-autorespond x-autoresponder x-loop feedback-id list-id list-unsubscribe
   x-failed-recipients content-type authentication-results x-tierline-loop`.split(/\s+/),
);
/** Of one field; a hundred references of 250 characters fit. */
const MAX_FIELD_BYTES = 32 * 1024;
/** Of fields by one name; forwarding adds to `Received` and `Authentication-Results`. */
const MAX_REPEATS = 20;
/** What is searched for fields; a header beyond it is an attack. */
const MAX_HEADER_BYTES = 4 * 1024 * 1024;
const LF = 0x0a;
const CR = 0x0d;

/** Reads the header of a mail however broken it is: what does not look like a field is passed over. Never throws. */
export function readHeaders(mail: Buffer): HeaderField[] {
  const bytes = mail.subarray(0, MAX_HEADER_BYTES);
  const fields: HeaderField[] = [];
  const repeats = new Map<string, number>();
  let open: { name: string; parts: Buffer[]; bytes: number } | undefined;
  const close = (): void => {
    if (open)
      fields.push({
        name: open.name,
        value: textOf(Buffer.concat(open.parts))
          .replace(/\r?\n(?=[ \t])/g, '')
          .trim(),
      });
    open = undefined;
  };
  for (let start = skipBlank(bytes), end: number; start < bytes.length; start = end) {
    const newline = bytes.indexOf(LF, start);
    end = newline < 0 ? bytes.length : newline + 1;
    const first = bytes[start];
    if (first === LF || (first === CR && bytes[start + 1] === LF)) break;
    const folded = first === 0x20 || first === 0x09;
    if (!folded) {
      close();
      const name = fieldName(bytes, start, end);
      const seen = repeats.get(name) ?? 0;
      if (!KEPT.has(name) || seen === MAX_REPEATS) continue;
      repeats.set(name, seen + 1);
      open = { name, parts: [], bytes: 0 };
      start += name.length + 1;
    }
    if (!open || open.bytes >= MAX_FIELD_BYTES) continue;
    const line = bytes.subarray(start, Math.min(end, start + MAX_FIELD_BYTES - open.bytes));
    open.parts.push(line);
    open.bytes += line.length;
  }
  close();
  return fields;
}

/** The values of all fields by that name, in order. */
export function valuesOf(fields: readonly HeaderField[], name: string): string[] {
  return fields.filter((field) => field.name === name).map((field) => field.value);
}

/** The first value of a field. */
export function valueOf(fields: readonly HeaderField[], name: string): string | undefined {
  return fields.find((field) => field.name === name)?.value;
}

/** Some programs put empty lines, or the separator of an mbox, before the header. */
function skipBlank(bytes: Buffer): number {
  let start = 0;
  while (bytes[start] === LF || bytes[start] === CR) start++;
  if (bytes.subarray(start, start + 5).toString('latin1') !== 'From ') return start;
  const newline = bytes.indexOf(LF, start);
  return newline < 0 ? bytes.length : newline + 1;
}

/** The name before the colon, in lower case; empty when the line is no field. */
function fieldName(bytes: Buffer, start: number, end: number): string {
  const colon = bytes.subarray(start, Math.min(end, start + 80)).indexOf(0x3a);
  return colon < 1 ? '' : bytes.toString('latin1', start, start + colon).toLowerCase();
}

/** Eight-bit text in a header is UTF-8 (RFC 6532) or, from old programs, Windows' Western set. */
function textOf(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : decodeText(bytes, 'windows-1252');
}

/** Decodes bytes by a charset's label; under a label that nobody knows they are UTF-8 if they can be, else Windows' Western set. */
export function decodeText(bytes: Uint8Array, label: string): string {
  // As a stream, because the one-shot decoder of Node 20 takes windows-1252 for Latin-1 (nodejs/node#56542).
  try {
    return new TextDecoder(label).decode(bytes, { stream: true });
  } catch {
    return decodeText(bytes, isUtf8(bytes) ? 'utf-8' : 'windows-1252');
  }
}
