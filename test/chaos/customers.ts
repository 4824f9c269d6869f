import { chatClient } from '@tierline/testing/chat-client';
import type { TwilioDouble } from '@tierline/testing/twilio-double';
import { createTransport } from 'nodemailer';
import { OUR_MAILBOX, OUR_NUMBER, SITE } from './configuration.ts';
import { contactName, textOf } from './ledger.ts';

/** Nobody waits longer for a door that has frozen. */
const ANSWER_WITHIN_MS = 5_000;

/** A customer's side of one conversation. */
export interface Customer {
  /** Sends the n-th contact once. Resolves when the door has acknowledged it; sent again, it is the same contact. */
  send(n: number): Promise<void>;
  close?(): Promise<void>;
}

/** What the doors of an installation are reached by. */
export interface Doors {
  urlOf: (service: string) => string;
  smtpPort: number;
  twilio: TwilioDouble;
  token: string;
}

/** The ways in: each opens a conversation of the name. The number makes a telephone number of its own. */
export const channels: Readonly<Record<string, (doors: Doors, conversation: string, number: number) => Customer>> = {
  form: ({ urlOf, token }, conversation) => ({
    async send(n) {
      const name = contactName(conversation, n);
      const response = await fetch(`${urlOf('portal')}/portal/v1/contacts`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': name },
        body: JSON.stringify({
          from: { type: 'email', value: `${conversation}@chaos.example`, verified: true },
          conversation,
          subject: conversation,
          text: textOf(name),
        }),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      if (response.status !== 202) throw new Error(`the portal answered ${response.status} ${await response.text()}`);
      await response.arrayBuffer();
    },
  }),

  mail: ({ smtpPort }, conversation) => {
    const idOf = (n: number): string => `<${contactName(conversation, n).replace('/', '.')}@chaos.example>`;
    const transport = createTransport({
      host: '127.0.0.1',
      port: smtpPort,
      ignoreTLS: true,
      connectionTimeout: ANSWER_WITHIN_MS,
      greetingTimeout: ANSWER_WITHIN_MS,
      socketTimeout: ANSWER_WITHIN_MS,
    });
    return {
      async send(n) {
        const from = `${conversation}@mail.example`;
        const before = Array.from({ length: n - 1 }, (_, index) => idOf(index + 1));
        const raw = [
          `From: ${from}`,
          `To: ${OUR_MAILBOX}`,
          `Subject: ${conversation}`,
          `Message-ID: ${idOf(n)}`,
          ...(before.length > 0 ? [`In-Reply-To: ${before.at(-1)}`, `References: ${before.join(' ')}`] : []),
          'Content-Type: text/plain; charset=utf-8',
          '',
          textOf(contactName(conversation, n)),
          '',
        ].join('\r\n');
        await transport.sendMail({ envelope: { from, to: OUR_MAILBOX }, raw });
      },
    };
  },

  chat: ({ urlOf }, conversation) => {
    const client = chatClient({ url: urlOf('chat'), site: SITE.ref, origin: SITE.origin });
    return {
      async send(n) {
        await client.send(textOf(contactName(conversation, n)), `${conversation}_${n}`);
      },
      close: () => client.close(),
    };
  },

  sms: ({ twilio }, conversation, number) => ({
    async send(n) {
      const name = contactName(conversation, n);
      const sid = `SM${Buffer.from(name).toString('hex').padStart(32, '0').slice(-32)}`;
      const from = `+1415${String(number).padStart(7, '0')}`;
      const { accepted, status } = await twilio.sendSms({
        from,
        to: OUR_NUMBER,
        body: textOf(name),
        params: { MessageSid: sid, SmsSid: sid, SmsMessageSid: sid },
      });
      if (!accepted) throw new Error(`the phone service answered ${status}`);
    },
  }),
};
