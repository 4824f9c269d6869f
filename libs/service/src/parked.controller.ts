import { Controller, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import {
  EventLogServer,
  NotReplayableError,
  NotWaitingError,
  ParkedEvents,
  UndecodableEventError,
  UnknownEventError,
  UnknownGroupError,
  type ParkedEvent,
} from '@tierline/log';
import { z } from 'zod';
import { Roles, Who, type Identity } from './access.guard.ts';
import { conflict, DomainError, invalid } from './errors.ts';
import { ValidBody, ValidParam, ValidQuery } from './validated.ts';

/** A bigint, as text. */
const eventId = z.string().regex(/^\d{1,18}$/, 'expected the id of a parked event');

const filter = z.object({
  group: z.string().optional(),
  state: z.enum(['parked', 'waiting']).optional(),
  errorCode: z.string().optional(),
  type: z.string().optional(),
  after: eventId.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

const replacement = z.object({ event: z.record(z.string(), z.unknown()) });
const replay = z.object({ after: z.int().nonnegative().default(0) });

/** What an operator sees and does about events that this process could not handle. */
@Controller('log/v1')
@Roles('admin')
export class ParkedController {
  constructor(
    private readonly events: ParkedEvents,
    private readonly server: EventLogServer,
  ) {}

  @Get('parked')
  async list(@ValidQuery(filter) query: z.infer<typeof filter>): Promise<{ events: ParkedEvent[] }> {
    return { events: await this.events.list(query) };
  }

  @Get('parked/:id')
  async show(@ValidParam('id', eventId) id: string): Promise<ParkedEvent & { payload: string }> {
    return asProblem(this.events.show(id));
  }

  @Post('parked/:id/retry')
  @HttpCode(204)
  async retry(@ValidParam('id', eventId) id: string, @Who() { subject }: Identity): Promise<void> {
    await asProblem(this.events.retry(id, subject));
  }

  @Post('parked/:id/skip')
  @HttpCode(204)
  async skip(@ValidParam('id', eventId) id: string, @Who() { subject }: Identity): Promise<void> {
    await asProblem(this.events.skip(id, subject));
  }

  /** Puts another event in its place and has that tried at once. */
  @Put('parked/:id')
  @HttpCode(204)
  async edit(
    @ValidParam('id', eventId) id: string,
    @ValidBody(replacement) { event }: z.infer<typeof replacement>,
    @Who() { subject }: Identity,
  ): Promise<void> {
    await asProblem(this.events.edit(id, event, subject));
  }

  /** Has a group handle everything again: from the beginning, or after a position. */
  @Post('groups/:group/replay')
  @HttpCode(204)
  async replay(@Param('group') group: string, @ValidBody(replay) { after }: z.infer<typeof replay>, @Who() { subject }: Identity): Promise<void> {
    await asProblem(this.server.replay(group, after, subject));
  }
}

/** The log's own errors, as HTTP says them. */
async function asProblem<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof NotWaitingError || error instanceof UnknownGroupError) throw new DomainError(404, error.code, error.message);
    if (error instanceof NotReplayableError) throw conflict(error.code, error.message);
    if (error instanceof UndecodableEventError || error instanceof UnknownEventError) throw invalid(error.code, error.message);
    throw error;
  }
}
