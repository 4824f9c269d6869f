/** Ends the parts of this test run and removes their data. */
export default async function globalTeardown() {
  await globalThis.tierlineTestRun.close();
}
