import { decodeText } from './headers.ts';

const WORD = /=\?([^?\s]{1,64})\?([bq])\?([^?]*)\?=/gi;

/** Decodes the encoded words of a header's text (RFC 2047). Neighbours of one charset are decoded together, because programs cut characters in two. */
export function decodeWords(text: string): string {
  if (!text.includes('=?')) return text;
  let decoded = '';
  let end = 0;
  let run: { charset: string; parts: Buffer[] } | undefined;
  const closeRun = (): void => {
    if (run) decoded += decodeText(Buffer.concat(run.parts), run.charset);
    run = undefined;
  };
  for (const match of text.matchAll(WORD)) {
    const between = text.slice(end, match.index);
    // A language may follow the charset (RFC 2231 §5).
    const charset = match[1]!.split('*')[0]!.toLowerCase();
    if (!run || between.trim() !== '' || run.charset !== charset) {
      const adjacent = run && between.trim() === '';
      closeRun();
      if (!adjacent) decoded += between;
    }
    run ??= { charset, parts: [] };
    run.parts.push(match[2]!.toLowerCase() === 'b' ? Buffer.from(match[3]!, 'base64') : fromQ(match[3]!));
    end = match.index + match[0].length;
  }
  closeRun();
  return decoded + text.slice(end);
}

function fromQ(text: string): Buffer {
  const latin1 = text.replaceAll('_', ' ').replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(latin1, 'latin1');
}
