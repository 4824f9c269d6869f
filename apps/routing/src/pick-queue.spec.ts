import { expect, it } from '@jest/globals';
import { INITIAL_CONFIGURATION, routingConfiguration } from './configuration.ts';
import { queuePicker, type TicketFacts } from './pick-queue.ts';

const ticket: TicketFacts = {
  channel: 'email',
  accountRef: 'support@acme.example',
  labels: [],
  priority: 'normal',
  subject: 'Hello',
  preview: 'I have a question.',
};

const pick = (match: unknown, given: Partial<TicketFacts>): string =>
  queuePicker(
    routingConfiguration.parse({
      defaultQueue: 'general',
      queues: [
        { name: 'special', match, offerTimeout: '20s' },
        { name: 'general', offerTimeout: '20s' },
      ],
    }),
  )({ ...ticket, ...given }).name;

it.each<[string, unknown, Partial<TicketFacts>, 'special' | 'general']>([
  ['its channel', { channels: ['chat', 'voice'] }, { channel: 'voice' }, 'special'],
  ['another channel', { channels: ['chat'] }, {}, 'general'],
  ['its account', { accounts: ['vip@acme.example'] }, { accountRef: 'vip@acme.example' }, 'special'],
  ['a label', { labels: ['vip', 'press'] }, { labels: ['new', 'press'] }, 'special'],
  ['no label', { labels: ['vip'] }, {}, 'general'],
  ['its priority', { priorities: ['urgent'] }, { priority: 'urgent' }, 'special'],
  ['its language, from anywhere', { languages: ['de'] }, { language: 'de-AT' }, 'special'],
  ['no known language', { languages: ['de'] }, {}, 'general'],
  ['a word of the subject', { words: ['refund'] }, { subject: 'REFUND please' }, 'special'],
  ['a word of the text', { words: ['refund', 'card'] }, { preview: 'my card, please' }, 'special'],
  ['a part of a word', { words: ['card'] }, { subject: 'I discarded it' }, 'general'],
  ['a part of a word with an accent', { words: ['caf'] }, { subject: 'café' }, 'general'],
  ['a phrase over a line', { words: ['money back'] }, { preview: 'my money\nback' }, 'special'],
  ['a word with signs', { words: ['c++ (beta)'] }, { subject: 'About C++ (beta)' }, 'special'],
  ['a word of a script without spaces', { words: ['返金'] }, { subject: 'すぐ返金してください' }, 'special'],
  ['all conditions', { channels: ['email'], words: ['refund'] }, { subject: 'Refund' }, 'special'],
  ['one condition of two', { channels: ['chat'], words: ['refund'] }, { subject: 'Refund' }, 'general'],
])('sees %s', (_, match, given, queue) => {
  expect(pick(match, given)).toBe(queue);
});

it('takes the first queue that matches, and the default where none does', () => {
  const pickQueue = queuePicker(
    routingConfiguration.parse({
      defaultQueue: 'first',
      queues: [
        { name: 'first', match: { channels: ['chat'] }, offerTimeout: '20s' },
        { name: 'second', match: { labels: ['vip'] }, offerTimeout: '20s' },
        { name: 'third', match: { labels: ['vip'] }, offerTimeout: '20s' },
      ],
    }),
  );
  expect(pickQueue({ ...ticket, labels: ['vip'] }).name).toBe('second');
  expect(pickQueue(ticket).name).toBe('first');
  expect(queuePicker(INITIAL_CONFIGURATION)(ticket).name).toBe('general');
});

it('names every fault of a section', () => {
  const faults = routingConfiguration
    .safeParse({
      defaultQueue: 'general',
      queues: [
        { name: 'billing', match: {}, skills: { billing: 11 }, offerTimeout: '0s' },
        { name: 'billing', match: { words: [] }, skills: { tier: 2 }, weight: 0, offerTimeout: '20s' },
        { name: 'sales', offerTimeout: 20 },
        'support',
      ],
    })
    .error!.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  expect(faults.sort()).toEqual([
    'defaultQueue: there is no queue "general"',
    'queues.0.match: expected at least one condition',
    'queues.0.offerTimeout: expected some time',
    'queues.0.skills.billing: Too big: expected number to be <=10',
    'queues.1.match.words: Too small: expected array to have >=1 items',
    'queues.1.name: "billing" stands here twice',
    'queues.1.skills.tier: the tier comes from the ticket',
    'queues.1.weight: Too small: expected number to be >0',
    'queues.2.match: a queue that is not the default needs conditions',
    'queues.2.offerTimeout: Invalid input: expected string, received number',
    'queues.3: Invalid input: expected object, received string',
  ]);
});
