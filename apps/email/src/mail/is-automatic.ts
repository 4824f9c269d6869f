import { readAddresses } from './addresses.ts';
import { decodeWords } from './encoded-words.ts';
import { valueOf, valuesOf, type HeaderField } from './headers.ts';

/** In what way nobody wrote a mail. */
export interface Automatic {
  /** A program answered a mail by itself: it must never be answered automatically, or two programs talk for ever. */
  readonly autoReply: boolean;
  /** Sent to many, or by a program on purpose: a valid contact, but no automatic answer. */
  readonly bulk: boolean;
  /** A mail server says that it could not deliver a mail. */
  readonly bounce: boolean;
}

const DAEMON = /^(mailer-daemon|postmaster)@/i;
const NO_REPLY = /^(no|do[-_.]?not|dont|nicht|ne[-_.]?pas)[-_.]?(reply|respond|antworten|repondre)([-_.+]|@|$)/i;
const BULK = /^(bulk|list|junk)$/i;
const AUTO_REPLY = /^auto_?reply$/i;

/** What out-of-office programs write before the subject. Weak: people write it too. */
const AUTO_SUBJECT =
  /^\s*(automatic reply|auto(matic)?[- ]?(reply|response)|autoreply|out of (the )?office|ooo:|abwesenheits|automatische antwort|réponse automatique|absence du bureau|respuesta automática|fuera de (la )?oficina|risposta automatica|fuori sede|automatisch antwoord|afwezig|resposta automática|autosvar|automatiskt svar|automatische beantwoording|odpowiedź automatyczna|автоответ|自動返信|自动答复)/i;
const BOUNCE_SUBJECT =
  /(undeliver|delivery (status notification|failure|has failed)|failure notice|returned mail|mail delivery (failed|system)|unzustellbar|non remis|no entregado)/i;

/** Judges by what programs must or usually do say of themselves (RFC 3834, RFC 3464), strong evidence first. */
export function isAutomatic(fields: readonly HeaderField[]): Automatic {
  const has = (name: string): boolean => fields.some((field) => field.name === name);
  const contentType = valueOf(fields, 'content-type') ?? '';
  const precedences = valuesOf(fields, 'precedence');
  const from = readAddresses(valueOf(fields, 'from') ?? '')[0]?.address ?? '';
  const subject = decodeWords(valueOf(fields, 'subject') ?? '');

  const isDaemon = DAEMON.test(from);
  const isReport = /^multipart\/report\b/i.test(contentType);
  const bounce =
    (isReport && /report-type\s*=\s*"?delivery-status/i.test(contentType)) || has('x-failed-recipients') || (isDaemon && BOUNCE_SUBJECT.test(subject));

  // `no` is what a person's program may say (RFC 3834 §5.2); parameters may follow the keyword.
  const submitted = valuesOf(fields, 'auto-submitted').some((value) => !/^\s*(no\b|$)/i.test(value));
  const isNullSender = valuesOf(fields, 'return-path').some((value) => /^<\s*>$/.test(value));
  const suppressed = valuesOf(fields, 'x-auto-response-suppress').some((value) => /\b(all|oof|autoreply)\b/i.test(value));
  const isAnswer = has('in-reply-to') || has('references');
  const autoReply =
    bounce ||
    isReport ||
    isDaemon ||
    isNullSender ||
    submitted ||
    has('x-autoreply') ||
    has('x-autorespond') ||
    has('x-autoresponder') ||
    precedences.some((value) => AUTO_REPLY.test(value)) ||
    (AUTO_SUBJECT.test(subject) && (isAnswer || suppressed || isNoReply(from)));

  // Exchange writes X-Auto-Response-Suppress on ordinary mail too: it asks for no answer, and says no more than that.
  const bulk = precedences.some((value) => BULK.test(value)) || has('list-id') || has('list-unsubscribe') || has('x-loop') || has('feedback-id') || suppressed;
  return { autoReply, bulk, bounce };
}

/** Whether mail to this address reaches nobody, and may bring back a complaint about it. */
export function isNoReply(address: string): boolean {
  return NO_REPLY.test(address) || DAEMON.test(address);
}
