import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { ConfigurationError, readConfiguration } from './read-configuration.ts';

const schemas = { people: z.strictObject({ teams: z.array(z.strictObject({ name: z.string() })) }), email: z.strictObject({ password: z.string().min(3) }) };

const faultsOf = (text: string): readonly string[] => {
  try {
    readConfiguration(text, schemas);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults;
  }
  return [];
};

it('reads the sections that are there, and fills in the environment', () => {
  expect(readConfiguration('email: { password: "${MAIL_PASSWORD}" }', schemas, { MAIL_PASSWORD: 'secret' })).toEqual({ email: { password: 'secret' } });
  expect(readConfiguration('', schemas)).toEqual({});
});

it('reads a value from the environment as what it is, unless it stands in quotes', () => {
  const read = (text: string): unknown => readConfiguration(text, { port: z.unknown() }, { PORT: '25' })['port'];
  expect(read('port: ${PORT}')).toBe(25);
  expect(read('port: "${PORT}"')).toBe('25');
});

it('names every fault at once', () => {
  expect(faultsOf('people: { teams: [{ nam: a }, { name: 7 }] }\nemial: {}\nemail: { password: "${NO_SUCH}" }')).toEqual([
    'the environment has no NO_SUCH',
    'people.teams.0.name: Invalid input: expected string, received undefined',
    'people.teams.0: Unrecognized key: "nam"',
    'people.teams.1.name: Invalid input: expected string, received number',
    'email.password: Too small: expected string to have >=3 characters',
    '(top): Unrecognized key: "emial"',
  ]);
});

it('says where the YAML itself is broken', () => {
  expect(faultsOf('people: [')[0]).toMatch(/line 1/);
});
