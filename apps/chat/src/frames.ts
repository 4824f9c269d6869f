import type { AttachmentRef } from '@tierline/events';
import { z } from 'zod';

/** Of a message with everything it may have; larger frames end the connection. */
export const MAX_FRAME_BYTES = 64 * 1024;
const MAX_TEXT_CHARACTERS = 10_000;
const MAX_ATTACHMENTS = 10;

/** The last sequence number that a client has seen: a PostgreSQL int. */
export const sinceNumber = z.int().min(0).max(2_147_483_647);

const hello = z.object({ token: z.string(), since: sinceNumber.default(0) });
export type Hello = z.infer<typeof hello>;

/** A message under the visitor's own id of it. Attachments are what uploading them gave. */
export const visitorMessage = z
  .object({
    cid: z.string().regex(/^[\w-]{1,64}$/, 'expected 1 to 64 letters, digits, - and _'),
    text: z.string().max(MAX_TEXT_CHARACTERS),
    attachments: z.array(z.string()).max(MAX_ATTACHMENTS).default([]),
  })
  .refine(({ text, attachments }) => text.trim() !== '' || attachments.length > 0, 'says nothing');
export type VisitorMessage = z.infer<typeof visitorMessage>;

const ping = z.object({ ping: z.number() });

export interface ErrorFrame {
  error: { code: string; detail: string; cid?: string };
}

/** The message under this `cid` is kept for good. */
export interface AckFrame {
  ack: string;
  seq: number;
  id: string;
}

export type ClientFrame = Hello | VisitorMessage | z.infer<typeof ping> | ErrorFrame;
export type ServerFrame = { welcome: { conversation: string; since: number } } | { message: ShownMessage } | { pong: number } | AckFrame | ErrorFrame;

/** A message of a conversation. */
export interface ChatMessage {
  conversation: string;
  /** Counts the messages of the conversation from 1. */
  seq: number;
  id: string;
  /** The visitor's own id of it; absent when we wrote it. */
  cid?: string;
  from: 'visitor' | 'agent' | 'system';
  text: string;
  attachments: readonly AttachmentRef[];
  at: string;
}

/** A message as the visitor sees it. */
export type ShownMessage = Omit<ChatMessage, 'conversation' | 'attachments'> & {
  attachments: Pick<AttachmentRef, 'id' | 'filename' | 'mediaType' | 'bytes'>[];
};

export function shown({ conversation: _, attachments, ...message }: ChatMessage): ShownMessage {
  return { ...message, attachments: attachments.map(({ id, filename, mediaType, bytes }) => ({ id, filename, mediaType, bytes })) };
}

/** Reads what a client sent; what is no frame of the protocol is the error to answer with. */
export function readFrame(data: Buffer): ClientFrame {
  let value: unknown;
  try {
    value = JSON.parse(data.toString('utf8'));
  } catch {
    return { error: { code: 'frame.malformed', detail: 'expected JSON' } };
  }
  const fields = typeof value === 'object' && value !== null ? value : {};
  const schema = 'cid' in fields ? visitorMessage : 'token' in fields ? hello : 'ping' in fields ? ping : undefined;
  if (!schema) return { error: { code: 'frame.unknown', detail: 'expected {token, since}, {cid, text} or {ping}' } };
  const { data: frame, error } = schema.safeParse(fields);
  if (frame) return frame;
  const detail = error.issues.map(({ path, message }) => [...path.map(String), message].join(': ')).join('; ');
  return { error: { code: 'frame.invalid', detail, ...('cid' in fields && typeof fields.cid === 'string' && { cid: fields.cid.slice(0, 64) }) } };
}
