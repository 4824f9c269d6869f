import { parse, parseDocument, visit, type Document } from 'yaml';
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
 * `${NAME}` in a value is replaced from `env`, so that secrets need not stand in the file; a value in quotes stays text.
 * Throws ConfigurationError with every fault at once.
 */
export function readConfiguration(text: string, schemas: Readonly<Record<string, z.ZodType>>, env: NodeJS.ProcessEnv = {}): Record<string, unknown> {
  const document = parseDocument(text, { prettyErrors: true });
  if (document.errors.length > 0) throw new ConfigurationError(document.errors.map((error) => error.message.split('\n')[0]!));
  const faults = fillIn(document, env);
  const written = (document.toJS() ?? {}) as Record<string, unknown>;
  const sections = Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, schema.optional()]));
  const result = z.strictObject(sections).safeParse(written);
  if (!result.success) faults.push(...result.error.issues.map((issue) => `${issue.path.join('.') || '(top)'}: ${issue.message}`));
  if (faults.length > 0) throw new ConfigurationError(faults);
  return written;
}

/** Puts the environment's values into the document. Returns a fault for each name that the environment lacks. */
function fillIn(document: Document, env: NodeJS.ProcessEnv): string[] {
  const missing = new Set<string>();
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value !== 'string' || !node.value.includes('${')) return;
      const filled = node.value.replace(/\$\{(\w+)\}/g, (_place, name: string) => {
        if (env[name] === undefined) missing.add(name);
        return env[name] ?? '';
      });
      const asPlain: unknown = node.type === 'PLAIN' ? parse(filled) : filled;
      node.value = typeof asPlain === 'object' ? filled : asPlain;
    },
  });
  return [...missing].map((name) => `the environment has no ${name}`);
}
