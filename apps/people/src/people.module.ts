import { Module } from '@nestjs/common';
import type { ServiceDefinition } from '@tierline/service';
import { AgentEntity, PresenceEntity } from './agent.entity.ts';
import { CreatePeople1763769700100 } from './migrations/create-people.ts';
import { PeopleConsumer } from './people.consumer.ts';
import { PeopleController } from './people.controller.ts';
import { PeopleService } from './people.service.ts';
import { TeamEntity } from './team.entity.ts';
import { TokenController } from './token.controller.ts';

@Module({ controllers: [PeopleController, TokenController, PeopleConsumer], providers: [PeopleService] })
export class PeopleModule {}

/** Agents, teams, skills, managers, presence and tokens. */
export const peopleService: ServiceDefinition = {
  name: 'people',
  module: PeopleModule,
  entities: [AgentEntity, PresenceEntity, TeamEntity],
  migrations: [CreatePeople1763769700100],
};

export { peopleConfiguration } from './configuration.ts';
