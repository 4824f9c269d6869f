import { describe, expect, it, jest } from '@jest/globals';
import { Wakeup } from './wakeup.ts';

/** Long enough that a test which had to wait for it would fail by its own timeout. */
const FOREVER_MS = 1_000_000;

describe('Wakeup', () => {
  it('ends the wait', async () => {
    const wakeup = new Wakeup();
    const waiting = wakeup.wait(FOREVER_MS);
    wakeup.wake();
    await waiting;
  });

  it('remembers a wake that comes while the worker is busy', async () => {
    const wakeup = new Wakeup();
    wakeup.wake();
    await wakeup.wait(FOREVER_MS);
  });

  it('forgets what a look has seen, but not what came after it', async () => {
    jest.useFakeTimers();
    const wakeup = new Wakeup();
    wakeup.wake();
    wakeup.clear();
    let woken = false;
    const waiting = wakeup.wait(FOREVER_MS).then(() => (woken = true));
    await jest.advanceTimersByTimeAsync(FOREVER_MS - 1);
    expect(woken).toBe(false);
    wakeup.wake();
    await waiting;
    jest.useRealTimers();
  });

  it('gives up after the time it was told', async () => {
    jest.useFakeTimers();
    const waiting = new Wakeup().wait(50);
    await jest.advanceTimersByTimeAsync(50);
    await waiting;
    jest.useRealTimers();
  });
});
