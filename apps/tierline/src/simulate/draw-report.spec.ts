import { describe, expect, it } from '@jest/globals';
import { drawReport, number } from './draw-report.ts';
import { reportOf } from './report.ts';
import { replicate } from './replicate.ts';
import { readSpec } from './spec.ts';

describe('number', () => {
  it.each([
    [2.04567, 0.1234, '2.05 ± 0.12'],
    [0.000406, 0.00008, '0.000406 ± 0.000080'],
    [1234.5, 56, '1235 ± 56'],
    [0.25, 0, '0.250'],
    [1, 0, '1'],
    [3.5, NaN, '3.500'],
    [NaN, NaN, '–'],
  ])('%d ± %d is %s', (mean, ci95, text) => {
    expect(number({ mean, ci95 })).toBe(text);
  });
});

describe('drawReport', () => {
  const spec = readSpec({
    name: 'One agent',
    timeUnit: 'minute',
    replications: 2,
    length: { contacts: 10 },
    types: [
      {
        name: 'call',
        arrivals: { kind: 'recorded', times: [0, 1, 3, 10] },
        service: { kind: 'deterministic', value: 2 },
        skills: [{ skill: 'a' }],
      },
    ],
    agents: [{ name: 'agent', count: 1, skills: [{ skill: 'a' }] }],
    report: { waitLe: [0.5] },
  });

  it('has a row for each type and agent, and a bar for each step of the waits', () => {
    const drawn = drawReport(reportOf(spec, [replicate(spec, 0), replicate(spec, 1)]));
    const lines = drawn.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, ' | '));
    expect(lines).toContain('8 contacts in 2 replications, seed 1; ± is a 95 % interval');
    expect(lines).toContain('call | 4 | 0.500 | 50 % | 50 % | 0 % | 0 % | 0.200');
    expect(lines).toContain('agent 1 | 60 %');
    expect(lines).toContain('0 | ████████████████████████████████████████████████ | 50.0 %');
  });
});
