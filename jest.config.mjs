import { swc } from './tools/swc.mjs';

export default {
  maxWorkers: 2,
  // Heap of one worker grows by ~15 MB a spec file that imports Nest.
  workerIdleMemoryLimit: '512MB',
  testTimeout: 60_000,
  testEnvironment: 'node',
  testMatch: ['<rootDir>/{apps,libs,test,tools}/**/*.spec.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.tierline/'],
  watchPathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.tierline/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': ['@swc/jest', swc()] },
  globalSetup: '<rootDir>/tools/skipped-parts-setup.mjs',
  reporters: ['default', '<rootDir>/tools/skipped-parts-reporter.mjs'],
};
