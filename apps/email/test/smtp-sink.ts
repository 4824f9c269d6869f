import { freePort } from '@tierline/testing';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';
import { readHeaders, valueOf } from '../src/mail/headers.ts';

/** A mail as a server on the other side got it. */
export interface SunkMail {
  raw: Buffer;
  from: string;
  to: string[];
  header(name: string): string | undefined;
}

/** A real SMTP server that keeps what it is sent. */
export interface SmtpSink {
  port: number;
  mails: SunkMail[];
  /** What the next mails are answered: an SMTP code, or `hang up` when the whole mail has been read. */
  answers: (number | 'hang up')[];
  stop(): Promise<void>;
}

export async function smtpSink(): Promise<SmtpSink> {
  const port = await freePort();
  const sink: SmtpSink = { port, mails: [], answers: [], stop: () => new Promise((closed) => server.close(() => closed())) };
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const answer = sink.answers.shift() ?? 250;
        if (answer === 'hang up') return hangUp(server, session);
        if (answer !== 250) return done(Object.assign(new Error('not now, or never'), { responseCode: answer }));
        const raw = Buffer.concat(chunks);
        const { mailFrom, rcptTo } = session.envelope;
        const fields = readHeaders(raw);
        sink.mails.push({ raw, from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address), header: (name) => valueOf(fields, name) });
        done();
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', () => listening()));
  return sink;
}

function hangUp(server: SMTPServer, session: SMTPServerSession): void {
  for (const connection of server.connections) if (connection.id === session.id) connection.close();
}
