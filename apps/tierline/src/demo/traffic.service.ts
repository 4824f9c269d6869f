import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { chatClient, type ChatClient } from '@tierline/testing/chat-client';
import { twilioDouble, type TwilioDouble } from '@tierline/testing/twilio-double';
import { xDouble, type XDouble } from '@tierline/testing/x-double';
import { simpleParser, type ParsedMail } from 'mailparser';
import { createTransport, type Transporter } from 'nodemailer';
import { SMTPServer } from 'smtp-server';
import type { UrlOf } from './agents.service.ts';
import { FOLLOW_UPS, OPENINGS } from './contact-texts.ts';
import type { Sent } from './ledger.ts';

const OUR_ADDRESS = 'support@shop.example';
const OUR_NUMBER = '+18005551212';
const OUR_X_ACCOUNT = '1700000000000000001';
const TWILIO_ACCOUNT = 'AC00000000000000000000000000000001';
/** Share of webhooks and API calls that come twice, as they do from real providers. */
const REPEATED = 0.1;

/** How customers are reached: their mail server, and stand-ins for the providers that cannot be. */
export interface Outside {
  mailPort: number;
  twilio: TwilioDouble;
  x: XDouble;
  stop(): Promise<void>;
}

/** Starts the world outside Tierline. `urlOf` is where Tierline will answer. */
export async function outside(urlOf: UrlOf, secret: string, onMail: (mail: ParsedMail) => void): Promise<Outside> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, _session, done) {
      simpleParser(stream).then((mail) => {
        onMail(mail);
        done();
      }, done);
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const twilio = await twilioDouble({ url: urlOf('phone'), authToken: `${secret}-twilio`, accountSid: TWILIO_ACCOUNT });
  const x = await xDouble({
    url: urlOf('social'),
    consumerSecret: `${secret}-x`,
    account: OUR_X_ACCOUNT,
    limits: { posts: 10_000, messages: 10_000, windowMs: 60_000 },
  });
  return {
    mailPort: (server.server.address() as { port: number }).port,
    twilio,
    x,
    async stop() {
      await Promise.all([twilio.stop(), x.stop(), new Promise<void>((resolve) => server.close(resolve))]);
    },
  };
}

export interface Doors {
  urlOf: UrlOf;
  smtpPort: number;
  outside: Outside;
  token: string;
  random: () => number;
}

/** Simulated customers: they write through the public doors, some write again, some deliveries come twice. Counts what the doors accepted. */
export class Traffic {
  readonly sent: Sent = { contacts: 0, repeats: 0, refused: 0 };
  private readonly mailer: Transporter;
  private readonly chats: ChatClient[] = [];
  private readonly tasks = new Set<Promise<void>>();
  private customers = 0;
  private stopped = false;

  constructor(private readonly doors: Doors) {
    this.mailer = createTransport({ host: '127.0.0.1', port: doors.smtpPort, secure: false, ignoreTLS: true, pool: true, maxConnections: 4 });
  }

  /** Sends `rate` contacts a second until `signal`, and waits for the doors' answers. */
  async run(rate: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.begin(this.contact());
      // Exponential gaps: customers do not come in step.
      await sleep((-Math.log(1 - this.doors.random()) * 1000) / rate, undefined, { signal }).catch(() => undefined);
    }
    this.stopped = true;
    while (this.tasks.size > 0) await Promise.all(this.tasks);
    await Promise.all(this.chats.map((chat) => chat.close()));
    this.mailer.close();
  }

  /** A mail of ours has reached a customer, who sometimes answers it. */
  readonly onMail = (mail: ParsedMail): void => {
    if (this.stopped || mail.headers.has('auto-submitted') || this.doors.random() > 0.3) return;
    const to = mail.replyTo?.text ?? mail.from?.text ?? OUR_ADDRESS;
    const from = Array.isArray(mail.to) ? mail.to[0]!.text : (mail.to?.text ?? '');
    const references = [mail.references ?? [], mail.messageId ?? []].flat();
    this.begin(this.mail({ from, to, subject: mail.subject ?? '', text: this.pick(FOLLOW_UPS), inReplyTo: mail.messageId, references }));
  };

  private begin(sending: Promise<void>): void {
    const task = sending
      .catch(() => {
        this.sent.refused++;
      })
      .finally(() => this.tasks.delete(task));
    this.tasks.add(task);
  }

  private contact(): Promise<void> {
    const opening = this.pick(OPENINGS);
    const customer = ++this.customers;
    const kind = this.doors.random();
    if (kind < 0.4) return this.mail({ from: `customer${customer}@mail.example`, to: OUR_ADDRESS, ...opening });
    if (kind < 0.6) return this.chat(opening.text);
    if (kind < 0.75) return this.sms(customer, opening.text);
    if (kind < 0.85) return this.post(customer, opening.text);
    return this.form(customer, opening);
  }

  private async mail(mail: { from: string; to: string; subject: string; text: string; inReplyTo?: string | undefined; references?: string[] }): Promise<void> {
    const { inReplyTo, ...rest } = mail;
    await this.mailer.sendMail({ ...rest, ...(inReplyTo !== undefined && { inReplyTo }), messageId: `<${randomUUID()}@mail.example>` });
    this.sent.contacts++;
  }

  private async chat(text: string): Promise<void> {
    const chat = chatClient({ url: this.doors.urlOf('chat'), site: 'shop', origin: 'https://shop.example' });
    this.chats.push(chat);
    await chat.send(text);
    this.sent.contacts++;
    if (this.doors.random() < 0.3) {
      await sleep(1_500);
      await chat.send(this.pick(FOLLOW_UPS));
      this.sent.contacts++;
    }
  }

  private async sms(customer: number, body: string): Promise<void> {
    const deliveries = this.repeats();
    const { accepted } = await this.doors.outside.twilio.sendSms({
      from: `+1415555${String(customer % 10_000).padStart(4, '0')}`,
      to: OUR_NUMBER,
      body,
      deliveries,
    });
    this.count(accepted, deliveries);
  }

  private async post(customer: number, text: string): Promise<void> {
    const delivery = await this.doors.outside.x.post({
      from: { id: String(2_000_000_000_000_000_000n + BigInt(customer)), handle: `customer${customer}` },
      text: `@shop ${text}`,
    });
    const deliveries = this.repeats();
    if (deliveries > 1) await delivery.again();
    this.count(delivery.accepted, deliveries);
  }

  private async form(customer: number, { subject, text }: { subject: string; text: string }): Promise<void> {
    const key = randomUUID();
    const deliveries = this.repeats();
    const answers = await Promise.all(
      Array.from({ length: deliveries }, () =>
        fetch(`${this.doors.urlOf('portal')}/portal/v1/contacts`, {
          method: 'POST',
          headers: { authorization: `Bearer ${this.doors.token}`, 'content-type': 'application/json', 'idempotency-key': key },
          body: JSON.stringify({ from: { type: 'email', value: `form${customer}@mail.example`, verified: true }, subject, text }),
        }),
      ),
    );
    this.count(
      answers.some(({ ok }) => ok),
      deliveries,
    );
  }

  private repeats(): number {
    return this.doors.random() < REPEATED ? 2 : 1;
  }

  private count(accepted: boolean, deliveries: number): void {
    if (!accepted) throw new Error('not accepted');
    this.sent.contacts++;
    this.sent.repeats += deliveries - 1;
  }

  private pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.doors.random() * items.length)]!;
  }
}
