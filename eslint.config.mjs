import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

// The boundary rule reads the project graph from a cache, and without one it would say nothing at all: bring it up to date first.
process.env.NX_DAEMON = 'false';
process.env.NX_ISOLATE_PLUGINS = 'false';
const { createProjectGraphAsync } = await import('@nx/devkit');
await createProjectGraphAsync({ exitOnError: true });

const restrictImports = (...patterns) => ({ '@typescript-eslint/no-restricted-imports': ['error', { patterns }] });
const restrictSyntax = (...restrictions) => ({ 'no-restricted-syntax': ['error', ...restrictions.map(([selector, message]) => ({ selector, message }))] });

const kafka = { regex: '^kafkajs', message: 'Kafka stays inside libs/log.' };

const restrictedEverywhere = [
  ['Property[key.name="synchronize"], CallExpression[callee.property.name="synchronize"]', 'The schema changes by migrations only.'],
  ['TSEnumDeclaration', 'Use a union of strings.'],
  ['ExportDefaultDeclaration', 'Use a named export.'],
];
const restrictedInSpecs = [['MemberExpression[object.name=/^(describe|it|test)$/][property.name=/^(skip|only|todo)$/]', 'A test runs, or is deleted.']];

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', '.tierline/', '.nx/', '**/generated/'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { project: ['./tsconfig.json'], tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          // The specs of a lib use libs/testing, which uses the lib.
          ignoredCircularDependencies: [['@tierline/testing', '*']],
          depConstraints: [
            { sourceTag: 'type:app', onlyDependOnLibsWithTags: ['type:lib'] },
            { sourceTag: 'type:lib', onlyDependOnLibsWithTags: ['type:lib'] },
            { sourceTag: 'type:compose', onlyDependOnLibsWithTags: ['type:app', 'type:lib'] },
            { sourceTag: 'lib:events', onlyDependOnLibsWithTags: [] },
          ],
        },
      ],
      ...restrictImports(kafka),
      ...restrictSyntax(...restrictedEverywhere),
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      // An adapter or a handler is async by its interface, whether or not it has something to wait for.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['libs/log/**', 'libs/testing/src/real-kafka.int.spec.ts', 'test/bench/bare-kafka.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': 'off' },
  },
  {
    files: ['libs/events/src/**'],
    ignores: ['**/*.spec.ts'],
    rules: restrictImports({ regex: '^(?!\\.|node:|zod$)', message: 'libs/events imports zod and nothing else.' }),
  },
  {
    files: ['libs/calendar/src/**'],
    ignores: ['**/*.spec.ts'],
    rules: restrictImports({ regex: '^(@nestjs/|typeorm|kafkajs)', message: 'libs/calendar is pure.' }),
  },
  {
    // A file name without a role is pure: it may name the types of the wiring, not use it.
    files: ['apps/*/src/**/*.ts'],
    ignores: ['**/*.{module,consumer,service,controller,entity,adapter,worker,gateway}.ts', '**/{main,config,index}.ts', '**/migrations/*.ts', '**/*.spec.ts'],
    rules: restrictImports(kafka, {
      regex: '^(@nestjs/|typeorm|pg$)',
      allowTypeImports: true,
      message: 'A file without a role in its name is pure: import types only, or give it a role (pick-agent.ts, routing.service.ts).',
    }),
  },
  {
    files: ['**/*.spec.ts'],
    rules: {
      ...restrictSyntax(...restrictedEverywhere, ...restrictedInSpecs),
      // expect(object.method) and what a JSON body holds are looked at, not used.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
  {
    files: ['**/*.mjs'],
    ...tseslint.configs.disableTypeChecked,
  },
  // Their tools ask for a default export.
  { files: ['*.config.mjs', 'tools/*-reporter.mjs', 'libs/testing/src/global-*.mjs'], rules: { 'no-restricted-syntax': 'off' } },
);
