import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KINDS, type Case, type Effort } from './cases.ts';
import { center, type CenterRow } from './center.ts';

/** How much is simulated for each row: of theory, and of another simulation. */
export interface Efforts {
  exact: Effort;
  simulated: Pick<Effort, 'replications'>;
}

/** Every row of the files in a folder that speaks of queues, and what is wrong with those that cannot be asked. */
export async function readCases(folder: string, efforts: Efforts): Promise<{ cases: Case[]; faults: string[] }> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
  const cases: Case[] = [];
  const faults: string[] = [];
  for (const file of files) {
    const content = JSON.parse(await readFile(join(folder, file), 'utf8')) as object;
    for (const [name, rows] of Object.entries(content)) {
      if (!Array.isArray(rows)) continue;
      for (const [at, row] of (rows as object[]).entries()) {
        try {
          cases.push(...casesOf(name, row, efforts));
        } catch (error) {
          faults.push(`${file}: ${name} ${at + 1}: ${(error as Error).message}`);
        }
      }
    }
  }
  return { cases, faults };
}

function casesOf(name: string, row: object, efforts: Efforts): Case[] {
  if ('queueRule' in row) return center(row as CenterRow, efforts.simulated);
  if (name in KINDS) return KINDS[name as keyof typeof KINDS](row as never, efforts.exact);
  // Other vectors speak of other things.
  if (!('model' in row)) return [];
  throw new Error(`rows of the model ${String(row.model)} are not known`);
}
