import { isUtf8 } from 'node:buffer';
import { FOREIGN, type LogRecord } from './source.ts';

/** The writer and the position come first, so that they are found without parsing. CloudEvents extension attributes, as all attributes, have no order. */
const ORIGIN = /^\{"logsource":"([^"\\]+)","logpos":(\d+),/;

/** The stored envelope as it is sent: with the writer and the position of the event spliced in. */
export function withOrigin(payload: string, source: string, pos: number): string {
  return `{"logsource":${JSON.stringify(source)},"logpos":${pos},${payload.slice(1)}`;
}

/** The record in a message. One that no relay of ours sent is FOREIGN; bytes that are no text are kept as a data URL. */
export function recordIn(topic: string, bucket: number, message: { offset: string; value: Buffer | null }): LogRecord {
  const offset = Number(message.offset);
  const value = message.value ?? Buffer.alloc(0);
  const payload = value.toString();
  const origin = ORIGIN.exec(payload);
  if (origin) return { source: origin[1]!, topic, bucket, pos: Number(origin[2]), payload, offset };
  const isText = isUtf8(value) && !value.includes(0);
  return { source: FOREIGN, topic, bucket, pos: offset + 1, payload: isText ? payload : `data:;base64,${value.toString('base64')}`, offset };
}
