import { Inject, Injectable } from '@nestjs/common';
import { Accounts, BLOB_STORE, Intake, type BlobStore } from '@tierline/channel';
import { newId, type AttachmentRef } from '@tierline/events';
import { EventLog } from '@tierline/log';
import { conflict, DomainError, invalid, notFound, type Identity } from '@tierline/service';
import { DEFAULT_ACCOUNT, type PortalAccount } from './configuration.ts';
import { toItem, type ContactRequest } from './contact-request.ts';

/** An upload that no contact has named by then cannot be named any more. */
const UPLOAD_HOURS = 24;

/** What a client is told of a contact. */
export interface FollowedContact {
  contactId: string;
  receivedAt: Date;
  /** Absent until the contact has become part of one: a moment, as a rule. */
  ticket?: { ticketId: string; number?: number; status?: string; mergedInto?: string };
  messages: { messageId: string; kind: string; subject?: string; text: string; sentAt: Date }[];
}

@Injectable()
export class PortalService {
  /** Keys whose first request is not answered yet. Another process's are told by the unique key of the row. */
  private readonly inProgress = new Set<string>();

  constructor(
    private readonly log: EventLog,
    private readonly intake: Intake,
    private readonly accounts: Accounts<PortalAccount>,
    @Inject(BLOB_STORE) private readonly blobs: BlobStore,
  ) {}

  /** Keeps a contact once for each key of a client. `replayed`: it was kept by an earlier request with this key. */
  async receive(request: ContactRequest, body: Buffer, key: string, who: Identity): Promise<{ contactId: string; replayed: boolean }> {
    const account = this.accounts.get(request.account);
    if (!account && request.account !== DEFAULT_ACCOUNT) throw invalid('portal.unknown_account', `there is no account ${request.account}`);
    const client = who.subject;
    const name = `${request.account} ${client} ${key}`;
    if (this.inProgress.has(name))
      throw conflict('idempotency.in_progress', 'a request with this Idempotency-Key is being worked on; ask again for its answer');
    this.inProgress.add(name);
    try {
      const attachments = request.uploadIds.length > 0 ? await this.attachmentsOf(request.uploadIds, client) : [];
      const [receipt] = await this.intake.receive([toItem(request, body, key, { client, brand: account?.brand, attachments }, new Date())]);
      if (receipt!.differs)
        throw invalid('idempotency.key_reused', 'this Idempotency-Key belongs to a request with another body; a new request needs a new key');
      return { contactId: receipt!.contactId, replayed: receipt!.duplicate };
    } finally {
      this.inProgress.delete(name);
    }
  }

  async upload(bytes: Buffer, filename: string, mediaType: string, who: Identity): Promise<{ uploadId: string; bytes: number; sha256: string }> {
    if (bytes.length === 0) throw new DomainError(400, 'upload.empty', 'there are no bytes in the body');
    const { ref, sha256 } = await this.blobs.put(bytes);
    const uploadId = newId();
    await this.log.dataSource.query(
      'INSERT INTO portal.upload (upload_id, client, filename, media_type, ref, sha256, bytes) VALUES ($1, $2, $3, $4, $5, $6, $7)',
      [uploadId, who.subject, filename, mediaType, ref, sha256, bytes.length],
    );
    return { uploadId, bytes: bytes.length, sha256 };
  }

  /** A contact and what has become of it. Clients see their own only; what is somebody else's does not exist for them. */
  async follow(contactId: string, who: Identity): Promise<FollowedContact> {
    const [row] = await this.log.dataSource.query<
      { meta: string; received_at: Date; ticket_id: string | null; number: number | null; status: string | null; merged_into: string | null }[]
    >(
      `SELECT i.meta, i.received_at, f.ticket_id, t.number, t.status, t.merged_into FROM portal.inbound i
       LEFT JOIN portal.followed f USING (contact_id) LEFT JOIN portal.ticket t ON t.ticket_id = f.ticket_id WHERE contact_id = $1`,
      [contactId],
    );
    const { client } = (row ? JSON.parse(row.meta) : {}) as { client?: string };
    if (!row || (client !== who.subject && !who.roles.some((role) => role !== 'client'))) throw notFound('contact', contactId);
    const messages = await this.log.dataSource.query<{ message_id: string; kind: string; subject: string | null; text: string; sent_at: Date }[]>(
      'SELECT message_id, kind, subject, text, sent_at FROM portal.message WHERE ticket_id = ANY($1::uuid[]) ORDER BY seq',
      [[row.ticket_id, row.merged_into].filter((id) => id !== null)],
    );
    return {
      contactId,
      receivedAt: row.received_at,
      ...(row.ticket_id !== null && {
        ticket: {
          ticketId: row.ticket_id,
          ...(row.number !== null && { number: row.number }),
          ...(row.status !== null && { status: row.status }),
          ...(row.merged_into !== null && { mergedInto: row.merged_into }),
        },
      }),
      messages: messages.map((message) => ({
        messageId: message.message_id,
        kind: message.kind,
        ...(message.subject !== null && { subject: message.subject }),
        text: message.text,
        sentAt: message.sent_at,
      })),
    };
  }

  private async attachmentsOf(uploadIds: readonly string[], client: string): Promise<AttachmentRef[]> {
    const rows = await this.log.dataSource.query<{ upload_id: string; filename: string; media_type: string; ref: string; sha256: string; bytes: number }[]>(
      `SELECT upload_id, filename, media_type, ref, sha256, bytes FROM portal.upload WHERE upload_id = ANY($1::uuid[]) AND client = $2
       AND uploaded_at > now() - ${UPLOAD_HOURS} * interval '1 hour'`,
      [uploadIds, client],
    );
    const byId = new Map(rows.map((row) => [row.upload_id, row]));
    return uploadIds.map((id) => {
      const row = byId.get(id.toLowerCase());
      if (!row) throw invalid('portal.unknown_upload', `there is no upload ${id}, or it is older than ${UPLOAD_HOURS} hours`);
      const { filename, media_type: mediaType, bytes, sha256, ref } = row;
      return { id: row.upload_id, filename, mediaType, bytes, sha256, disposition: 'attachment', ref };
    });
  }
}
