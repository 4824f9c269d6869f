import { readFile } from 'node:fs/promises';
import { parseMailFile } from '@tierline/email';

/** Prints the contact that each mail file normalizes to, one line of JSON a file. Needs no server. */
export async function parseFiles(files: readonly string[]): Promise<void> {
  for (const file of files) console.log(JSON.stringify(await parseMailFile(await readFile(file), file)));
}
