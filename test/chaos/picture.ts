import { styleText } from 'node:util';
import { createLogUpdate } from 'log-update';
import { resumeMs, type Report } from './report.ts';
import type { ChaosResult, Progress } from './run.ts';

const BAR_WIDTH = 40;
const SHOWN_STRIKES = 8;

/** Shows how it goes, on stderr: where it stands on a terminal, elsewhere a line for each thing that is done. */
export function picture(seconds: number): { show(progress: Progress): void; done(): void } {
  const startedAt = performance.now();
  if (!process.stderr.isTTY) {
    let said = '';
    return {
      show({ doing, sent, acked, stored }) {
        if (doing === said || doing === 'calm') return;
        said = doing;
        const elapsed = ((performance.now() - startedAt) / 1_000).toFixed(1);
        process.stderr.write(`${elapsed.padStart(6)} s  ${doing}   (${sent} sent, ${acked} acknowledged, ${stored} stored)\n`);
      },
      done: () => undefined,
    };
  }
  const update = createLogUpdate(process.stderr);
  return {
    show: (progress) => update(draw(progress, performance.now() - startedAt, seconds)),
    done: () => update.clear(),
  };
}

function draw({ where, doing, sent, acked, stored, strikes }: Progress, elapsedMs: number, seconds: number): string {
  const done = Math.min(BAR_WIDTH, Math.round((elapsedMs / 1_000 / seconds) * BAR_WIDTH));
  return [
    `${styleText('bold', 'Chaos')}  ${styleText('dim', where)}`,
    `  ${styleText('green', '█'.repeat(done))}${styleText('dim', '░'.repeat(BAR_WIDTH - done))}  ${Math.round(elapsedMs / 1_000)} s of ${seconds}`,
    `  ${sent} sent · ${acked} acknowledged · ${stored} stored`,
    `  ${styleText('red', `${strikes.length} strikes`)}  ${styleText('dim', strikes.slice(-SHOWN_STRIKES).map(({ what }) => what).join(' '))}`, // prettier-ignore
    `  ${styleText('yellow', doing)}`,
  ].join('\n');
}

/** The closing account. */
export function table(report: Report, results: readonly ChaosResult[]): string {
  const { lost, doubled, outOfOrder, timersLost, timersDoubled } = report;
  const bad = (count: number, what: string): string =>
    `  ${count === 0 ? styleText('green', '✔') : styleText('red', '✘')} ${String(count).padStart(7)}  ${what}`;
  return [
    ...results.map(strikesTable),
    `  ${String(report.sent).padStart(9)}  contacts sent`,
    `  ${String(report.acked).padStart(9)}  acknowledged`,
    `  ${String(report.stored).padStart(9)}  stored`,
    `  ${String(report.timersDue).padStart(9)}  timers fell due`,
    bad(lost, 'lost'),
    bad(doubled, 'doubled'),
    bad(outOfOrder, 'out of order'),
    bad(timersLost, 'timers lost'),
    bad(timersDoubled, 'timers doubled'),
    ...results.flatMap(({ crashed }) => crashed).map((name) => `  ${styleText('red', '✘')} ${name} ended by itself`),
    `  seed ${report.seed}; back after ${(report.resumeMsMax / 1_000).toFixed(1)} s at the longest`,
    '',
  ].join('\n');
}

function strikesTable(result: ChaosResult): string {
  const names = [...new Set(result.strikes.map(({ what }) => what))];
  const width = Math.max(...names.map((name) => name.length));
  const rows = names.map((name) => {
    const strikes = result.strikes.filter(({ what }) => what === name);
    const longest = Math.max(...strikes.map((strike) => resumeMs(strike, result)));
    return `    ${name.padEnd(width)}  ${String(strikes.length).padStart(4)} ×   back after ${(longest / 1_000).toFixed(1).padStart(5)} s at the longest`;
  });
  return [styleText('bold', `  ${result.where}`), ...rows, ''].join('\n');
}
