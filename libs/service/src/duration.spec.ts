import { expect, it } from '@jest/globals';
import { duration } from './duration.ts';

it.each([
  ['250ms', 250],
  ['30s', 30_000],
  ['1.5h', 5_400_000],
  ['2d', 172_800_000],
])('reads %s as %d ms', (text, ms) => {
  expect(duration.parse(text)).toBe(ms);
});

it.each(['30', '5 min', '-1s', ''])('refuses %j', (text) => {
  expect(duration.safeParse(text).success).toBe(false);
});
