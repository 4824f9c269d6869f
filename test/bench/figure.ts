/** One measured value: what it is, how it compares with a bare loop in the same run, and with the goal. */
export interface Figure {
  name: string;
  value: number;
  unit: string;
  p50Ms?: number;
  p99Ms?: number;
  /** The same durable work done by the simplest loop that could do it, in `unit`. */
  bare?: number;
  /** Ours to bare: 1 is as fast. */
  ratio?: number;
  goal: string;
  met: boolean;
}

/** What a benchmark is given. */
export interface Bench {
  /** Runs of each measurement; the median is the figure. */
  readonly runs: number;
  /** A folder for files, gone at the end. */
  readonly dataDir: string;
  /** A line of progress for whoever watches. */
  progress(text: string): void;
  /** A database of its own for one benchmark, dropped at the end. */
  database(name: string): Promise<string>;
}

export type Benchmark = (bench: Bench) => Promise<Figure[]>;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The value below which `share` of the sorted values lie. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Runs work `bench.runs` times and gives the median of what it returns. */
export async function medianOf(bench: Bench, name: string, work: (run: number) => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let run = 0; run < bench.runs; run++) {
    values.push(await work(run));
    bench.progress(`${name}: run ${run + 1} of ${bench.runs}, ${Math.round(values.at(-1)!).toLocaleString('en-US')}`);
  }
  return median(values);
}

/** A figure of the form "at least `goal` a second". */
export function rate(name: string, value: number, goal: number, bare?: number, rest: Partial<Figure> = {}): Figure {
  return {
    name,
    value: Math.round(value),
    unit: '/s',
    ...(bare !== undefined && { bare: Math.round(bare), ratio: Number((value / bare).toFixed(2)) }),
    goal: `≥ ${goal.toLocaleString('en-US')}/s`,
    met: value >= goal,
    ...rest,
  };
}

/** A figure of the form "at most `goalMs`". */
export function latency(name: string, valueMs: number, goalMs: number, bareMs?: number, rest: Partial<Figure> = {}): Figure {
  return {
    name,
    value: Number(valueMs.toFixed(1)),
    unit: 'ms',
    ...(bareMs !== undefined && { bare: Number(bareMs.toFixed(1)), ratio: Number((valueMs / bareMs).toFixed(2)) }),
    goal: `≤ ${goalMs.toLocaleString('en-US')} ms`,
    met: valueMs <= goalMs,
    ...rest,
  };
}
