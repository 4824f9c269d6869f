import { Controller, Get, Param, Put } from '@nestjs/common';
import { presence, type AgentProfile, type Presence, type Role } from '@tierline/events';
import { DomainError, notFound, Roles, ValidBody, Who, type Identity } from '@tierline/service';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { AgentEntity } from './agent.entity.ts';
import { peopleConfiguration, type PeopleConfiguration } from './configuration.ts';
import { PeopleService } from './people.service.ts';
import { TeamEntity } from './team.entity.ts';

/** A browser that closes without a word keeps its agent here this long. */
const DEFAULT_LEASE_SECONDS = 60;

const presenceBody = z.strictObject({
  /** Absent: only a heartbeat. */
  presence: presence.optional(),
  leaseSeconds: z.int().min(1).max(3_600).default(DEFAULT_LEASE_SECONDS),
});

/** An agent as shown over HTTP. */
interface AgentView extends AgentProfile {
  roles: Role[];
  presence: Presence;
  leaseUntil: Date | null;
}

@Controller('people/v1')
export class PeopleController {
  constructor(
    private readonly people: PeopleService,
    private readonly database: DataSource,
  ) {}

  @Put('configuration')
  @Roles('admin')
  async configure(@ValidBody(peopleConfiguration) section: PeopleConfiguration): Promise<{ changed: number }> {
    return { changed: await this.people.configure(section) };
  }

  @Get('agents')
  @Roles('agent', 'lead', 'service')
  async agents(): Promise<{ agents: AgentView[] }> {
    const agents = await this.database.manager.find(AgentEntity, { relations: { presence: true }, order: { agentId: 'ASC' } });
    return { agents: agents.map(agentView) };
  }

  @Get('agents/:id')
  @Roles('agent', 'lead', 'service')
  async agent(@Param('id') id: string): Promise<AgentView> {
    const agent = await this.database.manager.findOne(AgentEntity, { where: { agentId: id }, relations: { presence: true } });
    if (!agent) throw notFound('agent', id);
    return agentView(agent);
  }

  @Get('teams')
  @Roles('agent', 'lead', 'service')
  async teams(): Promise<{ teams: TeamEntity[] }> {
    return { teams: await this.database.manager.find(TeamEntity, { order: { name: 'ASC' } }) };
  }

  @Get('skills')
  @Roles('agent', 'lead', 'service')
  async skills(): Promise<{ skills: string[] }> {
    const rows = await this.database.query<{ name: string }[]>('SELECT name FROM people.skill ORDER BY name');
    return { skills: rows.map(({ name }) => name) };
  }

  @Put('agents/:id/presence')
  @Roles('agent', 'lead')
  async setPresence(
    @Param('id') id: string,
    @ValidBody(presenceBody) body: z.infer<typeof presenceBody>,
    @Who() who: Identity,
  ): Promise<{ agentId: string; presence: Presence; leaseUntil: Date | null }> {
    if (who.subject !== id && !who.roles.some((role) => role === 'lead' || role === 'admin')) {
      throw new DomainError(403, 'access.forbidden', 'only the agent, a lead or an administrator may say whether an agent is here');
    }
    return { agentId: id, ...(await this.people.setPresence(id, body.presence, body.leaseSeconds * 1_000)) };
  }
}

const agentView = ({ profile, roles, presence }: AgentEntity): AgentView => ({
  ...profile,
  roles,
  presence: presence.presence,
  leaseUntil: presence.leaseUntil,
});
