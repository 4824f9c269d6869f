/** The address of the parts server that the global set-up of Jest opens (global-setup.mjs). */
export const PARTS_URL = 'TIERLINE_TEST_PARTS';

/** The folder of the test run, for what has files or processes of its own. */
export const RUN_DIR = 'TIERLINE_TEST_RUN';

const asked = new Map<string, Promise<unknown>>();

/** A part that is started once for a whole test run, by the first that asks. */
export function sharedPart<T>(name: string): Promise<T> {
  const known = asked.get(name) ?? ask(name);
  asked.set(name, known);
  return known as Promise<T>;
}

async function ask(name: string): Promise<unknown> {
  const url = process.env[PARTS_URL];
  if (!url) throw new Error(`the shared ${name} belongs to a test run: start the tests with Jest, which has libs/testing/src/global-setup.mjs`);
  const response = await fetch(`${url}/${name}`);
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}
