import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { swc } from './tools/swc.mjs';

// Set here, before any worker starts, so that every suite and the reporter name the same file.
process.env.TIERLINE_SKIPPED_PARTS = join(tmpdir(), `tierline-skipped-parts-${process.pid}`);

export default {
  maxWorkers: 2,
  // The heap of a worker grows by about 15 MB with each spec file that imports Nest.
  workerIdleMemoryLimit: '512MB',
  testTimeout: 60_000,
  testEnvironment: 'node',
  testMatch: ['<rootDir>/{apps,libs,test,tools}/**/*.spec.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.tierline/', '<rootDir>/.nx/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': ['@swc/jest', swc()] },
  globalSetup: '<rootDir>/libs/testing/src/global-setup.mjs',
  globalTeardown: '<rootDir>/libs/testing/src/global-teardown.mjs',
  reporters: ['default', '<rootDir>/tools/skipped-parts-reporter.mjs'],
};
