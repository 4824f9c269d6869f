import { Inject, Injectable } from '@nestjs/common';
import { Accounts, BLOB_STORE, Intake, type BlobStore } from '@tierline/channel';
import { newId } from '@tierline/events';
import { DomainError, notFound, PROCESS_CONFIG, type ProcessConfig } from '@tierline/service';
import { toItem, type Said } from './chat-contact.ts';
import type { ChatSite } from './configuration.ts';
import type { AckFrame, ErrorFrame, VisitorMessage } from './frames.ts';
import { MessagesService } from './messages.service.ts';
import { RateLimit } from './rate-limit.ts';
import { Signed } from './signed.ts';
import { upload, visitor, type Upload, type Visitor } from './visitor.ts';

/** A visitor who stays away longer begins anew. */
const SESSION_MS = 30 * 24 * 3_600_000;
const UPLOAD_MS = 24 * 3_600_000;
/** A person types a few lines in quick succession, and not more for long; a client that comes back sends again what it has. */
const FRAMES = { burst: 30, perSecond: 10 };
/** Of one address: behind it may be a whole office. */
const SESSIONS = { burst: 500, perSecond: 100 };

/** Sessions of visitors, and what they say. */
@Injectable()
export class ChatService {
  private readonly sessions: Signed<Visitor>;
  private readonly uploads: Signed<Upload>;
  private readonly frameRate = new RateLimit(FRAMES.burst, FRAMES.perSecond);
  private readonly sessionRate = new RateLimit(SESSIONS.burst, SESSIONS.perSecond);

  constructor(
    private readonly intake: Intake,
    private readonly accounts: Accounts<ChatSite>,
    private readonly messages: MessagesService,
    @Inject(BLOB_STORE) private readonly blobs: BlobStore,
    @Inject(PROCESS_CONFIG) { TIERLINE_SECRET }: ProcessConfig,
  ) {
    this.sessions = new Signed(TIERLINE_SECRET!, 'session', visitor);
    this.uploads = new Signed(TIERLINE_SECRET!, 'upload', upload);
  }

  /** Whether pages of this origin may chat: with this site, or with any. */
  isAllowed(origin: string, site?: string): boolean {
    const sites = site === undefined ? [...this.accounts.all().values()] : [this.accounts.get(site)];
    return sites.some((known) => known?.origins.includes(origin));
  }

  /** Begins a session. Nothing is kept: the token is all there is of it. */
  begin(claims: Pick<Visitor, 'site' | 'name' | 'email'>): { session: string; token: string; conversation: string; expiresAt: string; name?: string } {
    const expiresAt = Date.now() + SESSION_MS;
    const session = { ...claims, session: newId(), conversation: newId(), expiresAt };
    const { name } = this.accounts.get(claims.site) ?? {};
    return {
      session: session.session,
      token: this.sessions.sign(session),
      conversation: session.conversation,
      expiresAt: new Date(expiresAt).toISOString(),
      ...(name !== undefined && { name }),
    };
  }

  /** Throws 401. */
  visitorOf(token: string): Visitor {
    const known = this.sessions.open(token, Date.now());
    if (!known) throw new DomainError(401, 'session.invalid', 'the token is not of a session, or the session has expired; begin a new one');
    return known;
  }

  /** How long to wait until another frame of this session, or of a socket without one, is taken. */
  waitForFrameMs(key: string): number {
    return this.frameRate.take(key, performance.now());
  }

  waitForSessionMs(address: string): number {
    return this.sessionRate.take(address, performance.now());
  }

  /** Keeps what a visitor says, in order. The answers come when it is durable: one for each message. Rejects when nothing was kept. */
  async receive(by: Visitor, messages: readonly VisitorMessage[]): Promise<(AckFrame | ErrorFrame)[]> {
    if (!this.accounts.get(by.site)) throw new DomainError(403, 'site.unknown', `there is no site ${by.site}`);
    const receivedAt = new Date();
    const said = messages.map((message) => this.withFiles(by, message));
    const items = said.flatMap((each) => ('error' in each ? [] : [toItem(by, each, receivedAt)]));
    const receipts = (await this.intake.receive(items, this.messages.number)).values();
    return said.map((each) => {
      if ('error' in each) return each;
      const receipt = receipts.next().value!;
      if (receipt.differs) return refused('cid.reused', 'another message was sent under this cid; a new message needs a new one', each.cid);
      return { ack: each.cid, seq: this.messages.seqOf(receipt), id: receipt.contactId };
    });
  }

  /** Keeps a file until a message names it. */
  async upload(
    by: Visitor,
    bytes: Buffer,
    filename: string,
    mediaType: string,
  ): Promise<{ upload: string; filename: string; mediaType: string; bytes: number }> {
    if (bytes.length === 0) throw new DomainError(400, 'upload.empty', 'there are no bytes in the body');
    const blob = await this.blobs.put(bytes);
    const file = { session: by.session, id: newId(), filename, mediaType, ...blob, expiresAt: Date.now() + UPLOAD_MS };
    return { upload: this.uploads.sign(file), filename, mediaType, bytes: bytes.length };
  }

  /** A file of the visitor's conversation, whoever sent it. Throws 404. */
  async file(by: Visitor, messageId: string, attachmentId: string): Promise<{ filename: string; bytes: Buffer }> {
    const found = await this.messages.attachment(by.conversation, messageId, attachmentId);
    if (!found) throw notFound('attachment', attachmentId);
    return { filename: found.filename, bytes: await this.blobs.get(found.ref) };
  }

  private withFiles(by: Visitor, { cid, text, attachments }: VisitorMessage): Said | ErrorFrame {
    const files = attachments.map((token) => this.uploads.open(token, Date.now()));
    const whole = files.flatMap((file) => (file?.session === by.session ? [file] : []));
    if (whole.length < files.length) return refused('attachment.unknown', 'this session has not uploaded one of the files, or longer than a day ago', cid);
    return {
      cid,
      text,
      attachments: whole.map(({ session: _, expiresAt: __, ...file }) => ({ ...file, disposition: 'attachment' as const })),
    };
  }
}

function refused(code: string, detail: string, cid: string): ErrorFrame {
  return { error: { code, detail, cid } };
}
