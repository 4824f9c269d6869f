import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Accounts, Intake, type RawItem } from '@tierline/channel';
import { loadConfig, PROCESS_CONFIG, type ProcessConfig } from '@tierline/service';
import { SMTPServer, type SMTPServerAddress, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { receiverConfig, type Mailbox, type ReceiverConfig } from '../configuration.ts';
import type { MailMeta } from '../email.adapter.ts';
import { mailKey } from '../imap/mailbox.service.ts';
import { withoutDetail } from '../message-id.ts';

/** More connections than any relay opens; whoever comes later is told to come again. */
const MAX_CLIENTS = 500;
/** A client that says nothing for so long has gone (RFC 5321 §4.5.3.2 lets it have minutes; relays need none). */
const SILENCE_MS = 60_000;
/** A mail that is still coming after this is sent by somebody who wants to keep the line busy. */
const DATA_WITHIN_MS = 5 * 60_000;
/** What all connections together may have in memory. Relays try again. */
const MAX_HELD_BYTES = 256 * 1024 * 1024;
const CLOSE_WITHIN_MS = 5_000;

/** An answer of RFC 5321. */
class SmtpAnswer extends Error {
  constructor(
    readonly responseCode: number,
    message: string,
  ) {
    super(message);
  }
}

/** Takes mail by SMTP and LMTP. It says 250 when the mail is committed, and otherwise something that makes the sender try again. */
@Injectable()
export class MailReceiver implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('MailReceiver');
  private readonly config: ReceiverConfig = loadConfig(receiverConfig);
  private readonly servers: SMTPServer[] = [];
  private heldBytes = 0;

  constructor(
    private readonly accounts: Accounts<Mailbox>,
    private readonly intake: Intake,
    @Inject(PROCESS_CONFIG) private readonly process: ProcessConfig,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.config.SMTP_PORT > 0) await this.listen(this.config.SMTP_PORT, 'SMTP');
    if (this.config.LMTP_PORT > 0) await this.listen(this.config.LMTP_PORT, 'LMTP');
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.servers.map((server) => new Promise<void>((closed) => server.close(() => closed()))));
  }

  private async listen(port: number, protocol: 'SMTP' | 'LMTP'): Promise<void> {
    const server: SMTPServer = new SMTPServer({
      lmtp: protocol === 'LMTP',
      name: 'tierline',
      banner: 'Tierline',
      size: this.config.MAIL_MAX_BYTES,
      rejectOversized: true,
      // Nobody logs in here, and a certificate of our own would be nobody's: the relay in front does both.
      disabledCommands: ['AUTH', 'STARTTLS'],
      disableReverseLookup: true,
      hideENHANCEDSTATUSCODES: false,
      maxClients: MAX_CLIENTS,
      socketTimeout: SILENCE_MS,
      closeTimeout: CLOSE_WITHIN_MS,
      logger: false,
      onRcptTo: (address, _session, done) =>
        done(this.accountOf(address.address) ? null : new SmtpAnswer(550, `no mailbox here by the name of ${address.address}`)),
      onData: (stream, session, done) => {
        this.take(server, stream, session).then(
          (accepted) => done(null, accepted),
          (error: unknown) => done(this.answerTo(error)),
        );
      },
    });
    // Clients that hang up in the middle are their own affair.
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.syscall === 'listen') this.logger.error(`${protocol}: ${error.message}`);
    });
    await new Promise<void>((listening, failed) => {
      server.server.once('error', failed);
      server.listen(port, this.process.HOST, () => listening());
    });
    this.servers.push(server);
    this.logger.log(`${protocol} at ${this.process.HOST}:${port}`);
  }

  /** The mailbox that an address belongs to; what stands after its plus sign is ours to read. */
  private accountOf(address: string): string | undefined {
    const plain = withoutDetail(address);
    for (const [ref, mailbox] of this.accounts.all()) {
      if (mailbox.address === plain || mailbox.aliases.includes(plain) || mailbox.aliases.includes(address.toLowerCase())) return ref;
    }
    return undefined;
  }

  private async take(server: SMTPServer, stream: SMTPServerDataStream, session: SMTPServerSession): Promise<string> {
    const deadline = setTimeout(() => hangUp(server, session), DATA_WITHIN_MS);
    let held = 0;
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        // The rest of a mail that cannot be taken is read and dropped: the answer comes after it.
        if (stream.sizeExceeded || this.heldBytes + chunk.length > MAX_HELD_BYTES) chunks.length = 0;
        else {
          chunks.push(chunk);
          held += chunk.length;
          this.heldBytes += chunk.length;
        }
      }
      if (stream.sizeExceeded) throw new SmtpAnswer(552, `a mail may have ${this.config.MAIL_MAX_BYTES} bytes`);
      if (held < stream.byteLength) throw new SmtpAnswer(452, 'too much mail at once; try again');
      await this.intake.receive(this.itemsOf(Buffer.concat(chunks), session));
      return 'OK: kept';
    } finally {
      clearTimeout(deadline);
      this.heldBytes -= held;
    }
  }

  /** One item for each mailbox, however many of its addresses were named. */
  private itemsOf(body: Buffer, { envelope, remoteAddress }: SMTPServerSession): RawItem[] {
    const recipients = new Map<string, SMTPServerAddress>();
    for (const recipient of envelope.rcptTo) {
      const ref = this.accountOf(recipient.address);
      // The one with a plus sign says more.
      if (ref !== undefined && (!recipients.has(ref) || recipient.address.includes('+'))) recipients.set(ref, recipient);
    }
    const receivedAt = new Date();
    const dedupeKey = mailKey(body);
    return [...recipients].map(([accountRef, { address }]) => {
      const meta: MailMeta = { envelopeFrom: envelope.mailFrom ? envelope.mailFrom.address : '', envelopeTo: address, remoteAddress };
      return { accountRef, dedupeKey, mediaType: 'message/rfc822', body, meta, receivedAt };
    });
  }

  private answerTo(error: unknown): Error {
    if (error instanceof SmtpAnswer) return error;
    // The client hung up in the middle of the mail: its own affair, and nobody hears the answer.
    if ((error as NodeJS.ErrnoException).code !== 'ECONNECTION') this.logger.warn(`mail not taken: ${error instanceof Error ? error.message : String(error)}`);
    return new SmtpAnswer(451, 'cannot keep it now; try again later');
  }
}

function hangUp(server: SMTPServer, session: SMTPServerSession): void {
  for (const connection of server.connections) if (connection.id === session.id) connection.close();
}
