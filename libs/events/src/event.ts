import { z } from 'zod';

/** The topics of the line. A topic is a noun; its events are facts about it, in order per key. */
export const topics = ['contact', 'ticket', 'work', 'assignment', 'clock', 'escalation', 'message', 'agent', 'access', 'notice'] as const;
export type Topic = (typeof topics)[number];

/** One kind of event: its name, the topic it travels on, and the shape of its data. */
export interface EventDefinition<Type extends string = string, Schema extends z.ZodType = z.ZodType> {
  /** `noun.past-verb`, without the version. */
  readonly type: Type;
  /** Major version of the data; a breaking change is a new number beside the old one. */
  readonly version: number;
  readonly topic: Topic;
  readonly schema: Schema;
}

/** An event as a handler receives it. Times are ISO 8601 in UTC. */
export interface Event<Type extends string = string, Data = unknown> {
  /** UUID; unique across the installation. */
  readonly id: string;
  readonly type: Type;
  readonly version: number;
  readonly topic: Topic;
  /** Events of one key are handled in the order they were appended. */
  readonly key: string;
  /** When the event was appended, by the database's clock. */
  readonly time: string;
  /** The event that caused this one, if one did. */
  readonly causationId?: string | undefined;
  /** W3C trace context. */
  readonly traceparent?: string | undefined;
  readonly data: Data;
}

/** The event type that belongs to a definition: `EventOf<typeof TicketOpened>`. */
export type EventOf<D> = D extends EventDefinition<infer Type, infer Schema> ? Event<Type, z.infer<Schema>> : never;
/** The data a definition carries. */
export type DataOf<D extends EventDefinition> = z.infer<D['schema']>;

export function defineEvent<Type extends string, Schema extends z.ZodType>(
  type: Type,
  topic: Topic,
  schema: Schema,
  version = 1,
): EventDefinition<Type, Schema> {
  return { type, version, topic, schema };
}

/** CloudEvents 1.0 in structured JSON, as stored in the log and sent through Kafka. */
export const envelope = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string().min(1),
  type: z.string().min(1),
  /** CloudEvents extension: the major version of `data`. */
  dataversion: z.int().positive(),
  /** The service that appended it. */
  source: z.string().min(1),
  /** The key. */
  subject: z.string(),
  time: z.iso.datetime(),
  causationid: z.string().optional(),
  traceparent: z.string().optional(),
  data: z.unknown(),
});
export type Envelope = z.infer<typeof envelope>;
