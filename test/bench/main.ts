import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { styleText } from 'node:util';
import { Logger } from '@nestjs/common';
import { startPostgres } from '@tierline/service';
import pg from 'pg';
import type { Benchmark, Figure } from './figure.ts';
import { api } from './api.ts';
import { calendar } from './calendar.ts';
import { clocks } from './clocks.ts';
import { intake } from './intake.ts';
import { kafkaLine } from './kafka-line.ts';
import { line } from './line.ts';
import { machine, type Machine } from './machine.ts';
import { mail } from './mail.ts';
import { matcher } from './matcher.ts';
import { offer } from './offer.ts';
import { simulate } from './simulate.ts';
import { stage } from './stage.ts';
import { startup } from './startup.ts';
import { timers } from './timers.ts';

/** Every benchmark by the name it is asked for. */
const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  intake,
  stage,
  line,
  kafka: kafkaLine,
  mail,
  offer,
  api,
  timers,
  calendar,
  clocks,
  matcher,
  simulate,
  startup,
};

// What Nest says at each start would drown the progress.
Logger.overrideLogger(['warn', 'error']);

const options = process.argv.slice(2);
const json = options.includes('--json');
const wanted = options.filter((option) => !option.startsWith('--'));
const unknown = wanted.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0) {
  console.error(`there is no benchmark ${unknown.join(', ')}; there are ${Object.keys(BENCHMARKS).join(', ')}`);
  process.exit(1);
}

interface Report {
  readonly machine: Machine;
  readonly figures: readonly Figure[];
}

const names = wanted.length > 0 ? wanted : Object.keys(BENCHMARKS);
let report: Report | undefined;
try {
  report = names.length === 1 ? await measure(BENCHMARKS[names[0]!]!) : await measureEach(names);
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : table(report));
} catch (error) {
  console.error(error);
}
process.exit(report ? 0 : 1);

/** Each in a process of its own: the heap that one leaves behind, and what the engine has learned from it, would be in the next one's figures. */
async function measureEach(names: readonly string[]): Promise<Report> {
  const reports: Report[] = [];
  for (const name of names) {
    const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, name, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [said, [status]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number | null]>]);
    if (status !== 0) throw new Error(`benchmark ${name} failed`);
    reports.push(JSON.parse(said) as Report);
  }
  return { machine: reports[0]!.machine, figures: reports.flatMap(({ figures }) => figures) };
}

/** One benchmark, with a PostgreSQL for it. */
async function measure(benchmark: Benchmark): Promise<Report> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tierline-bench-'));
  const postgres = await startPostgres({ dataDir: join(dataDir, 'postgres'), settings: { max_connections: '300', track_commit_timestamp: 'on' } });

  async function sql<Row extends object>(text: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  }

  try {
    const [version] = await sql<{ server_version: string }>('SHOW server_version');
    const figures = await benchmark({
      runs: 3,
      dataDir,
      progress: (text) => void process.stderr.write(`${styleText('dim', text)}\n`),
      async database(name) {
        await sql(`DROP DATABASE IF EXISTS bench_${name} WITH (FORCE)`);
        await sql(`CREATE DATABASE bench_${name}`);
        return Object.assign(new URL(postgres.url), { pathname: `/bench_${name}` }).href;
      },
    });
    return { machine: machine(version!.server_version), figures };
  } finally {
    // What breaks when the database goes says nothing.
    process.on('uncaughtException', () => undefined);
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

function table({ machine: { cores, fsyncMs, node, postgres: server }, figures }: Report): string {
  const head = ['figure', 'ours', 'p50', 'p99', 'bare loop', 'ratio', 'goal', ''];
  const ms = (value: number | undefined): string => (value === undefined ? '' : `${value.toFixed(1)} ms`);
  const rows = figures.map((figure) => [
    figure.name,
    `${figure.value.toLocaleString('en-US')} ${figure.unit}`,
    ms(figure.p50Ms),
    ms(figure.p99Ms),
    figure.bare === undefined ? '' : `${figure.bare.toLocaleString('en-US')} ${figure.unit}`,
    figure.ratio === undefined ? '' : figure.ratio.toFixed(2),
    figure.goal,
    figure.met ? styleText('green', 'met') : styleText('red', 'missed'),
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: string[]): string =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  ');
  return `${[`${cores} cores, fdatasync ${fsyncMs} ms, Node ${node}, PostgreSQL ${server}`, '', styleText('bold', line(head)), ...rows.map(line)].join('\n')}\n`;
}
