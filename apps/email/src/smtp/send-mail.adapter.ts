import { Readable } from 'node:stream';
import { neverSent, type SendResult } from '@tierline/channel';
import MailComposer from 'nodemailer/lib/mail-composer';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { ComposedMail } from '../compose-mail.ts';
import type { Mailbox } from '../configuration.ts';

const CONNECT_WITHIN_MS = 15_000;
/** Below the minute after which the runtime gives up: what happened then is known better here. */
const SILENCE_MS = 40_000;

interface SmtpError extends Error {
  code?: string;
  responseCode?: number;
}

/** Hands a mail to the mailbox's SMTP server, one connection a mail. */
export async function sendMail(smtp: NonNullable<Mailbox['smtp']>, mail: ComposedMail): Promise<SendResult> {
  const bytes = await new MailComposer(mail.options).compile().build();
  let handedOver = false;
  // Nobody reads it before the server has said 354, so it knows from when on the server may have taken the mail.
  const body = new Readable({
    read() {
      handedOver = true;
      this.push(bytes);
      this.push(null);
    },
  });
  try {
    await transmit(smtp, mail.envelope, body);
    return { outcome: 'sent', externalId: String(mail.options.messageId) };
  } catch (error) {
    return outcomeOf(error as SmtpError, handedOver);
  }
}

async function transmit(smtp: NonNullable<Mailbox['smtp']>, envelope: ComposedMail['envelope'], body: Readable): Promise<void> {
  const connection = new SMTPConnection({
    host: smtp.host,
    port: smtp.port,
    secure: smtp.tls === 'implicit',
    requireTLS: smtp.tls === 'starttls',
    ignoreTLS: smtp.tls === 'none',
    connectionTimeout: CONNECT_WITHIN_MS,
    greetingTimeout: CONNECT_WITHIN_MS,
    socketTimeout: SILENCE_MS,
  });
  try {
    await new Promise<void>((resolve, reject) => {
      const or = (proceed: () => void) => (error?: Error | null) => (error ? reject(error) : proceed());
      connection.once('error', reject);
      // A server may hang up in the middle of anything.
      connection.once('end', () => reject(Object.assign(new Error('the server closed the connection'), { code: 'ECONNECTION' })));
      const send = (): void => connection.send({ from: envelope.from, to: [...envelope.to] }, body, or(resolve));
      connection.connect(or(() => (smtp.user === undefined ? send() : connection.login({ user: smtp.user, pass: smtp.password ?? '' }, or(send)))));
    });
    connection.quit();
  } catch (error) {
    connection.close();
    throw error;
  }
}

function outcomeOf(error: SmtpError, handedOver: boolean): SendResult {
  const reason = error.message.slice(0, 500);
  // Wrong credentials and refused senders are ours to repair: the message is not at fault.
  if (error.code === 'EAUTH' || neverSent(error)) return { outcome: 'retry', reason };
  if (error.responseCode !== undefined && error.responseCode >= 500) return { outcome: 'permanent', reason };
  // An answer is an answer, also after the mail: 4xx says that it was not taken.
  if (error.responseCode !== undefined || !handedOver)
    return { outcome: error.code === 'EENVELOPE' && error.responseCode === undefined ? 'permanent' : 'retry', reason };
  return { outcome: 'unknown', reason };
}
