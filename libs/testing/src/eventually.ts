import { setTimeout as sleep } from 'node:timers/promises';

/** A state that has not come by then will not come: nothing in a test waits for so long by design. */
const TIMEOUT_MS = 15_000;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;

/**
 * Waits until the probe neither throws nor answers `false` or `null`, and gives its answer.
 * `await eventually(async () => expect(await count()).toBe(3))` · `const row = await eventually(() => find(id) ?? null)`
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  { timeoutMs = TIMEOUT_MS, message }: { timeoutMs?: number; message?: string } = {},
): Promise<Exclude<T, false | null>> {
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    let seen: unknown;
    try {
      const answer = await probe();
      if (answer !== false && answer !== null) return answer as Exclude<T, false | null>;
      seen = `the probe answered ${String(answer)}`;
    } catch (error) {
      seen = error;
    }
    if (performance.now() > deadline) {
      const last = seen instanceof Error ? seen.message : String(seen);
      throw new Error(`${message ?? 'not so in time'} (waited ${timeoutMs} ms); at last: ${last}`, { cause: seen });
    }
    await sleep(pauseMs);
  }
}
