import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  AgentChanged,
  ClockBreached,
  ClockWarned,
  EscalationClosed,
  EscalationRaised,
  newId,
  TicketAssigned,
  TicketOpened,
  type DataOf,
} from '@tierline/events';
import { emailParty, eventually, runServices, type Answer, type RunningServices } from '@tierline/testing';
import { notifyService } from './notify.module.ts';

let tierline: RunningServices;

beforeAll(async () => {
  tierline = await runServices([notifyService]);
  const answer = await tierline.request('PUT', '/notify/v1/configuration', {
    acknowledgements: {
      email: {
        subject: 'We have it (#{{number}})',
        text: 'About "{{subject}}": your number is {{number}}.',
        brands: { acme: { text: 'Acme has it.' } },
      },
    },
    noticesFrom: 'support@shop.example',
    unownedTo: ['omar'],
  });
  expect(answer.body).toEqual({ changed: 1 });
  const profile = { team: 'care', pool: 'default', skills: [], capacity: 1, active: true, occurredAt: new Date().toISOString() };
  await tierline.append(AgentChanged, 'ada', { ...profile, agentId: 'ada', name: 'Ada', managerId: 'ines', email: 'ada@shop.example' });
  await tierline.append(AgentChanged, 'ines', { ...profile, agentId: 'ines', name: 'Ines' });
  await tierline.append(AgentChanged, 'omar', { ...profile, agentId: 'omar', name: 'Omar' });
  await eventually(async () => expect(await tierline.log.dataSource.query('SELECT 1 FROM notify.person')).toHaveLength(3));
});

afterAll(() => tierline.stop());

let numbers = 0;

async function opened(rest: Partial<DataOf<typeof TicketOpened>> = {}): Promise<DataOf<typeof TicketOpened>> {
  const ticketId = newId();
  const at = new Date().toISOString();
  const data: DataOf<typeof TicketOpened> = {
    ticketId,
    number: ++numbers,
    contactId: newId(),
    messageId: newId(),
    channel: 'email',
    accountRef: 'support@shop.example',
    conversationKey: `email:${ticketId}`,
    customerId: newId(),
    replyTo: emailParty('max@example.net'),
    subject: 'Lamp',
    preview: 'It is dark',
    status: 'new',
    priority: 'normal',
    labels: [],
    tier: 1,
    silent: false,
    occurredAt: at,
    openedAt: at,
    ...rest,
  };
  await tierline.append(TicketOpened, ticketId, data);
  return data;
}

const messagesOf = async (ticketId: string) =>
  (await tierline.events('message'))
    .map(({ data }) => data as { ticketId: string; kind: string; text: string; to: { value: string }; subject: string })
    .filter((data) => data.ticketId === ticketId);
const noticesOf = async (ticketId: string) =>
  (await tierline.events('notice'))
    .map(({ data }) => data as { ticketId: string; toAgentId: string; as: string; via: string[] })
    .filter((data) => data.ticketId === ticketId);

it('acknowledges on the channel of the contact, in the words of the channel', async () => {
  const ticket = await opened();
  const [message] = await eventually(async () => {
    const messages = await messagesOf(ticket.ticketId);
    return messages.length > 0 && messages;
  });
  expect(message).toMatchObject({
    kind: 'acknowledgement',
    automatic: true,
    conversationKey: ticket.conversationKey,
    to: { value: 'max@example.net' },
    subject: `We have it (#${ticket.number})`,
    text: `About "Lamp": your number is ${ticket.number}.`,
  });
});

it('stays silent towards machines, and on channels without words', async () => {
  const silent = await opened({ silent: true });
  const wordless = await opened({ channel: 'sms' });
  const last = await opened();
  await eventually(async () => (await messagesOf(last.ticketId)).length > 0);
  expect(await messagesOf(silent.ticketId)).toEqual([]);
  expect(await messagesOf(wordless.ticketId)).toEqual([]);
});

it('speaks in the name of the brand', async () => {
  const { ticketId } = await opened({ brand: 'acme' });
  await eventually(async () => expect(await messagesOf(ticketId)).toMatchObject([{ text: 'Acme has it.' }]));
});

async function assigned(ticketId: string, agentId: string): Promise<void> {
  const rest = { team: 'care', pool: 'default', queue: 'general', tier: 1, waitedMs: 0, assignedAt: new Date().toISOString() };
  await tierline.append(TicketAssigned, ticketId, { ticketId, offerId: newId(), agentId, ...rest });
  await eventually(async () => {
    const rows = await tierline.log.dataSource.query<unknown[]>('SELECT 1 FROM notify.ticket WHERE ticket_id = $1 AND assignee_id = $2', [ticketId, agentId]);
    expect(rows).toHaveLength(1);
  });
}
async function warned(ticketId: string): Promise<void> {
  const at = new Date().toISOString();
  await tierline.append(ClockWarned, ticketId, { clockId: newId(), ticketId, metric: 'resolution', percent: 80, dueAt: at, warnedAt: at });
}
async function raised(ticketId: string, ownerId: string): Promise<string> {
  const escalationId = newId();
  await tierline.append(EscalationRaised, ticketId, {
    escalationId,
    ticketId,
    kind: 'automatic',
    fromTier: 1,
    toTier: 2,
    tierPath: [1, 2],
    ownerId,
    reason: { code: 'sla_breach', text: 'first response is late' },
    priority: 'normal',
    by: { kind: 'system' },
    raisedAt: new Date().toISOString(),
  });
  return escalationId;
}

