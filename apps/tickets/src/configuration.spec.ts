import { describe, expect, it } from '@jest/globals';
import { ticketsConfiguration } from './configuration.ts';

describe('ticketsConfiguration', () => {
  it('reads durations', () => {
    expect(ticketsConfiguration.parse({ reopenWindow: '36h' })).toEqual({ reopenWindow: 129_600_000, closeAfter: 2_419_200_000 });
  });

  it('names every fault', () => {
    const { error } = ticketsConfiguration.safeParse({ reopenWindow: 'soon', closeAfter: 4, reopen: true });
    expect(error!.issues.map(({ path, code }) => [path.join('.'), code])).toEqual([
      ['reopenWindow', 'invalid_format'],
      ['closeAfter', 'invalid_type'],
      ['', 'unrecognized_keys'],
    ]);
  });
});
