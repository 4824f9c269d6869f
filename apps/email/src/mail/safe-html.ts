import sanitizeHtml from 'sanitize-html';

/** Around what the sender quotes. */
export const QUOTE = 'mail-quote';
/** On what begins the quoted mail: everything after it is quoted as well. */
export const QUOTE_BELOW = 'mail-quote-below';

/** A contact travels in one event, and Kafka's default takes 1 MB. */
const MAX_SAFE_BYTES = 256 * 1024;
const MAX_RAW_CHARS = 1024 * 1024;
/** Deeper is either an attack or nothing that depends on its depth. */
const MAX_DEPTH = 100;

// How mail programs mark what they quote.
const QUOTE_CLASSES =
  /(^|\s)(gmail_quote|gmail_quote_container|protonmail_quote|yahoo_quoted|moz-cite-prefix|tutanota_quote|zmail_extra|OutlookMessageHeader)(\s|$)/;
const QUOTE_IDS = /^(appendonsend|divRplyFwdMsg|OLK_SRC_BODY_SECTION|mail-editor-reference-message-container|isForwardContent|stopSpelling)$/;
/** Outlook draws a line above the header of the quoted mail, and says nothing else. */
const OUTLOOK_RULE = /border:\s*none;\s*border-top:\s*solid #(b5c4df|e1e1e1) 1\.0pt/i;

const SAFE_TAGS =
  'a abbr address article b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark ol p pre q s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr'.split(
    ' ',
  );
/** Tags without a closing one. */
export const VOID_TAGS = ['br', 'col', 'hr', 'img', 'wbr'];
const REMOTE = /^(https?:)?\/\//i;
const LOCAL_IMAGE = /^(cid:|data:image\/(png|jpe?g|gif|webp);base64,)/i;

/**
 * The HTML of a mail without anything that acts: no scripts, forms, styles or frames, and no picture that tells the sender when it is looked at.
 * Remote pictures keep their address in `data-remote-src`, for a reader who asks for them; pictures within the mail keep `cid:` and the attachment's Content-ID.
 */
export function safeHtml(html: string): { html: string; truncated: boolean } {
  let raw = html.slice(0, MAX_RAW_CHARS);
  let safe = sanitize(raw);
  // Escaping makes some pages longer than their source: each round takes the share that was too much, and a little more.
  while (Buffer.byteLength(safe) > MAX_SAFE_BYTES) {
    raw = raw.slice(0, Math.floor((raw.length * MAX_SAFE_BYTES * 0.9) / Buffer.byteLength(safe)));
    safe = sanitize(raw);
  }
  return { html: safe.trim(), truncated: raw.length < html.length };
}

function sanitize(html: string): string {
  return sanitizeHtml(html, {
    allowedTags: SAFE_TAGS,
    selfClosing: VOID_TAGS,
    allowedAttributes: {
      '*': ['align', 'valign', 'dir', 'lang', 'title'],
      a: ['href', 'name', 'rel', 'target'],
      img: ['src', 'alt', 'width', 'height', 'data-remote-src'],
      font: ['color', 'face', 'size'],
      table: ['width', 'border', 'cellpadding', 'cellspacing', 'bgcolor'],
      td: ['width', 'colspan', 'rowspan', 'bgcolor'],
      th: ['width', 'colspan', 'rowspan', 'bgcolor'],
      tr: ['bgcolor'],
      col: ['span', 'width'],
      ol: ['start', 'type'],
      li: ['value'],
    },
    allowedClasses: { '*': [QUOTE, QUOTE_BELOW] },
    allowedSchemes: ['http', 'https', 'mailto', 'tel'],
    allowedSchemesByTag: { img: ['cid', 'data'] },
    allowProtocolRelative: false,
    nestingLimit: MAX_DEPTH,
    nonTextTags: ['script', 'style', 'title', 'textarea', 'option', 'select', 'xmp', 'noscript', 'template', 'svg', 'math', 'object'],
    transformTags: {
      a: (tagName, { href, name }) => {
        if (href === undefined) return { tagName, attribs: keep({ name }) };
        return { tagName, attribs: { href, rel: 'noopener noreferrer nofollow', target: '_blank' } };
      },
      img: (tagName, { src = '', 'data-remote-src': _forged, ...attribs }) => {
        const where = LOCAL_IMAGE.test(src) ? { src } : REMOTE.test(src) ? { 'data-remote-src': src } : {};
        return { tagName, attribs: keep({ ...attribs, ...where }) };
      },
      blockquote: (tagName, attribs) => ({ tagName, attribs: { ...attribs, ...(attribs['type'] === 'cite' ? { class: QUOTE } : quoteClass(attribs)) } }),
      div: (tagName, attribs) => ({ tagName, attribs: { ...attribs, ...quoteClass(attribs) } }),
      span: (tagName, attribs) => ({ tagName, attribs: { ...attribs, ...quoteClass(attribs) } }),
      hr: (tagName, attribs) => ({ tagName, attribs: { ...attribs, ...quoteClass(attribs) } }),
    },
  });
}

function quoteClass({ id = '', class: names = '', style = '' }: Record<string, string>): Record<string, string> {
  if (QUOTE_IDS.test(id) || OUTLOOK_RULE.test(style)) return { class: QUOTE_BELOW };
  return QUOTE_CLASSES.test(names) ? { class: QUOTE } : {};
}

/** Without the attributes that are not there. */
function keep(attribs: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(attribs).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
