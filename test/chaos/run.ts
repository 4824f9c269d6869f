import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SimulatedAgent } from '../../apps/tierline/src/demo/agents.service.ts';
import { apply } from '../../apps/tierline/src/apply.ts';
import { ask } from './ask.ts';
import { Audit, type Audited } from './audit.ts';
import { acknowledges, agentToken, AGENTS, configuration } from './configuration.ts';
import type { Installation, InstallationOptions, Note, Strike } from './installation.ts';
import { Ledger } from './ledger.ts';
import { world } from './outside.ts';
import { seeded } from './random.ts';
import { readEffects } from './read-effects.ts';
import { settle } from './settle.ts';
import { Traffic } from './traffic.ts';

/** Calm before the first fault, and between two. */
const CALM_MS = 200;
const MORE_CALM_MS = 800;
/** What was sent last must be acknowledged within this, and come through within that. */
const ACKNOWLEDGED_WITHIN_MS = 30_000;
const SETTLED_WITHIN_MS = 120_000;
const REVIVE_EVERY_MS = 500;
const LOOK_EVERY_MS = 500;
/** A line that is not back by then is struck all the same. */
const BACK_WITHIN_MS = 30_000;

export interface ChaosOptions {
  readonly start: (options: InstallationOptions) => Promise<Installation>;
  readonly folder: string;
  readonly seconds: number;
  /** Goes on until every kind of fault has come, also when the time is up. */
  readonly wholeRound: boolean;
  readonly seed: number;
  readonly onProgress: (progress: Progress) => void;
  /** Called with what has to be ended whatever happens, the last one first. */
  readonly onExit: (end: () => Promise<void>) => void;
}

/** What can be seen while it goes on. */
export interface Progress {
  readonly where: string;
  readonly doing: string;
  readonly sent: number;
  readonly acked: number;
  /** As tickets has them; of the last time the database answered. */
  readonly stored: number;
  readonly strikes: readonly Strike[];
}

export interface ChaosResult extends Audited {
  readonly where: string;
  readonly strikes: readonly Strike[];
  readonly sent: number;
  readonly acked: number;
  /** Processes that ended by themselves, each as often as it did. */
  readonly crashed: readonly string[];
}

/** One installation under load and faults, until the books are closed. */
export async function chaos({ start, folder, seconds, wholeRound, seed, onProgress, onExit }: ChaosOptions): Promise<ChaosResult> {
  await mkdir(folder, { recursive: true });
  const [adminToken, secret] = [randomBytes(32).toString('base64url'), randomBytes(32).toString('base64url')];
  const strikes: Strike[] = [];
  const note: Note = (what, isKill = false) => void strikes.push({ what, at: Date.now(), isKill });
  const seen = { where: '', doing: 'starting', sent: 0, acked: 0, stored: 0, strikes };
  const progress = (doing: string): void => onProgress(Object.assign(seen, { doing }));

  const installation = await start({ folder, adminToken, secret, note, onExit, progress: (text) => progress(`starting ${text}`) });
  const { urlOf, smtpPort, databaseUrl } = installation;
  seen.where = installation.where;
  const outside = await world(urlOf('phone'), secret);
  onExit(() => outside.stop());
  progress('configuring');
  const sections = configuration(outside);
  await apply(sections, Object.keys(sections), { urlOf, token: adminToken });
  const ledger = await Ledger.open(join(folder, 'ledger'));
  onExit(() => ledger.close());

  const [working, closing, closed] = [new AbortController(), new AbortController(), new AbortController()];
  // Each agent and each lane listens to them.
  for (const { signal } of [working, closing, closed]) setMaxListeners(0, signal);
  onExit(async () => [working, closing, closed].forEach((controller) => controller.abort()));
  const watched = watch(installation, working.signal, (stored) => onProgress(Object.assign(seen, ledger.count, { stored })));
  const agents = AGENTS.map(({ id }) => new SimulatedAgent(id, agentToken(secret, id), urlOf, Math.random).work(working.signal));
  const traffic = new Traffic({ urlOf, smtpPort, twilio: outside.twilio, token: adminToken }, ledger, seed).run(closing.signal, closed.signal);

  await strikeFor(installation, { ms: seconds * 1_000, wholeRound }, seeded(seed), progress);
  progress('waiting for the last acknowledgements');
  closing.abort();
  const giveUp = setTimeout(() => closed.abort(), ACKNOWLEDGED_WITHIN_MS);
  await traffic;
  clearTimeout(giveUp);
  progress('waiting until all is quiet');
  working.abort();
  await Promise.all([...agents, watched]);
  await goHome(urlOf('people'), adminToken);
  const pending = await settle(databaseUrl, SETTLED_WITHIN_MS);

  progress('adding up');
  const audit = new Audit();
  for (const what of pending) audit.find('lost', `still on their way: ${what}`);
  const now = await readEffects(audit, databaseUrl());
  await installation.auditMore?.(audit);
  for (const what of outside.toldTwice()) audit.find('doubled', `${what} reached the customer twice`);
  const books = await ledger.read();
  return {
    ...audit.finish(books, now, acknowledges),
    where: installation.where,
    strikes,
    sent: books.sent.size,
    acked: books.acked.size,
    crashed: installation.processes.flatMap(({ name, crashes }) => Array<string>(crashes).fill(name)),
  };
}

