import { describe, expect, it } from '@jest/globals';
import { TicketMerged } from '@tierline/events';
import { numbered } from '../test/open-log.ts';
import { decodeEvent, decodeForeignEvent, encodeEvent, glimpse, knownTypeOf } from './envelope.ts';
import { UndecodableEventError } from './errors.ts';
import { withOrigin } from './kafka-record.ts';

const header = { id: 'id-1', source: 'tickets', key: 'k', time: '2026-01-01T00:00:00.000Z', causationId: 'id-0', traceparent: undefined };
const payload = encodeEvent(TicketMerged, header, numbered(1));
const altered = (change: object): string => JSON.stringify({ ...(JSON.parse(payload) as object), ...change });

describe('decodeEvent', () => {
  it('gives back what was encoded', () => {
    const event = { id: 'id-1', type: 'ticket.merged', version: 1, topic: 'ticket', key: 'k', time: header.time, causationId: 'id-0', data: numbered(1) };
    expect(decodeEvent(payload)).toEqual(event);
    expect(decodeEvent(withOrigin(payload, 'log', 1))).toEqual(event);
  });

  it('does not know other types and versions', () => {
    expect(decodeEvent(altered({ type: 'ticket.frobbed' }))).toBeUndefined();
    expect(decodeEvent(altered({ dataversion: 2 }))).toBeUndefined();
  });

  it.each(['', 'not JSON', 'null', '1', '"text"', '[]', '{}', altered({ subject: undefined }), altered({ id: 1 })])('takes %j for no event', (text) => {
    expect(() => decodeEvent(text)).toThrow(UndecodableEventError);
  });

  it('does not quote what it cannot read: it may be personal', () => {
    expect(() => decodeEvent('ada@example.org')).toThrow('the payload is not JSON');
  });
});

describe('decodeForeignEvent', () => {
  it('asks for data of the right shape', () => {
    expect(decodeForeignEvent(payload)).toMatchObject({ key: 'k' });
    expect(() => decodeForeignEvent(altered({ data: {} }))).toThrow(UndecodableEventError);
  });
});

describe('knownTypeOf', () => {
  it('finds the type of our own payloads without parsing them', () => {
    expect(knownTypeOf(payload)).toBe('ticket.merged');
    expect(knownTypeOf(withOrigin(payload, 'log', 12))).toBe('ticket.merged');
  });

  it('leaves to the parser whatever it is not sure of', () => {
    expect(knownTypeOf(altered({ type: 'ticket.frobbed' }))).toBeUndefined();
    expect(knownTypeOf(altered({ dataversion: 2 }))).toBeUndefined();
    expect(knownTypeOf('{"type":"ticket.merged","dataversion":1,')).toBeUndefined();
    expect(knownTypeOf('not JSON')).toBeUndefined();
  });
});

describe('glimpse', () => {
  it('says what can be said', () => {
    expect(glimpse(payload)).toEqual({ key: 'k', type: 'ticket.merged' });
    expect(glimpse('{"type":1}')).toEqual({ key: '', type: 'unknown' });
    expect(glimpse('null')).toEqual({ key: '', type: 'unknown' });
    expect(glimpse('')).toEqual({ key: '', type: 'unknown' });
  });
});
