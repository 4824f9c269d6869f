import { describe, expect, it } from '@jest/globals';
import { htmlText } from './html-text.ts';
import { safeHtml } from './safe-html.ts';
import { QUOTE_BEGINS } from './strip-quote.ts';

const safe = (html: string): string => safeHtml(html).html;

describe('safeHtml', () => {
  it.each([
    ['scripts', '<p>a<script>alert(1)</script></p>', '<p>a</p>'],
    ['styles and what they fetch', '<style>p{background:url(x)}</style><p style="background:url(x)">a</p>', '<p>a</p>'],
    ['handlers', '<p onclick="x()">a</p><img src=x onerror="y()">', '<p>a</p><img />'],
    ['forms and frames', '<form action="https://x"><input><button>b</button></form><iframe src="https://x"></iframe>', 'b'],
    ['scripts in pictures', '<svg><script>x</script></svg><math><mtext>y</mtext></math>a', 'a'],
    [
      'links that act',
      '<a href="javascript:x()">a</a><a href="data:text/html,x">b</a>',
      '<a rel="noopener noreferrer nofollow" target="_blank">a</a><a rel="noopener noreferrer nofollow" target="_blank">b</a>',
    ],
    ['broken markup', '<p><b>a</p><i>b', '<p><b>a</b></p><i>b</i>'],
    ['half a tag', 'a < b <img', 'a &lt; b '.trim()],
  ])('drops %s', (_, html, expected) => {
    expect(safe(html)).toBe(expected);
  });

  it('keeps pictures of the mail, and remembers remote ones without fetching them', () => {
    expect(safe('<img src="cid:a@b" alt="x">')).toBe('<img alt="x" src="cid:a@b" />');
    expect(safe('<img src="https://t.example/open.gif" data-remote-src="javascript:x">')).toBe('<img data-remote-src="https://t.example/open.gif" />');
    expect(safe('<img src="data:image/png;base64,AAAA"><img src="data:image/svg+xml;base64,AAAA">')).toBe('<img src="data:image/png;base64,AAAA" /><img />');
  });

  it('lets links open elsewhere, without a word about us', () => {
    expect(safe('<a href="https://x.example" target="_top">x</a>')).toBe(
      '<a href="https://x.example" rel="noopener noreferrer nofollow" target="_blank">x</a>',
    );
  });

  it('fits into an event, however long the page', () => {
    const { html, truncated } = safeHtml(`<p>${'<b>&lt;&gt; word</b> '.repeat(60_000)}</p>`);
    expect(Buffer.byteLength(html)).toBeLessThanOrEqual(256 * 1024);
    expect(html).toMatch(/<\/p>$/);
    expect(truncated).toBe(true);
    expect(safeHtml('<p>short</p>').truncated).toBe(false);
  });
});

describe('htmlText', () => {
  it.each([
    ['paragraphs and lines', '<p>one</p><p>two<br>three</p><div>four</div><div>five</div>', 'one\n\ntwo\nthree\n\nfour\nfive'],
    ['white space and entities', '<p>a &amp;  b\n &lt;c&gt;&nbsp;&copy; &#8364;</p>', 'a & b <c> © €'],
    ['lists and tables', '<ul><li>a</li><li>b</li></ul><table><tr><td>1</td><td>2</td></tr></table>', '- a\n- b\n\n1 2'],
    ['preformatted text', '<pre>a\n  b</pre>', 'a\n  b'],
    ['nested quotes', '<blockquote type="cite">a<blockquote type="cite">b</blockquote></blockquote>c', '> a\n\n> b\n\nc'],
  ])('%s', (_, html, text) => {
    expect(htmlText(safe(html))).toBe(text);
  });

  it.each([
    ['Gmail', '<div class="gmail_quote"><div>Ann wrote:</div><blockquote class="gmail_quote">x</blockquote></div>', '> Ann wrote:\n\n> x'],
    ['Yahoo', '<div id="ydp1" class="ydp yahoo_quoted">x</div>', '> x'],
    ['Proton', '<div class="protonmail_quote">x</div>', '> x'],
    [
      'Outlook on the web',
      '<div id="appendonsend"></div><hr><div id="divRplyFwdMsg">From: Ann</div><div>x</div>',
      `${QUOTE_BEGINS}\n${QUOTE_BEGINS}\nFrom: Ann\nx`,
    ],
    ['Outlook', "<div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3pt'>From: Ann</div><p>x</p>", `${QUOTE_BEGINS}\nFrom: Ann\n\nx`],
  ])('marks what %s quotes', (_, html, text) => {
    expect(htmlText(safe(html))).toBe(text);
  });
});
