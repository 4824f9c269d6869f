import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KINDS, type Case, type Effort } from './cases.ts';
import { center, type CenterRow } from './center.ts';

/** How much is simulated for each row: of theory, and of another simulation. */
export interface Efforts {
  exact: Effort;
  simulated: Pick<Effort, 'replications'>;
}

/** Every row of the files in a folder that speaks of queues. Throws when such a file has rows of a kind that is not known. */
export async function readCases(folder: string, efforts: Efforts): Promise<Case[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
  const cases: Case[] = [];
  for (const file of files) {
    const content = JSON.parse(await readFile(join(folder, file), 'utf8')) as unknown;
    if (typeof content !== 'object' || content === null || Array.isArray(content)) continue;
    for (const [name, rows] of Object.entries(content)) {
      if (!Array.isArray(rows)) continue;
      for (const row of rows as object[]) {
        if ('queueRule' in row) cases.push(...center(row as CenterRow, efforts.simulated));
        else if (name in KINDS) cases.push(...KINDS[name as keyof typeof KINDS](row as never, efforts.exact));
        else if ('model' in row) throw new Error(`${file}: rows of ${name} are not known`);
      }
    }
  }
  return cases;
}
