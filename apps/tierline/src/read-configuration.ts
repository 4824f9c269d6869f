import { parseDocument } from 'yaml';
import { z } from 'zod';

/** The file cannot be used; `faults` names every fault, each with its place. */
export class ConfigurationError extends Error {
  readonly code = 'configuration.invalid';
  constructor(readonly faults: readonly string[]) {
    super(`the configuration has ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  }
}

/**
 * Reads tierline.yaml: checks every section against its schema and returns the sections as written.
 * `${NAME}` in a value is replaced from `env`, so that secrets need not stand in the file. Throws ConfigurationError with every fault at once.
 */
export function readConfiguration(text: string, schemas: Readonly<Record<string, z.ZodType>>, env: NodeJS.ProcessEnv = {}): Record<string, unknown> {
  const document = parseDocument(text, { prettyErrors: true });
  if (document.errors.length > 0) throw new ConfigurationError(document.errors.map((error) => error.message.split('\n')[0]!));
  const faults: string[] = [];
  const written = fillIn(document.toJS() ?? {}, env, '', faults);
  const result = z.strictObject(Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, schema.optional()]))).safeParse(written);
  if (!result.success) faults.push(...result.error.issues.map((issue) => `${issue.path.join('.') || '(top)'}: ${issue.message}`));
  if (faults.length > 0) throw new ConfigurationError(faults);
  return written as Record<string, unknown>;
}

function fillIn(node: unknown, env: NodeJS.ProcessEnv, path: string, faults: string[]): unknown {
  if (typeof node === 'string') {
    return node.replace(/\$\{(\w+)\}/g, (_, name: string) => {
      const value = env[name];
      if (value === undefined) faults.push(`${path}: the environment has no ${name}`);
      return value ?? '';
    });
  }
  if (Array.isArray(node)) return node.map((item, index) => fillIn(item, env, `${path}.${index}`, faults));
  if (node === null || typeof node !== 'object') return node;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, fillIn(value, env, path === '' ? key : `${path}.${key}`, faults)]));
}
