import { expect, it } from '@jest/globals';
import { ConnectionGate } from './connection-gate.ts';

it('lets so many log in at one host at a time, and does not keep other hosts waiting', async () => {
  const gate = new ConnectionGate(2);
  const inside = new Map<string, number>();
  const most = new Map<string, number>();
  const finish: (() => void)[] = [];
  const logIn = (host: string): Promise<void> =>
    gate.through(host, async () => {
      inside.set(host, (inside.get(host) ?? 0) + 1);
      most.set(host, Math.max(most.get(host) ?? 0, inside.get(host)!));
      await new Promise<void>((done) => finish.push(done));
      inside.set(host, inside.get(host)! - 1);
    });
  const all = [...Array.from({ length: 5 }, () => logIn('busy')), logIn('idle')];
  await new Promise(setImmediate);
  while (finish.length > 0) {
    expect(inside.get('idle')).toBeDefined();
    finish.shift()!();
    await new Promise(setImmediate);
  }
  await Promise.all(all);
  expect(most).toEqual(
    new Map([
      ['busy', 2],
      ['idle', 1],
    ]),
  );
});

it('gives the place of one that failed to the next', async () => {
  const gate = new ConnectionGate(1);
  await expect(gate.through('h', () => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  expect(await gate.through('h', () => Promise.resolve('in'))).toBe('in');
});
