import { describe, expect, it } from '@jest/globals';
import { Audit, type Audited, type LoggedEvent } from './audit.ts';
import { parseLedger, textOf } from './ledger.ts';

const DUE = '2026-01-01T00:00:05.000Z';
const NOW = Date.parse('2026-01-01T00:01:00.000Z');
const RECEIVED = '2026-01-01T00:00:00.000Z';
const LEDGER = 'sent form0-1/1\nsent form0-1/2\nacked form0-1/1\nacked form0-1/2\n';

type Line = [topic: string, type: string, data: Record<string, unknown>, more?: { id?: string; causationId?: string; at?: number }];

const received = (id: string, n: number): Line => ['contact', 'contact.received', { id, text: textOf(`form0-1/${n}`), receivedAt: RECEIVED }];
const FIRST = received('c1', 1);
const SECOND = received('c2', 2);
const OPENED: Line = ['ticket', 'ticket.opened', { ticketId: 't', contactId: 'c1', channel: 'portal' }];
const REPLIED: Line = ['ticket', 'ticket.replied', { ticketId: 't', contactId: 'c2' }];
const QUEUED: Line = ['work', 'ticket.queued', { ticketId: 't', reason: 'opened' }];
const CLOCKED: Line = ['clock', 'clock.started', { ticketId: 't', clocks: [{ clockId: 'k', dueAt: DUE }] }];
const BREACHED: Line = ['clock', 'clock.breached', { ticketId: 't', clockId: 'k', breachedAt: DUE }];
const ESCALATED: Line = ['escalation', 'escalation.raised', { ticketId: 't', ownerId: 'lea', breach: { clockId: 'k' } }, { id: 'e' }];
const TOLD: Line = ['notice', 'notice.sent', { ticketId: 't', toAgentId: 'lea' }, { causationId: 'e' }];
const ASKED: Line = ['message', 'message.requested', { ticketId: 't', messageId: 'm', kind: 'acknowledgement' }];
const SENT: Line = ['message', 'message.sent', { ticketId: 't', messageId: 'm' }];
const ALL = [FIRST, SECOND, OPENED, REPLIED, QUEUED, CLOCKED, BREACHED, ESCALATED, ASKED, SENT, TOLD];

const CONTACTS = (last: number) => ({ log: 'log', topic: 'contact', bucket: 0, last });
const MESSAGES = ['c1', 'c2'];

function audited(lines: readonly Line[], { ledger = LEDGER, messages = MESSAGES, then = (_: Audit): void => undefined } = {}): Audited {
  const audit = new Audit();
  const last = new Map<string, number>();
  lines.forEach(([topic, type, data, more], index) => {
    const pos = (last.get(topic) ?? 0) + 1;
    last.set(topic, pos);
    audit.event({ log: 'log', topic, bucket: 0, pos, id: `id${index}`, key: 't', at: Date.parse(DUE) + 1, type, data, ...more } as unknown as LoggedEvent);
  });
  for (const id of messages) audit.message({ id, ticketId: 't', text: null });
  then(audit);
  return audit.finish(parseLedger(ledger), NOW, () => true);
}

const found = (...given: Parameters<typeof audited>): string[] => audited(...given).findings.map(({ kind, what }) => `${kind}: ${what}`);
const without = (...lines: Line[]): Line[] => ALL.filter((line) => !lines.includes(line));
const after = (line: Line, more: Line): Line[] => ALL.flatMap((each) => (each === line ? [each, more] : [each]));

