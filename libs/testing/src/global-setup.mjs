/** Opens the parts server of this test run; each part starts when a test first asks for it. */
export default async function globalSetup() {
  const { openRun } = await import('./test-run.ts');
  globalThis.tierlineTestRun = await openRun();
}
