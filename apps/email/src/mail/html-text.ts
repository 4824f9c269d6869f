import { QUOTE, QUOTE_BELOW, VOID_TAGS } from './safe-html.ts';
import { QUOTE_BEGINS } from './strip-quote.ts';

const TOKEN = /<(\/?)([a-z0-9]+)([^>]*)>|([^<]+)/g;
const PARAGRAPHS = new Set(['p', 'blockquote', 'ul', 'ol', 'table', 'pre', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6']);
const LINES = new Set(['div', 'tr', 'li', 'dd', 'dt', 'dl', 'hr', 'center', 'section', 'article', 'header', 'footer', 'address', 'figure', 'caption', 'main']);
const VOID = new Set(VOID_TAGS);

/** The text of sanitised HTML, as a person would type it; what is quoted begins with `> `. The input must come from `safeHtml`: well-formed, stray brackets escaped. */
export function htmlText(safe: string): string {
  const lines: string[] = [];
  let line = '';
  // Whether each open element is a quote.
  const open: boolean[] = [];
  let quotes = 0;
  let preformatted = 0;
  const endLine = (): void => {
    const text = preformatted > 0 ? line : line.trim();
    if (text !== '') lines.push(quotes > 0 ? `> ${text}` : text);
    line = '';
  };
  const blank = (): void => {
    if (lines.length > 0 && lines.at(-1) !== '') lines.push('');
  };
  for (const [, slash, tag, attributes, text] of safe.matchAll(TOKEN)) {
    if (text !== undefined) {
      const words = decodeEntities(text);
      if (preformatted === 0) line += line.endsWith(' ') ? words.replace(/\s+/g, ' ').trimStart() : words.replace(/\s+/g, ' ');
      else
        for (const [index, part] of words.split('\n').entries()) {
          if (index > 0) endLine();
          line += part;
        }
      continue;
    }
    if (tag === 'br') {
      if (line.trim() === '') blank();
      endLine();
      continue;
    }
    const isBlock = PARAGRAPHS.has(tag!) || LINES.has(tag!);
    if (isBlock) {
      endLine();
      if (PARAGRAPHS.has(tag!)) blank();
    } else if (!slash && (tag === 'td' || tag === 'th')) {
      line += ' ';
    }
    if (tag === 'pre') preformatted += slash ? -1 : 1;
    if (slash) {
      if (open.pop()) quotes--;
      continue;
    }
    if (tag === 'li') line = '- ';
    const isQuote = hasClass(attributes!, QUOTE);
    if (hasClass(attributes!, QUOTE_BELOW)) lines.push(QUOTE_BEGINS);
    if (VOID.has(tag!)) continue;
    open.push(isQuote);
    if (isQuote) quotes++;
  }
  endLine();
  return lines.join('\n').trim();
}

function hasClass(attributes: string, name: string): boolean {
  return attributes.includes(`class="${name}"`);
}

/** The sanitiser has decoded every other entity. */
function decodeEntities(text: string): string {
  return text.replaceAll('\u00A0', ' ').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
}
