import { Controller, Get, Headers, Param, Patch, Post } from '@nestjs/common';
import { ticketPriority, ticketStatus } from '@tierline/events';
import { Roles, ValidBody, ValidQuery, Who, type Identity } from '@tierline/service';
import { z } from 'zod';
import type { Message } from './message.entity.ts';
import { TicketsService, type TicketView } from './tickets.service.ts';
import { TimelineService, type TimelineItem } from './timeline.service.ts';

const MAX_PAGE = 200;
const DEFAULT_PAGE = 50;
const MAX_TEXT_LENGTH = 200_000;
const MAX_LABELS = 50;

/** Text that can be stored: PostgreSQL takes neither NUL nor half a surrogate pair. */
const storableText = (maxLength: number): z.ZodString =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .regex(/^[^\0\p{Surrogate}]*$/u, 'holds characters that are not text');

const limit = z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE);

const listQuery = z.strictObject({
  /** One or several, with commas. */
  status: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(ticketStatus))
    .optional(),
  assignee: z.string().min(1).optional(),
  customer: z.uuid().optional(),
  /** `next` of the page before. */
  cursor: z.coerce.number().int().positive().optional(),
  limit,
});

const timelineQuery = z.strictObject({
  /** `next` of the page before. */
  cursor: z
    .string()
    .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z,\d{1,18}$/, 'is not one of ours')
    .transform((text) => ({ at: text.split(',')[0]!, seq: text.split(',')[1]! }))
    .optional(),
  limit,
});

const replyBody = z.strictObject({ text: storableText(MAX_TEXT_LENGTH), html: storableText(MAX_TEXT_LENGTH).optional(), public: z.boolean() });

const label = z.string().regex(/^[\p{L}\p{N}][\p{L}\p{N} ._:/-]{0,63}$/u, 'expected up to 64 letters, digits, spaces and . _ : / -');
const patchBody = z
  .strictObject({ status: ticketStatus.optional(), priority: ticketPriority.optional(), labels: z.array(label).max(MAX_LABELS).optional() })
  .refine((body) => Object.keys(body).length > 0, 'nothing to change');

const mergeBody = z.strictObject({ intoTicketId: z.uuid() });

/** One page of a list, and the cursor of the next if there is one. */
interface Page<T> {
  items: T[];
  next?: string;
}

@Roles('agent', 'lead')
@Controller('tickets/v1/tickets')
export class TicketsController {
  constructor(
    private readonly tickets: TicketsService,
    private readonly timelines: TimelineService,
  ) {}

  @Get()
  async list(@ValidQuery(listQuery) { cursor, limit, ...filter }: z.infer<typeof listQuery>): Promise<Page<TicketView>> {
    const items = await this.tickets.list({ ...filter, before: cursor }, limit);
    return { items, ...(items.length === limit && { next: String(items.at(-1)!.number) }) };
  }

  @Get(':id')
  async get(@Param('id') id: string): Promise<TicketView> {
    return this.tickets.get(id);
  }

  @Get(':id/timeline')
  async timeline(@Param('id') id: string, @ValidQuery(timelineQuery) { cursor, limit }: z.infer<typeof timelineQuery>): Promise<Page<TimelineItem>> {
    const ticket = await this.tickets.get(id);
    const items = await this.timelines.read(ticket.id, cursor, limit);
    const last = items.at(-1);
    return { items, ...(last && items.length === limit && { next: `${last.at},${last.seq}` }) };
  }

  @Get(':id/messages/:messageId')
  async message(@Param('id') id: string, @Param('messageId') messageId: string): Promise<Message> {
    return this.tickets.message(id, messageId);
  }

  @Post(':id/replies')
  async reply(
    @Param('id') id: string,
    @ValidBody(replyBody) body: z.infer<typeof replyBody>,
    @Who() { subject }: Identity,
    @Headers('idempotency-key') key?: string,
  ): Promise<{ messageId: string }> {
    return this.tickets.reply(id, body, { subject, key });
  }

  @Patch(':id')
  async patch(@Param('id') id: string, @ValidBody(patchBody) body: z.infer<typeof patchBody>, @Who() { subject }: Identity): Promise<TicketView> {
    return this.tickets.patch(id, body, subject);
  }

  @Post(':id/merge')
  async merge(
    @Param('id') id: string,
    @ValidBody(mergeBody) { intoTicketId }: z.infer<typeof mergeBody>,
    @Who() { subject }: Identity,
    @Headers('idempotency-key') key?: string,
  ): Promise<{ ticketId: string; intoTicketId: string }> {
    return this.tickets.merge(id, intoTicketId, { subject, key });
  }
}
