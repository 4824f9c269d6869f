import { z } from 'zod';

/** The largest frame a visitor may send. */
export const MAX_FRAME_BYTES = 64 * 1024;
const MAX_TEXT_CHARACTERS = 20_000;

const hello = z.strictObject({ hello: z.strictObject({ session: z.string().max(1_000).optional(), since: z.int().nonnegative().default(0) }) });
const message = z.strictObject({ cid: z.string().regex(/^[\w-]{1,64}$/), text: z.string().min(1).max(MAX_TEXT_CHARACTERS) });
const ping = z.strictObject({ ping: z.unknown() });

const clientFrame = z.union([message, hello, ping]);
/** What a visitor says: who they are and what they have seen, a message under an id of their own, or nothing but that they are there. */
export type ClientFrame = z.infer<typeof clientFrame>;
export type MessageFrame = z.infer<typeof message>;

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
  at: string;
}

/** What a visitor is told. */
export type ServerFrame =
  | { welcome: { session: string; conversation: string; seq: number } }
  | Omit<ChatMessage, 'conversation'>
  /** The message under this `cid` is kept for good. */
  | { ack: string; seq: number; id: string }
  | { pong: unknown }
  | { error: { code: string; message: string; cid?: string; retryAfterMs?: number } };

/** Reads a frame. Undefined when it is no frame of the protocol. */
export function readFrame(data: Buffer, isBinary: boolean): ClientFrame | undefined {
  if (isBinary) return undefined;
  try {
    return clientFrame.safeParse(JSON.parse(data.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
