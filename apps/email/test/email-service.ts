import { createTransport } from 'nodemailer';
import type { Contact, Event } from '@tierline/events';
import { eventually, freePort, runServices, type FreshDatabase, type RunningServices } from '@tierline/testing';
import type { z } from 'zod';
import type { emailConfiguration } from '../src/configuration.ts';
import { emailService } from '../src/email.module.ts';

export interface EmailService extends RunningServices {
  smtpPort: number;
  lmtpPort: number;
  /** Makes these the mailboxes. */
  configure(...mailboxes: z.input<typeof emailConfiguration>['mailboxes']): Promise<void>;
  /** Hands mail to the SMTP door, as it is. */
  deliver(mail: string | Buffer, envelope?: { from?: string; to?: string[] }): Promise<void>;
  contacts(): Promise<Contact[]>;
  /** Waits until there are so many contacts, and gives them. */
  contactsWhen(count: number): Promise<Contact[]>;
  appended(type: string): Promise<Event[]>;
}

/** Runs the email service with its doors open on free ports. */
export async function startEmail({
  database,
  maxBytes = 100_000,
  env = {},
}: { database?: FreshDatabase; maxBytes?: number; env?: NodeJS.ProcessEnv } = {}): Promise<EmailService> {
  const [smtpPort, lmtpPort] = [await freePort(), await freePort()];
  Object.assign(process.env, { SMTP_PORT: String(smtpPort), LMTP_PORT: String(lmtpPort), MAIL_MAX_BYTES: String(maxBytes) });
  const running = await runServices([emailService], { env, ...(database && { database }) });
  const transport = createTransport({ host: '127.0.0.1', port: smtpPort, ignoreTLS: true, pool: true, maxConnections: 20 });
  const contacts = async (): Promise<Contact[]> => (await running.events('contact')).map(({ data }) => data as Contact);
  return {
    ...running,
    smtpPort,
    lmtpPort,
    contacts,
    async configure(...mailboxes) {
      const answer = await running.request('PUT', '/email/v1/configuration', { mailboxes });
      if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
    },
    async deliver(mail, { from = 'sender@example.org', to = ['support@acme.example'] } = {}) {
      await transport.sendMail({ envelope: { from, to }, raw: mail });
    },
    contactsWhen: (count) =>
      eventually(
        async () => {
          const all = await contacts();
          if (all.length < count) throw new Error(`${all.length} contacts`);
          return all;
        },
        { timeoutMs: 40_000 },
      ),
    appended: async (type) => (await running.events()).filter((event) => event.type === type),
    async stop() {
      transport.close();
      await running.stop();
    },
  };
}

/** A small mail with the fields that are given. */
export function mailOf(fields: Record<string, string>, body = 'Hello'): string {
  const header = { From: 'Ann <ann@example.org>', To: 'support@acme.example', Subject: 'A question', ...fields };
  return `${Object.entries(header)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\r\n')}\r\n\r\n${body}\r\n`;
}
