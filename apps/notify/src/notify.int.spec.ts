import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { AgentChanged, ClockBreached, EscalationRaised, newId, TicketAssigned, TicketOpened, type DataOf } from '@tierline/events';
import { emailParty, eventually, runServices, type RunningServices } from '@tierline/testing';
import { notifyService } from './notify.module.ts';

let tierline: RunningServices;

beforeAll(async () => {
  tierline = await runServices([notifyService]);
  const answer = await tierline.request('PUT', '/notify/v1/configuration', {
    acknowledgements: { email: { subject: 'We have it (#{{number}})', text: 'About "{{subject}}": your number is {{number}}.' } },
    noticesFrom: 'support@shop.example',
  });
  expect(answer.body).toEqual({ changed: 1 });
  const profile = { team: 'care', pool: 'default', skills: [], capacity: 1, active: true, occurredAt: new Date().toISOString() };
  await tierline.append(AgentChanged, 'ada', { ...profile, agentId: 'ada', name: 'Ada', managerId: 'ines', email: 'ada@shop.example' });
  await tierline.append(AgentChanged, 'ines', { ...profile, agentId: 'ines', name: 'Ines' });
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

it('tells the owner and the manager about a breach, and mails whoever has an address', async () => {
  const { ticketId, number } = await opened({ silent: true });
  const at = new Date().toISOString();
  await tierline.append(TicketAssigned, ticketId, {
    ticketId,
    offerId: newId(),
    agentId: 'ada',
    team: 'care',
    pool: 'default',
    queue: 'general',
    tier: 1,
    waitedMs: 0,
    assignedAt: at,
  });
  await eventually(async () => {
    const rows = await tierline.log.dataSource.query<unknown[]>('SELECT 1 FROM notify.ticket WHERE ticket_id = $1 AND assignee_id = $2', [ticketId, 'ada']);
    return rows.length === 1;
  });
  await tierline.append(ClockBreached, ticketId, { clockId: newId(), ticketId, metric: 'first_response', targetMs: 1_000, breachedAt: at });
  const notices = await eventually(async () => {
    const all = await noticesOf(ticketId);
    return all.length === 2 && all;
  });
  expect(notices.map(({ toAgentId, as, via }) => ({ toAgentId, as, via }))).toEqual([
    { toAgentId: 'ada', as: 'owner', via: ['inbox', 'email'] },
    { toAgentId: 'ines', as: 'manager', via: ['inbox'] },
  ]);
  expect(await messagesOf(ticketId)).toMatchObject([
    { kind: 'notice', to: { value: 'ada@shop.example' }, subject: `#${number}: the target for first response was missed at ${at}` },
  ]);

  const token = await tierline.tokenFor('ada', 'agent');
  const inbox = await tierline.request('GET', '/notify/v1/notices', undefined, token);
  expect(inbox.body.notices[0]).toMatchObject({ ticketId, about: 'clock_breached', readAt: null });
  expect((await tierline.request('POST', `/notify/v1/notices/${inbox.body.notices[0].noticeId}/read`, undefined, token)).status).toBe(200);
  expect((await tierline.request('GET', '/notify/v1/notices?agent=ines', undefined, token)).status).toBe(403);
  expect((await tierline.request('GET', '/notify/v1/notices', undefined, null)).status).toBe(401);
});

it('tells the owner of an escalation', async () => {
  const { ticketId } = await opened({ silent: true });
  await tierline.append(EscalationRaised, ticketId, {
    escalationId: newId(),
    ticketId,
    kind: 'automatic',
    fromTier: 1,
    toTier: 2,
    tierPath: [1, 2],
    ownerId: 'ines',
    reason: { code: 'sla_breach', text: 'first response is late' },
    priority: 'normal',
    by: { kind: 'system' },
    raisedAt: new Date().toISOString(),
  });
  const notices = await eventually(async () => {
    const all = await noticesOf(ticketId);
    return all.length > 0 && all;
  });
  expect(notices).toMatchObject([{ toAgentId: 'ines', as: 'owner' }]);
});

it('takes a configuration twice, and names every fault of a bad one', async () => {
  const body = { acknowledgements: { sms: { text: 'Number {{number}}' } } };
  expect((await tierline.request('PUT', '/notify/v1/configuration', body)).body).toEqual({ changed: 1 });
  expect((await tierline.request('PUT', '/notify/v1/configuration', body)).body).toEqual({ changed: 0 });
  const bad = await tierline.request('PUT', '/notify/v1/configuration', { acknowledgements: { email: { text: '{{naem}}' }, chat: {} }, noticeFrom: 'x' });
  expect(bad.status).toBe(422);
  expect(bad.body.faults).toHaveLength(3);
});
