import { Body, Param, Query, type PipeTransform } from '@nestjs/common';
import type { z } from 'zod';

class ZodPipe implements PipeTransform {
  constructor(private readonly schema: z.ZodType) {}
  transform(value: unknown): unknown {
    return this.schema.parse(value ?? {});
  }
}

/** The request body, validated: `@ValidBody(schema) body: z.infer<typeof schema>`. Faults are answered with 422 and all their paths. */
export const ValidBody = (schema: z.ZodType): ParameterDecorator => Body(new ZodPipe(schema));
/** The query string, validated. */
export const ValidQuery = (schema: z.ZodType): ParameterDecorator => Query(new ZodPipe(schema));
/** A parameter of the path, validated. */
export const ValidParam = (name: string, schema: z.ZodType): ParameterDecorator => Param(name, new ZodPipe(schema));
