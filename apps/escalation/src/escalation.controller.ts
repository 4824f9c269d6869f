import { Controller, Get, Headers, HttpCode, Param, ParseUUIDPipe, Post, Put } from '@nestjs/common';
import type { Actor } from '@tierline/events';
import { EventLog } from '@tierline/log';
import { invalid, notFound, Roles, ValidBody, ValidQuery, Who, type Identity } from '@tierline/service';
import { DataSource, LessThan } from 'typeorm';
import { z } from 'zod';
import { clockIdOf } from './clock-changes.ts';
import { ClockService, type Adoption } from './clock.service.ts';
import { clockView, explanationOf, type ClockView, type Explanation } from './clock-view.ts';
import { escalationConfiguration, type EscalationConfiguration } from './configuration.ts';
import { Escalation } from './escalation.entity.ts';
import { EscalationService } from './escalation.service.ts';
import { inOrder, refold } from './fold-ticket.ts';
import { PolicyService } from './policy.service.ts';
import type { TicketClocks } from './ticket-clocks.ts';
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
const adoptBody = z.strictObject({ dryRun: z.boolean().default(true) });
const listQuery = z.strictObject({
  state: z.enum(['open', 'closed']).optional(),
  ticketId: z.uuid().optional(),
  ownerId: z.string().min(1).optional(),
  /** `next` of the page before. */
  cursor: z.uuid().optional(),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(50),
});

@Roles('agent', 'lead')
@Controller('escalation/v1')
export class EscalationController {
  constructor(
    private readonly dataSource: DataSource,
    private readonly log: EventLog,
    private readonly policies: PolicyService,
    private readonly tickets: TicketService,
    private readonly escalations: EscalationService,
    private readonly clockService: ClockService,
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

  /** Brings the open tickets under the newest policies and calendars; unless it is told to, it only says what that would change. */
  @Roles('admin')
  @Post('configuration/adopt')
  @HttpCode(200)
  async adopt(@ValidBody(adoptBody) { dryRun }: z.infer<typeof adoptBody>): Promise<Adoption & { dryRun: boolean }> {
    return { dryRun, ...(await this.clockService.adopt(dryRun)) };
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

  /** The clocks of a ticket, and how many cycles of each metric came to what before. */
  @Get('tickets/:id/clocks')
  async clocks(@Param('id', ParseUUIDPipe) ticketId: string): Promise<{ clocks: ClockView[]; tallies: TicketClocks['tallies'] }> {
    return this.log.transaction('escalation', async (tx) => {
      const ticket = await this.tickets.read(tx, ticketId);
      if (!ticket) throw notFound('ticket', ticketId);
      const now = (await tx.now()).getTime();
      const { clocks, tallies } = ticket.clocks.head;
      return { clocks: clocks.map((clock) => clockView(ticketId, clock, now, this.policies.book)), tallies };
    });
  }

  /** Why a clock is due when it is: what of its time counted, and what did not. Of any cycle, also one that is long over. */
  @Get('tickets/:id/clocks/:clockId/explain')
  async explain(@Param('id', ParseUUIDPipe) ticketId: string, @Param('clockId', ParseUUIDPipe) clockId: string): Promise<Explanation> {
    return this.log.transaction('escalation', async (tx) => {
      const ticket = await this.tickets.read(tx, ticketId);
      if (!ticket) throw notFound('ticket', ticketId);
      const { book } = this.policies;
      const facts = inOrder([...(await this.tickets.past(tx, ticketId)), ...ticket.clocks.recent]);
      const { head, over } = refold(null, facts, book);
      const clock = [...over, ...head.clocks].find((candidate) => clockIdOf(ticketId, candidate) === clockId);
      if (!clock) throw notFound('clock', clockId);
      return explanationOf(ticketId, clock, (await tx.now()).getTime(), book);
    });
  }
}

type EscalationView = Omit<Escalation, 'requestKey'>;
const viewOf = ({ requestKey: _, ...view }: Escalation): EscalationView => view;

const isStaff = ({ roles }: Identity): boolean => roles.some((role) => role === 'agent' || role === 'lead' || role === 'admin');

/** A service speaks for somebody else: the customer who pressed the button. */
const actorOf = (who: Identity): Actor => ({ kind: isStaff(who) ? 'agent' : 'client', id: who.subject });

function reasonCodeOf(who: Identity): Escalation['reasonCode'] {
  if (!isStaff(who)) return 'customer_request';
  return who.roles.some((role) => role === 'lead' || role === 'admin') ? 'manager_request' : 'agent_request';
}
