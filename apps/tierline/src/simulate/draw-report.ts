import { styleText } from 'node:util';
import type { Report } from './report.ts';
import type { Interval } from './student.ts';

/** More agents than this are shown by group only. */
const AGENTS_SHOWN = 12;
const BAR_WIDTH = 48;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** The report as tables and a picture of the waits, for a terminal. */
export function drawReport(report: Report): string {
  const { name, seed, replications, timeUnit, contacts, waitLe, total, types, agents } = report;
  const head = ['', 'contacts', `wait (${timeUnit})`, 'P(wait = 0)', ...waitLe.map((wait) => `P(wait ≤ ${wait})`), 'blocked', 'abandoned', 'waiting'];
  const row = (label: string, figures: Report['total'] | Report['types'][number]): string[] => [
    label,
    Math.round(figures.offered.mean).toLocaleString('en-US'),
    number(figures.wait),
    percent(figures.atOnce),
    ...figures.within.map(percent),
    percent(figures.blocked),
    percent(figures.abandoned),
    number(figures.queue),
  ];
  const sections = [
    styleText('bold', name ?? 'Simulation'),
    `${contacts.toLocaleString('en-US')} contacts in ${replications} replications, seed ${seed}; ± is a 95 % interval`,
    '',
    table([head, ...types.map((type) => row(type.name, type)), ...(types.length > 1 ? [row('all', total)] : [])]),
    '',
    table([
      ['agents', 'count', 'utilisation', 'lowest', 'highest'],
      ...agents.map((group) => [group.name, String(group.each.length), percent(group.utilisation), percent(group.lowest), percent(group.highest)]),
    ]),
    ...eachAgent(agents),
    '',
    ...drawWaits(report),
  ];
  return `${sections.join('\n')}\n`;
}

function eachAgent(agents: Report['agents']): string[] {
  const rows = agents.flatMap(({ name, each }) => each.map((utilisation, index) => [`${name} ${index + 1}`, percent(utilisation)]));
  if (rows.length > AGENTS_SHOWN) return [styleText('dim', 'each agent by itself: --json')];
  return ['', table([['agent', 'utilisation'], ...rows])];
}

/** A bar for each step of the waits. */
function drawWaits({ waits, timeUnit }: Report): string[] {
  const longest = Math.max(...waits.map(({ share }) => share));
  const labels = waits.map(({ upTo }, index) => (upTo === null ? `> ${waits[index - 1]!.upTo}` : upTo === 0 ? '0' : `≤ ${upTo}`));
  const width = Math.max(0, ...labels.map((label) => label.length));
  return [
    styleText('bold', `waits of the served (${timeUnit})`),
    ...waits.map(({ share }, index) => {
      const eighths = Math.round((share / longest) * BAR_WIDTH * 8);
      const bar = '█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7]!;
      return `${labels[index]!.padStart(width)}  ${bar.padEnd(BAR_WIDTH)} ${(100 * share).toFixed(1).padStart(5)} %`;
    }),
  ];
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  '));
  return [styleText('bold', lines[0]!), ...lines.slice(1)].join('\n');
}

const percent = ({ mean, ci95 }: Interval): string => (Number.isNaN(mean) ? '–' : `${number({ mean: 100 * mean, ci95: 100 * ci95 })} %`);

/** As many digits as the interval supports. */
export function number({ mean, ci95 }: Interval): string {
  if (Number.isNaN(mean)) return '–';
  if (!(ci95 > 0)) return mean.toFixed(mean === Math.round(mean) ? 0 : 3);
  const digits = Math.min(8, Math.max(0, 1 - Math.floor(Math.log10(ci95))));
  return `${mean.toFixed(digits)} ± ${ci95.toFixed(digits)}`;
}