it('tells the owner and the manager about a breach, and mails whoever has an address', async () => {
  const { ticketId, number } = await opened({ silent: true });
  await assigned(ticketId, 'ada');
  const at = new Date().toISOString();
  await tierline.append(ClockBreached, ticketId, { clockId: newId(), ticketId, metric: 'first_response', targetMs: 1_000, breachedAt: at });
  await eventually(async () =>
    expect(await noticesOf(ticketId)).toMatchObject([
      { toAgentId: 'ada', as: 'owner', via: ['inbox', 'email'] },
      { toAgentId: 'ines', as: 'manager', via: ['inbox'] },
    ]),
  );
  expect(await messagesOf(ticketId)).toMatchObject([
    { kind: 'notice', to: { value: 'ada@shop.example' }, subject: `#${number}: the target for first response was missed at ${at}` },
  ]);
});

it('keeps an inbox for everybody, which leads may look into', async () => {
  const token = await tierline.tokenFor('ada', 'agent');
  const inbox = await tierline.request('GET', '/notify/v1/notices', undefined, token);
  const [notice] = inbox.body.notices;
  expect(notice).toMatchObject({ about: 'clock_breached', readAt: null });
  const read = (by: string): Promise<Answer> => tierline.request('POST', `/notify/v1/notices/${notice.noticeId}/read`, undefined, by);
  const first = await read(token);
  expect(first.status).toBe(200);
  expect((await read(token)).body).toEqual(first.body);
  expect((await read(await tierline.tokenFor('ines', 'lead'))).status).toBe(404);
  expect((await tierline.request('GET', '/notify/v1/notices?agent=ines', undefined, token)).status).toBe(403);
  expect((await tierline.request('GET', '/notify/v1/notices?agent=ada')).body.notices).toMatchObject([
    { noticeId: notice.noticeId, readAt: first.body.readAt },
  ]);
  expect((await tierline.request('GET', '/notify/v1/notices', undefined, null)).status).toBe(401);
});

it('tells the owner of an escalation, until it is closed', async () => {
  const { ticketId } = await opened({ silent: true });
  const escalationId = await raised(ticketId, 'ines');
  await eventually(async () => expect(await noticesOf(ticketId)).toMatchObject([{ toAgentId: 'ines', as: 'owner' }]));
  await warned(ticketId);
  await eventually(async () => expect(await noticesOf(ticketId)).toHaveLength(2));
  await tierline.append(EscalationClosed, ticketId, {
    escalationId,
    ticketId,
    outcome: 'resolved',
    by: { kind: 'system' },
    closedAt: new Date().toISOString(),
  });
  await eventually(async () => {
    const rows = await tierline.log.dataSource.query<unknown[]>('SELECT 1 FROM notify.escalation WHERE escalation_id = $1', [escalationId]);
    expect(rows).toHaveLength(0);
  });
  await warned(ticketId);
  await eventually(async () => expect((await noticesOf(ticketId)).map(({ toAgentId }) => toAgentId)).toEqual(['ines', 'ines', 'omar']));
});

it('tells the owner of a ticket that it has not heard of yet', async () => {
  const ticketId = newId();
  await assigned(ticketId, 'ines');
  await warned(ticketId);
  await eventually(async () => expect(await noticesOf(ticketId)).toMatchObject([{ toAgentId: 'ines', as: 'owner' }]));
  const data = await opened({ ticketId, silent: true });
  await eventually(async () => {
    const rows = await tierline.log.dataSource.query('SELECT number, assignee_id FROM notify.ticket WHERE ticket_id = $1', [ticketId]);
    expect(rows).toEqual([{ number: data.number, assignee_id: 'ines' }]);
  });
});

it('takes a configuration twice, and names every fault of a bad one', async () => {
  const body = { acknowledgements: { sms: { text: 'Number {{number}}' } } };
  expect((await tierline.request('PUT', '/notify/v1/configuration', body)).body).toEqual({ changed: 1 });
  expect((await tierline.request('PUT', '/notify/v1/configuration', body)).body).toEqual({ changed: 0 });
  const bad = await tierline.request('PUT', '/notify/v1/configuration', { acknowledgements: { email: { text: '{{naem}}' }, chat: {} }, noticeFrom: 'x' });
  expect(bad.status).toBe(422);
  expect(bad.body.faults).toHaveLength(3);
});
