import type { TicketOpened } from '@tierline/events';
import type { Queue, QueueMatch, RoutingConfiguration } from './configuration.ts';

/** What the conditions of queues look at. */
export type TicketFacts = Pick<TicketOpened['data'], 'channel' | 'accountRef' | 'labels' | 'priority' | 'subject' | 'preview' | 'language'>;

/** Answers which queue a ticket belongs to: the first whose conditions it fits, else the default. */
export function queuePicker({ queues, defaultQueue }: Pick<RoutingConfiguration, 'queues' | 'defaultQueue'>): (ticket: TicketFacts) => Queue {
  const conditions = queues.flatMap((queue) => (queue.match ? [{ queue, fits: fitsMatch(queue.match) }] : []));
  const otherwise = queues.find((queue) => queue.name === defaultQueue)!;
  return (ticket) => conditions.find(({ fits }) => fits(ticket))?.queue ?? otherwise;
}

/** Answers whether a ticket fits every condition. */
export function fitsMatch({ channels, accounts, labels, priorities, words, languages }: QueueMatch): (ticket: TicketFacts) => boolean {
  const anyWord = words && wordsPattern(words);
  return (ticket) =>
    (!channels || channels.includes(ticket.channel)) &&
    (!accounts || accounts.includes(ticket.accountRef)) &&
    (!labels || labels.some((label) => ticket.labels.includes(label))) &&
    (!priorities || priorities.includes(ticket.priority)) &&
    (!languages || languages.some((language) => primaryTag(language) === primaryTag(ticket.language ?? ''))) &&
    (!anyWord || anyWord.test(ticket.subject) || anyWord.test(ticket.preview));
}

const primaryTag = (language: string): string => language.split('-')[0]!.toLowerCase();

/** Scripts that do not put spaces between words: there a word may stand anywhere. */
const UNSPACED = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}';
const startsUnspaced = new RegExp(`^[${UNSPACED}]`, 'u');
const endsUnspaced = new RegExp(`[${UNSPACED}]$`, 'u');

/** Whole words only: "card" is not in "discard". `\b` knows ASCII letters only. */
function wordsPattern(words: readonly string[]): RegExp {
  const one = (word: string): string => {
    const literal = word.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&').replace(/\s+/g, '\\s+');
    return `${startsUnspaced.test(word) ? '' : '(?<![\\p{L}\\p{N}])'}${literal}${endsUnspaced.test(word) ? '' : '(?![\\p{L}\\p{N}])'}`;
  };
  return new RegExp(words.map(one).join('|'), 'iu');
}
