// npm test: everything, and all of it even when an early step fails, so that one run shows all that is wrong.
import { spawnSync } from 'node:child_process';

const failed = ['format:check', 'lint', 'typecheck', 'jest'].filter((script) => {
  const { status } = spawnSync('npm', ['run', '--silent', script], { stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) console.error(`npm run ${script}: failed`);
  return status !== 0;
});
process.exitCode = failed.length > 0 ? 1 : 0;
