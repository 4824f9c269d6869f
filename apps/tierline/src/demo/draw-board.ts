import { styleText } from 'node:util';
import { eventRate, type Board } from './board.ts';
import type { LedgerLine } from './ledger.ts';

const WIDTH = 84;
const BAR_WIDTH = 24;

const dim = (text: string): string => styleText('dim', text);
const bold = (text: string): string => styleText('bold', text);
const number = (value: number): string => value.toLocaleString('en-US');

/** The live board as text. `now` is the time to count waits from. */
export function drawBoard(board: Board, { now, startedAt, where }: { now: number; startedAt: number; where: string }): string {
  const channels = [...board.contactsByChannel].sort(([a], [b]) => (a < b ? -1 : 1));
  const queues = waitingByQueue(board, now);
  const longestQueue = Math.max(1, ...queues.map((queue) => queue.waiting));
  const requeued = [...board.requeued].map(([reason, times]) => `${number(times)} ${reason.replace('_', ' ')}`).join(', ');
  return [
    `${bold('Tierline')}  ${dim(where)}${`${Math.floor((now - startedAt) / 1000)} s`.padStart(WIDTH - 10 - where.length)}`,
    dim('─'.repeat(WIDTH)),
    line('contacts', number(board.contactIds.size), channels.map(([channel, contacts]) => `${channel} ${number(contacts)}`).join(' · ')),
    line('tickets', number(board.ticketIds.size), `${number(board.threaded)} replies threaded · ${number(board.solved)} solved`),
    line('events', `${number(Math.round(eventRate(board, now)))}/s`, `${number(board.events)} in all`),
    '',
    ...(queues.length === 0 ? [dim('  no queue yet')] : []),
    ...queues.map((queue) =>
      [
        `  ${queue.name.padEnd(14)}`,
        styleText(queue.longestMs > 10_000 ? 'red' : queue.longestMs > 4_000 ? 'yellow' : 'green', bar(queue.waiting, longestQueue)),
        ` ${String(queue.waiting).padStart(4)} waiting   longest ${seconds(queue.longestMs).padStart(7)}   ${queue.ringing} ringing`,
      ].join(''),
    ),
    '',
    line('offers', number(board.offered), `${number(board.assigned)} accepted${requeued === '' ? '' : ` · back: ${requeued}`}`),
    line(
      'clocks',
      number(board.clocksRunning.size),
      `running · ${number(board.met)} met · ${styleText('yellow', `${number(board.warned)} warned`)} · ${styleText('red', `${number(board.breached.size)} breached`)}`,
    ),
    line(
      'escalations',
      number([...board.escalationsByTier.values()].reduce((sum, times) => sum + times, 0)),
      [...board.escalationsByTier]
        .sort(([a], [b]) => a - b)
        .map(([tier, times]) => `tier ${tier}: ${number(times)}`)
        .join(' · '),
    ),
    line(
      'told',
      number(board.messagesSent),
      `messages sent of ${number(board.messagesRequested)}${board.messagesFailed > 0 ? `, ${number(board.messagesFailed)} failed` : ''} · ${number(board.notices)} notices to owners and managers`,
    ),
    dim('─'.repeat(WIDTH)),
  ].join('\n');
}

/** The closing account. */
export function drawLedger(lines: readonly LedgerLine[]): string {
  return lines.map(({ text, holds }) => `${holds ? styleText('green', '  ✔') : styleText('red', '  ✘')} ${text}`).join('\n');
}

function line(name: string, value: string, rest: string): string {
  return `  ${dim(name.padEnd(12))}${bold(value.padStart(8))}   ${rest}`;
}

function waitingByQueue(board: Board, now: number): { name: string; waiting: number; ringing: number; longestMs: number }[] {
  const queues = new Map<string, { name: string; waiting: number; ringing: number; longestMs: number }>();
  for (const { queue: name, sinceMs, offered } of board.waiting.values()) {
    const queue = queues.get(name) ?? { name, waiting: 0, ringing: 0, longestMs: 0 };
    queues.set(name, queue);
    if (offered) queue.ringing++;
    else queue.waiting++;
    queue.longestMs = Math.max(queue.longestMs, now - sinceMs);
  }
  return [...queues.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

function bar(value: number, longest: number): string {
  const eighths = Math.round((value / longest) * BAR_WIDTH * 8);
  return ('█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7]!).padEnd(BAR_WIDTH);
}

const seconds = (ms: number): string => `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
