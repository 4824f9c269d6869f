import { Controller, Get, Headers, HttpCode, Param, ParseUUIDPipe, Post, Put } from '@nestjs/common';
import type { Actor } from '@tierline/events';
import { EventLog } from '@tierline/log';
import { invalid, notFound, Roles, ValidBody, ValidQuery, Who, type Identity } from '@tierline/service';
import { DataSource, LessThan } from 'typeorm';
import { z } from 'zod';
import { elapsedMs, dueAt, stateOf, targetMsOf, type ClockState } from './clock.ts';
import { escalationConfiguration, type EscalationConfiguration } from './configuration.ts';
import { Escalation } from './escalation.entity.ts';
import { EscalationService } from './escalation.service.ts';
import { PolicyService } from './policy.service.ts';
import { TicketService } from './ticket.service.ts';

const MAX_PAGE = 200;
const MAX_KEY_LENGTH = 255;

/** Text that can be stored: PostgreSQL takes neither NUL nor half a surrogate pair. */
const reason = z
  .string()
  .trim()
  .min(1)
  .max(2_000)
  .regex(/^[^\0\p{Surrogate}]*$/u, 'holds characters that are not text');

const raiseBody = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('functional'), toTier: z.int().min(1).optional(), team: z.string().min(1).optional(), reason }),
  z.strictObject({ kind: z.literal('hierarchical'), reason }),
]);
const closeBody = z.strictObject({ outcome: z.enum(['resolved', 'cancelled']).default('resolved') });
const listQuery = z.strictObject({
  state: z.enum(['open', 'closed']).optional(),
  ticketId: z.uuid().optional(),
  ownerId: z.string().min(1).optional(),
  /** `next` of the page before. */
  cursor: z.uuid().optional(),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(50),
});

/** A clock as it stands at this moment. */
interface ClockView {
  clockId: string;
  metric: string;
  policy: string;
  policyVersion: number;
  state: ClockState;
  targetMs: number;
  elapsedMs: number;
  startedAt: Date;
  dueAt: Date | null;
  stoppedAt: Date | null;
  breachedAt: Date | null;
  pauses: { from: Date; to: Date | null }[];
}

@Roles('agent', 'lead')
@Controller('escalation/v1')
export class EscalationController {
  constructor(
    private readonly dataSource: DataSource,
    private readonly log: EventLog,
    private readonly policies: PolicyService,
    private readonly tickets: TicketService,
    private readonly escalations: EscalationService,
  ) {}

  @Roles('admin')
  @Put('configuration')
  async configure(@ValidBody(escalationConfiguration) body: EscalationConfiguration): Promise<{ changed: number }> {
    return { changed: await this.policies.apply(body) };
  }

  @Roles('agent', 'lead', 'service')
  @Post('tickets/:id/escalations')
  async raise(
    @Param('id', ParseUUIDPipe) ticketId: string,
    @ValidBody(raiseBody) body: z.infer<typeof raiseBody>,
    @Who() who: Identity,
    @Headers('idempotency-key') key?: string,
  ): Promise<EscalationView> {
    if (key !== undefined && (key === '' || key.length > MAX_KEY_LENGTH)) {
      throw invalid('idempotency.key', `an Idempotency-Key has 1 to ${MAX_KEY_LENGTH} characters`);
    }
    return viewOf(await this.escalations.raise(ticketId, body, actorOf(who), reasonCodeOf(who), key));
  }

  @Post('escalations/:id/close')
  @HttpCode(200)
  async close(
    @Param('id', ParseUUIDPipe) escalationId: string,
    @ValidBody(closeBody) body: z.infer<typeof closeBody>,
    @Who() who: Identity,
  ): Promise<EscalationView> {
    return viewOf(await this.escalations.close(escalationId, body.outcome, actorOf(who)));
  }

  /** Escalations, the newest first. */
  @Get('escalations')
  async list(@ValidQuery(listQuery) { cursor, limit, ...filter }: z.infer<typeof listQuery>): Promise<{ items: EscalationView[]; next?: string }> {
    const items = await this.dataSource
      .getRepository(Escalation)
      .find({ where: { ...filter, ...(cursor !== undefined && { escalationId: LessThan(cursor) }) }, order: { escalationId: 'DESC' }, take: limit });
    return { items: items.map(viewOf), ...(items.length === limit && { next: items.at(-1)!.escalationId }) };
  }

  @Get('escalations/:id')
  async get(@Param('id', ParseUUIDPipe) escalationId: string): Promise<EscalationView> {
    const escalation = await this.dataSource.getRepository(Escalation).findOneBy({ escalationId });
    if (!escalation) throw notFound('escalation', escalationId);
    return viewOf(escalation);
  }

  @Get('tickets/:id/clocks')
  async clocks(@Param('id', ParseUUIDPipe) ticketId: string): Promise<{ clocks: ClockView[] }> {
    return this.log.transaction('escalation', async (tx) => {
      const ticket = await this.tickets.read(tx, ticketId);
      if (!ticket) throw notFound('ticket', ticketId);
      const now = (await tx.now()).getTime();
      return {
        clocks: ticket.clocks.map((clock) => ({
          clockId: clock.clockId,
          metric: clock.metric,
          policy: clock.policy.name,
          policyVersion: clock.policy.version,
          state: stateOf(clock),
          targetMs: targetMsOf(clock),
          elapsedMs: elapsedMs(clock, now),
          startedAt: new Date(clock.startedAt),
          dueAt: dateOf(dueAt(clock) ?? null),
          stoppedAt: dateOf(clock.stoppedAt),
          breachedAt: dateOf(clock.breachedAt),
          pauses: clock.pauses.map(({ from, to }) => ({ from: new Date(from), to: dateOf(to) })),
        })),
      };
    });
  }
}

type EscalationView = Omit<Escalation, 'requestKey'>;
const viewOf = ({ requestKey: _, ...view }: Escalation): EscalationView => view;

const dateOf = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));

const isStaff = ({ roles }: Identity): boolean => roles.some((role) => role === 'agent' || role === 'lead' || role === 'admin');

/** A service speaks for somebody else: the customer who pressed the button. */
const actorOf = (who: Identity): Actor => ({ kind: isStaff(who) ? 'agent' : 'client', id: who.subject });

function reasonCodeOf(who: Identity): Escalation['reasonCode'] {
  if (!isStaff(who)) return 'customer_request';
  return who.roles.some((role) => role === 'lead' || role === 'admin') ? 'manager_request' : 'agent_request';
}
