import { z } from 'zod';
import { topics, type EventDefinition } from './event.ts';
import { allEvents } from './registry.ts';

/** A JSON Schema (draft 2020-12) as plain data. */
export type JsonSchema = { [keyword: string]: unknown };

/** The name under which an event's contract is published: `ticket.opened.v1`. */
export const contractName = (definition: EventDefinition): string => `${definition.type}.v${definition.version}`;

/** The schema of an event's data as a reader must accept it: objects are open, fields with defaults are optional. `pii: true` marks personal data. */
export function dataSchema(definition: EventDefinition): JsonSchema {
  return {
    $id: `urn:tierline:${contractName(definition)}`,
    title: contractName(definition),
    ...(z.toJSONSchema(definition.schema, { io: 'input' }) as JsonSchema),
  };
}

/** The whole line as an AsyncAPI 3.0 document: topics are channels, events are messages, CloudEvents in structured JSON on the wire. */
export function asyncApi(version: string, partitions: number): JsonSchema {
  const messages = Object.fromEntries(
    allEvents.map((definition) => [
      contractName(definition),
      {
        name: definition.type,
        contentType: 'application/cloudevents+json',
        payload: {
          type: 'object',
          required: ['specversion', 'id', 'type', 'dataversion', 'source', 'subject', 'time', 'data'],
          properties: {
            specversion: { const: '1.0' },
            id: { type: 'string', description: 'unique; a consumer may see an event again, never with another id' },
            type: { const: definition.type },
            dataversion: { const: definition.version },
            source: { type: 'string', description: 'the service that appended it' },
            subject: { type: 'string', description: 'the key: events of one subject come in order' },
            time: { type: 'string', format: 'date-time' },
            causationid: { type: 'string' },
            traceparent: { type: 'string' },
            logsource: { type: 'string', description: 'the writer whose dense positions logpos counts' },
            logpos: { type: 'integer' },
            data: { $ref: `#/components/schemas/${contractName(definition)}` },
          },
        },
      },
    ]),
  );
  return {
    asyncapi: '3.0.0',
    info: { title: 'Tierline', version, description: 'Every event between a customer contact and its resolution.', license: { name: 'MIT' } },
    defaultContentType: 'application/cloudevents+json',
    channels: Object.fromEntries(
      topics.map((topic) => {
        const inTopic = allEvents.filter((definition) => definition.topic === topic);
        return [
          topic,
          {
            address: topic,
            messages: Object.fromEntries(
              inTopic.map((definition) => [contractName(definition), { $ref: `#/components/messages/${contractName(definition)}` }]),
            ),
            bindings: { kafka: { topic, partitions, bindingVersion: '0.5.0' } },
          },
        ];
      }),
    ),
    operations: Object.fromEntries(topics.map((topic) => [`${topic}Events`, { action: 'send', channel: { $ref: `#/channels/${topic}` } }])),
    components: { messages, schemas: Object.fromEntries(allEvents.map((definition) => [contractName(definition), inline(dataSchema(definition))])) },
  };
}

/** A schema that can stand inside another document: its own `$defs` references are made absolute to its `$id`, which AsyncAPI tools resolve badly, so they are put in place. */
function inline(schema: JsonSchema): JsonSchema {
  const definitions = (schema['$defs'] ?? {}) as Record<string, JsonSchema>;
  const resolve = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(resolve);
    if (node === null || typeof node !== 'object') return node;
    const reference = (node as JsonSchema)['$ref'];
    if (typeof reference === 'string' && reference.startsWith('#/$defs/')) return resolve(definitions[reference.slice('#/$defs/'.length)]);
    return Object.fromEntries(
      Object.entries(node).flatMap(([key, value]) => (['$defs', '$schema', '$id', 'id'].includes(key) && !isPropertyMap(node) ? [] : [[key, resolve(value)]])),
    );
  };
  return resolve(schema) as JsonSchema;
}

/** Whether the node maps property names to schemas: there `id` is a property, not a keyword. */
function isPropertyMap(node: object): boolean {
  return Object.values(node).every((value) => typeof value === 'object');
}

/**
 * A value that fits the schema: with every property (`full`) or with the required ones only. Deterministic, so that it can be committed and
 * parsed by every later release.
 */
export function sampleOf(schema: JsonSchema, full: boolean, root: JsonSchema = schema): unknown {
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    const target = (root['$defs'] as Record<string, JsonSchema>)[reference.slice('#/$defs/'.length)]!;
    return sampleOf(target, full, root);
  }
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return (schema['enum'] as unknown[])[0];
  for (const union of ['anyOf', 'oneOf']) if (Array.isArray(schema[union])) return sampleOf((schema[union] as JsonSchema[])[0]!, full, root);
  const type = Array.isArray(schema['type']) ? (schema['type'] as unknown[])[0] : schema['type'];
  switch (type) {
    case 'object': {
      const properties = (schema['properties'] ?? {}) as Record<string, JsonSchema>;
      const required = new Set((schema['required'] ?? []) as string[]);
      return Object.fromEntries(
        Object.entries(properties).flatMap(([name, value]) => (full || required.has(name) ? [[name, sampleOf(value, full, root)]] : [])),
      );
    }
    case 'array':
      return full && schema['items'] ? [sampleOf(schema['items'] as JsonSchema, full, root)] : [];
    case 'integer':
    case 'number':
      return Math.max(1, Number(schema['minimum'] ?? 1));
    case 'boolean':
      return true;
    case 'string':
      return sampleString(schema);
    default:
      return {};
  }
}

function sampleString(schema: JsonSchema): string {
  if (schema['format'] === 'uuid') return '019aa000-0000-7000-8000-000000000001';
  if (schema['format'] === 'date-time') return '2026-11-22T09:00:00.000Z';
  const pattern = schema['pattern'];
  if (typeof pattern === 'string' && pattern.includes('{64}')) return 'a'.repeat(64);
  return 'sample';
}
