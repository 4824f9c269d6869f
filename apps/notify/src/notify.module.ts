import { Module } from '@nestjs/common';
import type { ServiceDefinition } from '@tierline/service';
import { CreateNotify } from './migrations/create-notify.ts';
import { Notice } from './notice.entity.ts';
import { NotifyConsumer } from './notify.consumer.ts';
import { NotifyController } from './notify.controller.ts';
import { NotifyService } from './notify.service.ts';

export { notifyConfiguration } from './configuration.ts';

@Module({ controllers: [NotifyConsumer, NotifyController], providers: [NotifyService] })
export class NotifyModule {}

/** Who is told what, and when. */
export const notifyService: ServiceDefinition = { name: 'notify', module: NotifyModule, entities: [Notice], migrations: [CreateNotify] };
