import { Controller, Get, HttpCode, Param, ParseUUIDPipe, Post, Put } from '@nestjs/common';
import { DomainError, Roles, ValidBody, ValidQuery, Who, type Identity } from '@tierline/service';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { notifyConfiguration, type NotifyConfiguration } from './configuration.ts';
import { Notice } from './notice.entity.ts';
import { NotifyService } from './notify.service.ts';

const listQuery = z.strictObject({ agent: z.string().optional(), limit: z.coerce.number().int().min(1).max(200).default(50) });

@Controller('notify/v1')
export class NotifyController {
  constructor(
    private readonly dataSource: DataSource,
    private readonly notify: NotifyService,
  ) {}

  @Roles('admin')
  @Put('configuration')
  async configure(@ValidBody(notifyConfiguration) body: NotifyConfiguration): Promise<{ changed: number }> {
    return { changed: await this.notify.configure(body) };
  }

  /** Notices, the newest first: one's own, or anybody's for leads. */
  @Roles('agent', 'lead')
  @Get('notices')
  async list(@ValidQuery(listQuery) query: z.infer<typeof listQuery>, @Who() who: Identity): Promise<{ notices: Notice[] }> {
    const toAgentId = query.agent ?? who.subject;
    if (toAgentId !== who.subject && !isLead(who)) throw new DomainError(403, 'access.forbidden', 'only leads see the notices of others');
    const notices = await this.dataSource.getRepository(Notice).find({ where: { toAgentId }, order: { sentAt: 'DESC', noticeId: 'DESC' }, take: query.limit });
    return { notices };
  }

  /** Marks a notice of one's own as read; the first time counts. */
  @Roles('agent', 'lead')
  @Post('notices/:id/read')
  @HttpCode(200)
  async read(@Param('id', ParseUUIDPipe) noticeId: string, @Who() who: Identity): Promise<{ readAt: Date }> {
    return { readAt: await this.notify.read(noticeId, who.subject) };
  }
}

const isLead = ({ roles }: Identity): boolean => roles.includes('lead') || roles.includes('admin');
