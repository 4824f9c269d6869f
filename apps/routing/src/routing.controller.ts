import { Controller, Get, Param, ParseUUIDPipe, Put } from '@nestjs/common';
import type { Presence } from '@tierline/events';
import { Roles, ValidBody } from '@tierline/service';
import { DataSource } from 'typeorm';
import { routingConfiguration, type RoutingConfiguration } from './configuration.ts';
import { OfferEntity } from './offer.entity.ts';
import { TriageService } from './triage.service.ts';

/** A queue as shown over HTTP. */
interface QueueView {
  queue: string;
  pool: string;
  waiting: number;
  /** How long the ticket that came first has waited; 0 when none waits. */
  longestWaitMs: number;
  offered: number;
  assigned: number;
}

/** An agent's load as shown over HTTP. */
interface LoadView {
  agentId: string;
  pool: string;
  presence: Presence;
  /** False after a missed offer, until the agent comes back. */
  responding: boolean;
  capacity: number;
  used: number;
  assigned: number;
  offered: number;
}

@Controller('routing/v1')
export class RoutingController {
  constructor(
    private readonly triage: TriageService,
    private readonly database: DataSource,
  ) {}

  @Put('configuration')
  @Roles('admin')
  async configure(@ValidBody(routingConfiguration) section: RoutingConfiguration): Promise<{ changed: number }> {
    return { changed: Number(await this.triage.configure(section)) };
  }

  /** Every queue that is configured or still holds a ticket. */
  @Get('queues')
  @Roles('agent', 'lead', 'service')
  async queues(): Promise<{ queues: QueueView[] }> {
    return { queues: await this.database.query<QueueView[]>(QUEUES) };
  }

  @Get('agents')
  @Roles('agent', 'lead', 'service')
  async agents(): Promise<{ agents: LoadView[] }> {
    return { agents: await this.database.query<LoadView[]>(AGENTS) };
  }

  /** Every offer of the ticket, and why it went to whom it went. */
  @Get('tickets/:id/decisions')
  @Roles('agent', 'lead', 'service')
  async decisions(@Param('id', ParseUUIDPipe) ticketId: string): Promise<{ decisions: OfferEntity[] }> {
    return { decisions: await this.database.manager.find(OfferEntity, { where: { ticketId }, order: { offeredAt: 'ASC', offerId: 'ASC' } }) };
  }
}

const QUEUES = `
WITH configured AS (
  SELECT q->>'name' AS queue, q->>'pool' AS pool
  FROM jsonb_array_elements((SELECT section->'queues' FROM routing.configuration ORDER BY version DESC LIMIT 1)) AS q),
held AS (
  SELECT queue, pool, count(*) FILTER (WHERE agent_id IS NULL)::int AS waiting, min(enqueued_ms) FILTER (WHERE agent_id IS NULL) AS oldest_ms,
    count(*) FILTER (WHERE is_offered)::int AS offered, count(*) FILTER (WHERE agent_id IS NOT NULL AND NOT is_offered)::int AS assigned
  FROM routing.work GROUP BY queue, pool)
SELECT queue, pool, coalesce(waiting, 0) AS waiting, greatest(0, coalesce(round(extract(epoch FROM now()) * 1000) - oldest_ms, 0))::float8 AS "longestWaitMs",
  coalesce(offered, 0) AS offered, coalesce(assigned, 0) AS assigned
FROM configured FULL JOIN held USING (queue, pool) ORDER BY queue, pool`;

const AGENTS = `
SELECT a.agent_id AS "agentId", a.pool, a.state->>'presence' AS presence, (a.state->'responding')::boolean AS responding, (a.state->'profile'->'capacity')::float8 AS capacity,
  coalesce(sum((w.state->'weight')::float8) FILTER (WHERE NOT w.is_offered), 0)::float8 AS used,
  count(*) FILTER (WHERE NOT w.is_offered)::int AS assigned, count(*) FILTER (WHERE w.is_offered)::int AS offered
FROM routing.agent a LEFT JOIN routing.work w ON w.agent_id = a.agent_id AND w.pool = a.pool
GROUP BY a.pool, a.agent_id ORDER BY a.agent_id, a.pool`;
