/** What stands for a mail program's own mark where text is made from HTML. */
export const QUOTE_BEGINS = '-----Original Message-----';

/** Whoever writes more than this quotes more than this; the rest of a longer body is left as it is. */
const MAX_CHARS = 64 * 1024;
/** A program breaks its "On … wrote:" over at most so many lines, none of them long. */
const MAX_INTRO_LINES = 4;
const MAX_INTRO_CHARS = 400;

const FORWARDED = /^\s*(fwd?|wg|tr|rv|enc|doorst|vs|i|转发|転送)\s*:/i;
const FORWARD_BEGINS =
  /^[ \t>*_-]*(forwarded message|begin forwarded message|weitergeleitete nachricht|anfang der weitergeleiteten|message transféré|début du message (transféré|réexpédié)|mensaje reenviado|messaggio inoltrato|inizio messaggio inoltrato|doorgestuurd bericht|mensagem encaminhada|wiadomość przekazana|vidarebefordrat meddelande|пересылаемое сообщение|转发的邮件)/im;

/** `-----Original Message-----` and what programs write for it elsewhere. */
const ORIGINAL_MESSAGE =
  /^[\s*_-]*-{2,}\s*(original message|reply message|ursprüngliche nachricht|original-?nachricht|message d['’]origine|message original|mensaje original|messaggio originale|oorspronkelijk bericht|mensagem original|wiadomość oryginalna|oprindelig meddelelse|ursprungligt meddelande|opprinnelig melding|alkuperäinen viesti|исходное сообщение|original appointment|原始邮件|邮件原件)[\s*_-]*-*\s*$/i;

/** "On Monday, 5 January 2026 at 10:12, Ann wrote:", by its first and its last word. */
const INTRO_STARTS = /^[\s*_]*(on|am|le|el|il|op|em|w dniu|dnia|den|på|dne|ngày|в|\d|在|于|.{1,80}@)/i;
const INTRO_ENDS =
  /(wrote|schrieb|a écrit|escribió|ha scritto|schreef|geschreven|escreveu|napisał(\(a\)|a)?|skrev|kirjoitti|пишет|написала?|писал\(а\)|a scris|napsala?|yazdı|đã viết|写道|寫道|のメール|님이 작성|(schrieb|schreef|skrev)\s.{1,120})\s*[:：]\s*[*_]*$/i;

/** The header of the quoted mail, as Outlook and its like write it: the sender, and soon after it the date and the recipient. */
const HEADER_FROM = /^[\s>*_]*(from|von|de|da|van|från|fra|od|lähettäjä|от|kimden|发件人|寄件者|差出人|보낸 사람)[\s*_]*[:：][\s*_]*\S/i;
const HEADER_SENT =
  /^[\s>*_]*(sent|date|gesendet|datum|envoyé|enviado( el| em)?|fecha|data|inviato|verzonden|skickat|sendt|dato|wysłano|lähetetty|päivämäärä|отправлено|дата|gönderildi|发送时间|日期|日付|送信日時|보낸 날짜)[\s*_]*[:：]/i;
const HEADER_REST =
  /^[\s>*_]*(to|an|à|para|a|aan|till|til|do|vastaanottaja|кому|kime|收件人|宛先|받는 사람|cc|kopie|subject|betreff|objet|asunto|oggetto|onderwerp|assunto|ämne|emne|temat|aihe|тема|konu|主题|件名|제목)[\s*_]*[:：]/i;

const MOBILE_SIGNATURE =
  /^\s*(sent from (my|outlook|mail for|yahoo|proton)|get outlook for|von (meinem|meiner) .{2,40} (gesendet|geschickt)|gesendet (von|mit) |envoyé de(puis)? mon|enviado (desde|do) m(i|eu)|inviato da(l mio)? |verstuurd vanaf|skickat från min|отправлено с )/i;
const RULE = /^_{10,}\s*$/;
const SIGNATURE = /^--\s?$/;
const QUOTED = /^\s*>/;

/**
 * What the sender has written themselves: the text without quoted history and signature. Answers between quoted lines keep the quotes they answer;
 * a forwarded mail is what its sender wants to show; and where nothing would be left, all is kept.
 */
export function stripQuote(text: string, subject = ''): string {
  const whole = text.trim();
  if (FORWARDED.test(subject) || FORWARD_BEGINS.test(whole.slice(0, MAX_CHARS))) return whole;
  const lines = whole.slice(0, MAX_CHARS).split(/\r?\n/);
  const own = withoutSignature(withoutQuote(lines)).join('\n').trim();
  return own === '' ? whole : own;
}

function withoutQuote(lines: string[]): string[] {
  const begins = lines.findIndex((_, index) => quoteBegins(lines, index) > 0);
  if (begins >= 0) {
    const intro = quoteBegins(lines, begins);
    const after = lines.slice(begins + intro);
    // Without marks nobody can tell an answer below the quote from the quote.
    if (!after.some((line) => QUOTED.test(line))) return lines.slice(0, begins);
    if (isInterleaved(after)) return lines;
    return [...lines.slice(0, begins), ...after.slice(after.findLastIndex((line) => QUOTED.test(line)) + 1)];
  }
  if (isInterleaved(lines)) return lines;
  const first = lines.findIndex((line) => QUOTED.test(line));
  if (first < 0) return lines;
  return [...lines.slice(0, first), ...lines.slice(lines.findLastIndex((line) => QUOTED.test(line)) + 1)];
}

/** How many lines introduce a quote here: 0 for none. */
function quoteBegins(lines: string[], index: number): number {
  const line = lines[index]!;
  if (line.length > MAX_INTRO_CHARS || line.trim() === '' || QUOTED.test(line)) return 0;
  if (ORIGINAL_MESSAGE.test(line)) return 1;
  // Outlook draws a line above the header.
  if (RULE.test(line)) return index + 1 < lines.length && quoteBegins(lines, index + 1) > 0 ? 1 : 0;
  if (HEADER_FROM.test(line)) {
    const next = lines.slice(index + 1, index + 6);
    if (next.some((other) => HEADER_SENT.test(other)) && next.some((other) => HEADER_REST.test(other))) return 1;
  }
  if (!INTRO_STARTS.test(line)) return 0;
  let intro = '';
  for (let count = 1; count <= MAX_INTRO_LINES && index + count <= lines.length; count++) {
    const part = lines[index + count - 1]!;
    if (part.trim() === '' || (count > 1 && QUOTED.test(part))) return 0;
    intro += ` ${part}`;
    if (intro.length > MAX_INTRO_CHARS) return 0;
    // A date, or at least an address, so that a letter about what somebody wrote is left alone.
    if (INTRO_ENDS.test(intro)) return /\d|@/.test(intro) ? count : 0;
  }
  return 0;
}

/** Whether text of the sender's own stands between quoted lines. */
function isInterleaved(lines: string[]): boolean {
  const first = lines.findIndex((line) => QUOTED.test(line));
  const last = lines.findLastIndex((line) => QUOTED.test(line));
  return lines.slice(first, last).some((line) => line.trim() !== '' && !QUOTED.test(line) && !INTRO_ENDS.test(line));
}

function withoutSignature(lines: string[]): string[] {
  const begins = lines.findIndex((line) => SIGNATURE.test(line) || MOBILE_SIGNATURE.test(line));
  // A signature at the very top belongs to a quote that nobody marked.
  return begins < 0 ? lines : lines.slice(0, begins);
}