/** Strikes until the time is up. What is struck is a line that works: the next strike comes when something has gone through after the last. */
async function strikeFor(
  { round, databaseUrl }: Installation,
  { ms, wholeRound }: { ms: number; wholeRound: boolean },
  random: () => number,
  progress: (doing: string) => void,
): Promise<void> {
  const endsAt = performance.now() + ms;
  for (let rounds = 0; ; rounds++) {
    for (const fault of round(random)) {
      progress('calm');
      await sleep(CALM_MS + random() * MORE_CALM_MS);
      if (performance.now() > endsAt && !(wholeRound && rounds === 0)) return;
      progress(fault.name);
      const since = Date.now();
      await fault.strike();
      await isBack(databaseUrl, since);
    }
  }
}

/** Waits, but not for ever, until a ticket that was opened since then has its clocks. */
async function isBack(databaseUrl: () => string, since: number): Promise<void> {
  const sql = `SELECT 1 FROM tickets.ticket t JOIN escalation.ticket e ON e.ticket_id = t.id WHERE t.opened_at > to_timestamp($1 / 1000.0) LIMIT 1`;
  for (const deadline = performance.now() + BACK_WITHIN_MS; performance.now() < deadline; await sleep(LOOK_EVERY_MS / 5)) {
    const found = await ask(databaseUrl(), sql, [since]).catch(() => []);
    if (found.length > 0) return;
  }
}

/** Or the leases of their presence would have to be waited for. */
async function goHome(peopleUrl: string, token: string): Promise<void> {
  for (const { id } of AGENTS) {
    await fetch(`${peopleUrl}/people/v1/agents/${id}/presence`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ presence: 'offline' }),
    });
  }
}

/** Starts again what ends by itself, and counts what has been stored. */
async function watch({ processes, databaseUrl }: Installation, signal: AbortSignal, onStored: (stored: number) => void): Promise<void> {
  const reviving = setInterval(() => processes.forEach((one) => void one.revive().catch(() => undefined)), REVIVE_EVERY_MS);
  while (!signal.aborted) {
    await countStored(databaseUrl).then(onStored, () => undefined);
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
  clearInterval(reviving);
}

async function countStored(databaseUrl: () => string): Promise<number> {
  const [row] = await ask<{ count: string }>(databaseUrl(), `SELECT count(*) FROM tickets.message WHERE by_kind = 'customer'`);
  return Number(row!.count);
}
