import { chatConfiguration, chatService } from '@tierline/chat';
import { emailConfiguration, emailService } from '@tierline/email';
import { escalationConfiguration, escalationService } from '@tierline/escalation';
import { notifyConfiguration, notifyService } from '@tierline/notify';
import { peopleConfiguration, peopleService } from '@tierline/people';
import { phoneConfiguration, phoneService } from '@tierline/phone';
import { portalConfiguration, portalService } from '@tierline/portal';
import { routingConfiguration, routingService } from '@tierline/routing';
import type { ServiceDefinition } from '@tierline/service';
import { socialConfiguration, socialService } from '@tierline/social';
import { ticketsConfiguration, ticketsService } from '@tierline/tickets';
import type { z } from 'zod';

/** Every service, and the schema of its section of tierline.yaml, in the order in which sections are applied: who is named comes before who names. */
export const sections: readonly { service: ServiceDefinition; configuration: z.ZodType }[] = [
  { service: peopleService, configuration: peopleConfiguration },
  { service: ticketsService, configuration: ticketsConfiguration },
  { service: routingService, configuration: routingConfiguration },
  { service: escalationService, configuration: escalationConfiguration },
  { service: notifyService, configuration: notifyConfiguration },
  { service: emailService, configuration: emailConfiguration },
  { service: chatService, configuration: chatConfiguration },
  { service: phoneService, configuration: phoneConfiguration },
  { service: socialService, configuration: socialConfiguration },
  { service: portalService, configuration: portalConfiguration },
];

export const allServices: readonly ServiceDefinition[] = sections.map(({ service }) => service);
