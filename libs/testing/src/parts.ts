import { MissingPartError } from './missing-part.ts';

/** Where the global set-up of Jest says what this test run has: the address of its parts server … */
export const PARTS_URL = 'TIERLINE_TEST_PARTS';
/** … and the folder for the files and processes of its tests. */
export const RUN_DIR = 'TIERLINE_TEST_RUN';

/** The status with which the parts server says that a part cannot be had. */
export const MISSING_STATUS = 501;

const asked = new Map<string, Promise<unknown>>();

/** A part that is started once for a whole test run, by the first that asks. Throws MissingPartError. */
export function sharedPart<T>(name: string): Promise<T> {
  const part = asked.get(name) ?? ask(name);
  asked.set(name, part);
  return part as Promise<T>;
}

async function ask(name: string): Promise<unknown> {
  const url = process.env[PARTS_URL];
  if (!url) throw new Error(`the shared ${name} belongs to a test run: start it with Jest, whose global set-up is libs/testing/src/global-setup.mjs`);
  const response = await fetch(`${url}/${name}`);
  if (response.ok) return response.json();
  const reason = await response.text();
  throw response.status === MISSING_STATUS ? new MissingPartError(reason) : new Error(reason);
}
