import type { Kind } from './audit.ts';
import type { Strike } from './installation.ts';
import type { ChaosResult } from './run.ts';

/** What a run comes to; printed by `--json` as it is. */
export interface Report {
  seconds: number;
  seed: number;
  /** How often what was struck. */
  kills: Record<string, number>;
  sent: number;
  acked: number;
  stored: number;
  lost: number;
  doubled: number;
  outOfOrder: number;
  timersDue: number;
  timersLost: number;
  timersDoubled: number;
  /** The longest time from a kill -9 until a contact that came after it was through: its ticket opened, queued, its clocks running. */
  resumeMsMax: number;
}

/** Adds up the installations of one run. */
export function addUp(results: readonly ChaosResult[], seconds: number, seed: number): Report {
  const sum = (of: (result: ChaosResult) => number): number => results.reduce((total, result) => total + of(result), 0);
  const found = (kind: Kind): number => sum(({ findings }) => findings.filter((finding) => finding.kind === kind).length);
  const kills: Record<string, number> = {};
  for (const { what } of results.flatMap(({ strikes }) => strikes)) kills[what] = (kills[what] ?? 0) + 1;
  return {
    seconds,
    seed,
    kills,
    sent: sum(({ sent }) => sent),
    acked: sum(({ acked }) => acked),
    stored: sum(({ stored }) => stored),
    lost: found('lost'),
    doubled: found('doubled'),
    outOfOrder: found('outOfOrder'),
    timersDue: sum(({ timersDue }) => timersDue),
    timersLost: found('timersLost'),
    timersDoubled: found('timersDoubled'),
    resumeMsMax: Math.max(0, ...results.flatMap((result) => result.strikes.filter(({ isKill }) => isKill).map((strike) => resumeMs(strike, result)))),
  };
}

/** From a strike until a contact that came after it was through; 0 when none came any more. */
export function resumeMs({ at }: Strike, { through }: Pick<ChaosResult, 'through'>): number {
  const done = through.filter(({ receivedAt }) => receivedAt > at).map(({ doneAt }) => doneAt - at);
  return done.length === 0 ? 0 : Math.round(Math.min(...done));
}

/** Nothing was found, and nothing ended by itself. */
export function isClean(report: Report, results: readonly ChaosResult[]): boolean {
  const { lost, doubled, outOfOrder, timersLost, timersDoubled } = report;
  return lost + doubled + outOfOrder + timersLost + timersDoubled === 0 && results.every(({ crashed }) => crashed.length === 0);
}
