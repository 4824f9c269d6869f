import { buffer } from 'node:stream/consumers';
import { twilioDouble, type TwilioDouble } from '@tierline/testing/twilio-double';
import { SMTPServer } from 'smtp-server';
import type { Outside } from './configuration.ts';

const TWILIO_ACCOUNT = 'AC00000000000000000000000000000001';

/** The customers' mail server and telephone company, and what they were told. */
export interface World extends Outside {
  readonly twilio: TwilioDouble;
  /** What reached customers more than once. */
  toldTwice(): string[];
  stop(): Promise<void>;
}

/** Starts the world outside. `phoneUrl` is what Twilio was told to call. */
export async function world(phoneUrl: string, secret: string): Promise<World> {
  const mails: string[] = [];
  const mailServer = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, session, done) {
      buffer(stream).then((mail) => {
        const id = /^message-id:\s*(\S+)/im.exec(mail.toString('latin1'))?.[1] ?? 'no id';
        for (const { address } of session.envelope.rcptTo) mails.push(`mail ${id} to ${address}`);
        done();
      }, done);
    },
  });
  // Whoever is killed hangs up in the middle.
  mailServer.on('error', () => undefined);
  await new Promise<void>((listening) => mailServer.listen(0, '127.0.0.1', listening));
  const twilio = await twilioDouble({ url: phoneUrl, authToken: `${secret}-twilio`, accountSid: TWILIO_ACCOUNT });
  return {
    secret,
    mailPort: (mailServer.server.address() as { port: number }).port,
    twilioUrl: twilio.url,
    twilioAccount: TWILIO_ACCOUNT,
    twilio,
    toldTwice() {
      // Every acknowledgement names its ticket, and every customer has one.
      const acknowledgements = twilio.sent.filter(({ body }) => body.startsWith('Your number is')).map(({ to, body }) => `SMS "${body}" to ${to}`);
      return repeated([...mails, ...acknowledgements]);
    },
    async stop() {
      await Promise.all([twilio.stop(), new Promise<void>((closed) => mailServer.close(closed))]);
    },
  };
}

function repeated(items: readonly string[]): string[] {
  const seen = new Set<string>();
  return items.filter((item) => seen.size === seen.add(item).size);
}
