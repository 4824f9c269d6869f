import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { freePort } from '@tierline/service/free-port';
import { createLogUpdate } from 'log-update';
import { apply } from '../apply.ts';
import { readConfiguration } from '../read-configuration.ts';
import { sections } from '../services.ts';
import { SimulatedAgent, type UrlOf } from './agents.service.ts';
import { BoardKeeper } from './board.consumer.ts';
import type { Board } from './board.ts';
import { drawBoard, drawLedger } from './draw-board.ts';
import { startEmbedded, startOverKafka } from './installation.service.ts';
import { isSettled, ledger, type Sent } from './ledger.ts';
import { outside, Traffic } from './traffic.service.ts';

const DRAW_EVERY_MS = 250;
/** Without a terminal a picture now and then is enough. */
const PRINT_EVERY_MS = 10_000;
/** What was accepted last must come through within this; then the books are closed. */
const SETTLE_WITHIN_MS = 30_000;
const CONFIGURATION = join(import.meta.dirname, '../../../deploy/demo/tierline.yaml');

export interface DemoOptions {
  seconds: number;
  /** Contacts a second. */
  rate: number;
  kafka: boolean;
}

/** Runs a contact center with simulated customers and agents, and adds up at the end. Exits with 1 when it does not add up. */
export async function demo({ seconds, rate, kafka }: DemoOptions): Promise<void> {
  Logger.overrideLogger(['error', 'warn']);
  const progress = (text: string): void => void process.stderr.write(`starting ${text} …\n`);
  const dataDir = await mkdtemp(join(tmpdir(), 'tierline-demo-'));
  const adminToken = randomBytes(32).toString('base64url');
  const secret = randomBytes(32).toString('base64url');
  const port = await freePort();
  const ports = new Map(await Promise.all(sections.map(async ({ service }) => [service.name, await freePort()] as const)));
  const urlOf: UrlOf = kafka ? (service) => `http://127.0.0.1:${ports.get(service)!}` : () => `http://127.0.0.1:${port}`;

  const holder: { traffic?: Traffic } = {};
  const world = await outside(urlOf, secret, (mail) => holder.traffic?.onMail(mail));
  const options = { dataDir, adminToken, secret, progress };
  const installation = kafka ? await startOverKafka(options, ports) : await startEmbedded(options, port);
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ending.abort());

  const configuration = readConfiguration(
    await readFile(CONFIGURATION, 'utf8'),
    Object.fromEntries(sections.map(({ service, configuration: schema }) => [service.name, schema])),
    { DEMO_SECRET: secret, DEMO_CUSTOMER_MAIL_PORT: String(world.mailPort), DEMO_TWILIO_URL: world.twilio.url, DEMO_X_URL: world.x.url },
  );
  progress('the contact center of deploy/demo/tierline.yaml');
  await apply(
    configuration,
    sections.map(({ service }) => service.name),
    { urlOf, token: adminToken },
  );
  const { board } = installation.boardApp.get(BoardKeeper, { strict: false });
  const working = new AbortController();
  // Every agent listens.
  setMaxListeners(0, working.signal, ending.signal);
  const agents = agentIds(configuration).map((id) => new SimulatedAgent(id, `${secret}-${id}`, urlOf, Math.random).work(working.signal));
  const traffic = (holder.traffic = new Traffic({ urlOf, smtpPort: installation.smtpPort, outside: world, token: adminToken, random: Math.random }));

  const startedAt = Date.now();
  const stopDrawing = draw(board, startedAt, installation.where);
  // A timer of our own: AbortSignal.any() does not hold on to AbortSignal.timeout(), which may be collected before it fires.
  const over = setTimeout(() => ending.abort(), seconds * 1000);
  await traffic.run(rate, ending.signal);
  clearTimeout(over);
  await settled(traffic.sent, board);
  stopDrawing();

  const lines = ledger(traffic.sent, board);
  process.stdout.write(`\n${drawLedger(lines)}\n`);
  if (traffic.sent.refused > 0) process.stdout.write(`  ${traffic.sent.refused} not accepted by a door, and so not owed\n`);
  working.abort();
  await Promise.all(agents);
  await installation.stop();
  await world.stop();
  await rm(dataDir, { recursive: true, force: true });
  process.exit(lines.every(({ holds }) => holds) ? 0 : 1);
}

function agentIds(configuration: Record<string, unknown>): string[] {
  return (configuration['people'] as { agents: { id: string }[] }).agents.map(({ id }) => id);
}

async function settled(sent: Sent, board: Board): Promise<void> {
  const deadline = Date.now() + SETTLE_WITHIN_MS;
  while (Date.now() < deadline && !isSettled(sent, board)) await sleep(100);
}

/** Draws the board where it stands on a terminal, and prints it now and then elsewhere. */
function draw(board: Board, startedAt: number, where: string): () => void {
  const picture = (): string => drawBoard(board, { now: Date.now(), startedAt, where });
  if (!process.stdout.isTTY) {
    const timer = setInterval(() => process.stdout.write(`${picture()}\n`), PRINT_EVERY_MS);
    return () => {
      clearInterval(timer);
      process.stdout.write(`${picture()}\n`);
    };
  }
  const update = createLogUpdate(process.stdout);
  const timer = setInterval(() => update(picture()), DRAW_EVERY_MS);
  return () => {
    clearInterval(timer);
    update(picture());
    update.done();
  };
}