describe('the audit', () => {
  it('finds nothing where all is well', () => {
    expect(audited(ALL)).toEqual({ stored: 2, timersDue: 1, findings: [], through: [{ receivedAt: Date.parse(RECEIVED), doneAt: Date.parse(DUE) + 1 }] });
  });

  it('allows that what was not acknowledged is there, once', () => {
    expect(found(ALL, { ledger: 'sent form0-1/1\nsent form0-1/2\nacked form0-1/1\n' })).toEqual([]);
  });

  it.each<[string, Parameters<typeof audited>, string]>([
    ['an acknowledged contact that is not there', [ALL, { ledger: `${LEDGER}sent form0-1/3\nacked form0-1/3\n` }], 'lost: form0-1/3 was acknowledged'],
    ['a contact without a message', [ALL, { messages: ['c1'] }], 'lost: there is no message for form0-1/2'],
    ['a contact in no ticket', [without(REPLIED)], 'lost: there is no ticket or reply for form0-1/2'],
    ['a ticket without clocks', [without(CLOCKED, BREACHED, ESCALATED, TOLD)], 'lost: there is no set of clocks'],
    ['a ticket in no queue', [without(QUEUED)], 'lost: there is no place in a queue'],
    ['a breach without an escalation', [without(ESCALATED, TOLD)], 'lost: clock k of ticket t was breached 1 times and escalated 0 times'],
    ['an owner who is not told', [without(TOLD)], 'lost: there is no notice to lea'],
    ['a customer who is not thanked', [without(ASKED, SENT)], 'lost: there is no acknowledgement'],
    ['a message that nothing became of', [without(SENT)], 'lost: message m of ticket t was neither sent nor failed'],
    ['a hole in a log', [ALL, { then: (audit) => audit.head(CONTACTS(3)) }], 'lost: log contact/0 ends at 2'],
    ['a log that was not shipped as a whole', [ALL, { then: (audit) => { audit.head(CONTACTS(2)); audit.shipped({ ...CONTACTS(2), pos: 1 }); } }], 'lost: log contact/0 goes to 2, and to 1 at the broker'], // prettier-ignore
    ['a log that was shipped out of order', [ALL, { then: (audit) => [2, 1].forEach((pos) => audit.shipped({ ...CONTACTS(2), pos })) }], 'outOfOrder: log contact/0 goes from 0 to 2 at the broker'], // prettier-ignore
    ['a contact that came in twice under two ids', [after(SECOND, received('c3', 2))], 'doubled: form0-1/2 came in 2 times'], // prettier-ignore
    ['a contact that nobody sent', [ALL, { ledger: 'sent form0-1/1\n' }], 'doubled: form0-1/2 came in and was never sent'],
    ['a contact that is threaded twice', [after(REPLIED, REPLIED)], 'doubled: there are 2 of one ticket or reply for form0-1/2'],
    ['a conversation in two tickets', [after(OPENED, ['ticket', 'ticket.opened', { ticketId: 'u', contactId: 'c2', channel: 'portal' }])], 'doubled: form0-1 is in 2 tickets'], // prettier-ignore
    ['two sets of clocks', [after(CLOCKED, CLOCKED)], 'doubled: there are 2 of one set of clocks'],
    ['two escalations of one breach', [after(ESCALATED, ESCALATED)], 'doubled: clock k of ticket t was breached 1 times and escalated 2 times'],
    ['a message that is sent twice', [after(SENT, SENT)], 'doubled: message m of ticket t was requested 1 times, sent 2 times'],
    ['two agents with one ticket', [after(QUEUED, ['assignment', 'ticket.assigned', { ticketId: 't', agentId: 'ada' }]).flatMap((line) => (line[0] === 'assignment' ? [line, ['assignment', 'ticket.assigned', { ticketId: 't', agentId: 'ben' }] as Line] : [line]))], 'doubled: ticket t went to ben while ada had it'], // prettier-ignore
    ['two offers at once', [ALL, { then: (audit) => audit.offers('t', [{ agentId: 'ada', offeredAt: 1, endedAt: 5 }, { agentId: 'ben', offeredAt: 4, endedAt: null }]) }], 'doubled: ticket t was offered to ben while it was to ada'], // prettier-ignore
    ['contacts received out of order', [[SECOND, FIRST, ...ALL.slice(2)]], 'outOfOrder: form0-1/1 was received under t after 2'],
    ['messages kept out of order', [ALL, { messages: ['c2', 'c1'] }], 'outOfOrder: form0-1/1 was kept after 2'],
    ['a clock that fell due and was not breached', [without(BREACHED, ESCALATED, TOLD)], `timersLost: clock k of ticket t fell due at ${DUE}`],
    ['a breach before its time', [without(BREACHED).flatMap((line) => (line === CLOCKED ? [line, [...BREACHED, { at: 0 }] as unknown as Line] : [line]))], 'timersLost: clock k was breached before it was due'], // prettier-ignore
    ['a clock that was breached twice', [after(BREACHED, BREACHED)], 'timersDoubled: clock k of ticket t was breached 2 times'],
    ['a clock that was breached though it was met', [after(CLOCKED, ['clock', 'clock.stopped', { ticketId: 't', clockId: 'k', stoppedAt: RECEIVED }])], 'timersDoubled: clock k of ticket t was breached and had not fallen due'], // prettier-ignore
  ])('finds %s', (_, given, finding) => {
    expect(found(...given)).toEqual(expect.arrayContaining([expect.stringContaining(finding)]));
  });
});
