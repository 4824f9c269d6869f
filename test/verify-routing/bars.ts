import type { Report } from '../../apps/tierline/src/simulate/report.ts';
import type { SimulationSpec } from '../../apps/tierline/src/simulate/spec.ts';
import { centerSpec } from './center.ts';

/** Something that routing must do at least as well as. */
interface Bar {
  title: string;
  specs: SimulationSpec[];
  judge: (reports: readonly Report[]) => { text: string; met: boolean };
}

const MIXED = { label: 'mixed 60x1+30x6', load: 78, queueRule: 'fcfs', roomRule: 'waiting' } as const;
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

export const bars: readonly Bar[] = [
  {
    title: `fewest skills first against most skills first, ${MIXED.label} at 78 Erlangs`,
    // The same contacts are asked of both rules.
    specs: (['fewest', 'most'] as const).map((agentRule) =>
      centerSpec({ ...MIXED, agentRule }, { replications: 6, contacts: 300_000, warmUpContacts: 30_000 }),
    ),
    judge: ([fewest, most]) => {
      const gain = 1 - fewest!.total.wait.mean / most!.total.wait.mean;
      return { text: `${percent(gain)} less mean wait, at least 15 %`, met: gain >= 0.15 };
    },
  },
  {
    title: 'agents of equal skills, over a million contacts',
    specs: [
      centerSpec(
        { label: 'k=6', load: 84, agentRule: 'fewest', queueRule: 'fcfs', roomRule: 'waiting' },
        { replications: 2, contacts: 1_000_000, warmUpContacts: 30_000 },
      ),
    ],
    judge: ([report]) => {
      const { lowestUtilisation, highestUtilisation } = report!.total;
      const apart = highestUtilisation.mean - lowestUtilisation.mean;
      return {
        text: `utilisation from ${percent(lowestUtilisation.mean)} to ${percent(highestUtilisation.mean)}, at most 1 point apart`,
        met: apart <= 0.01,
      };
    },
  },
];
