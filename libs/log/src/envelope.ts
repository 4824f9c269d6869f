import { eventDefinition, type Event, type EventDefinition } from '@tierline/events';
import { z } from 'zod';
import { UndecodableEventError } from './errors.ts';

/** What an envelope is made of, beside its data. */
export interface Header {
  id: string;
  /** The service that appends. */
  source: string;
  key: string;
  time: string;
  causationId: string | undefined;
  traceparent: string | undefined;
}

/** CloudEvents 1.0, structured JSON: as stored and as sent. */
export function encodeEvent({ type, version }: Pick<EventDefinition, 'type' | 'version'>, header: Header, data: unknown): string {
  return JSON.stringify({
    specversion: '1.0',
    id: header.id,
    type,
    dataversion: version,
    source: header.source,
    subject: header.key,
    time: header.time,
    causationid: header.causationId,
    traceparent: header.traceparent,
    data,
  });
}

interface RawEvent {
  id: string;
  type: string;
  dataversion: number;
  subject: string;
  time: string;
  causationid?: string;
  traceparent?: string;
  data: unknown;
}

/** Decodes a stored or received payload. Undefined when its type and version are not known to this release. Throws UndecodableEventError. */
export function decodeEvent(payload: string): Event | undefined {
  const raw = parse(payload);
  const definition = eventDefinition(raw.type, raw.dataversion);
  return definition && toEvent(raw, definition);
}

/** As `decodeEvent`, for a payload that somebody else wrote: the data must fit the schema, and defaults are filled in. */
export function decodeForeignEvent(payload: string): Event | undefined {
  const raw = parse(payload);
  const definition = eventDefinition(raw.type, raw.dataversion);
  if (!definition) return undefined;
  const result = definition.schema.safeParse(raw.data);
  if (!result.success) throw new UndecodableEventError(z.prettifyError(result.error));
  return toEvent({ ...raw, data: result.data }, definition);
}

/** As `encodeEvent` and the relay write it: the type stands at the beginning, and is found without parsing. */
const OWN_HEAD = /^\{(?:"logsource":"[^"\\]+","logpos":\d+,)?"specversion":"1\.0","id":"[^"\\]+","type":"([^"\\]+)","dataversion":(\d+),/;

/** The type of one of our own payloads, if this release knows it at that version. Parsing costs twenty times as much. */
export function knownTypeOf(payload: string): string | undefined {
  const [, type, version] = OWN_HEAD.exec(payload) ?? [];
  return type !== undefined && eventDefinition(type, Number(version)) ? type : undefined;
}

/** What can be said about a payload that cannot be decoded. */
export function glimpse(payload: string): { key: string; type: string } {
  try {
    const { subject, type } = JSON.parse(payload) as { subject?: unknown; type?: unknown };
    return { key: typeof subject === 'string' ? subject : '', type: typeof type === 'string' ? type : 'unknown' };
  } catch {
    return { key: '', type: 'unknown' };
  }
}

function parse(payload: string): RawEvent {
  let raw: Partial<RawEvent> | null;
  try {
    raw = JSON.parse(payload) as RawEvent | null;
  } catch {
    // JSON.parse quotes the text, which may be personal.
    throw new UndecodableEventError('the payload is not JSON');
  }
  if (typeof raw?.id !== 'string' || typeof raw.type !== 'string' || typeof raw.subject !== 'string') {
    throw new UndecodableEventError('the payload is not an event of ours: it has no id, type or subject');
  }
  return raw as RawEvent;
}

const toEvent = (raw: RawEvent, { topic }: EventDefinition): Event => ({
  id: raw.id,
  type: raw.type,
  version: raw.dataversion,
  topic,
  key: raw.subject,
  time: raw.time,
  causationId: raw.causationid,
  traceparent: raw.traceparent,
  data: raw.data,
});
