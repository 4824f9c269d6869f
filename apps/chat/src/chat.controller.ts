import { Controller, Get, Header, HttpCode, Param, ParseUUIDPipe, Post, Put, Req, Res } from '@nestjs/common';
import { Accounts, readBody } from '@tierline/channel';
import { DomainError, Public, Roles, ValidBody, ValidQuery } from '@tierline/service';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { ChatService } from './chat.service.ts';
import { chatConfiguration, type ChatConfiguration, type ChatSite } from './configuration.ts';
import { shown, sinceNumber, visitorMessage, type AckFrame, type ShownMessage, type VisitorMessage } from './frames.ts';
import { MessagesService } from './messages.service.ts';
import type { Visitor } from './visitor.ts';

const MAX_UPLOAD_BYTES = 10 * 1024 * 1024;
const MAX_MESSAGES = 100;

const beginning = z.object({ site: z.string(), name: z.string().trim().min(1).max(100).optional(), email: z.email().max(254).optional() });
const sinceQuery = z.object({ since: z.coerce.number().pipe(sinceNumber).default(0) });
/** Without folders, and without what no file name has. */
const filenameQuery = z.object({ filename: z.string().transform((name) => name.replace(/^.*[/\\]|[\x00-\x1f\x7f]/g, '').slice(0, 255) || 'file') });

/** The doors of the chat over HTTP. Visitors show the token of their session. */
@Controller('chat/v1')
export class ChatController {
  constructor(
    private readonly chat: ChatService,
    private readonly messages: MessagesService,
    private readonly accounts: Accounts<ChatSite>,
  ) {}

  @Public()
  @Post('sessions')
  begin(
    @ValidBody(beginning) claims: z.infer<typeof beginning>,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): ReturnType<ChatService['begin']> {
    if (!this.chat.isAllowed(request.headers.origin ?? '', claims.site)) throw forbidden();
    mayGoOn(this.chat.waitForSessionMs(request.ip ?? ''), response);
    return this.chat.begin(claims);
  }

  @Public()
  @Post('messages')
  @HttpCode(200)
  async receive(
    @ValidBody(visitorMessage) message: VisitorMessage,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<AckFrame> {
    const [answer] = await this.chat.receive(this.visitor(request, response), [message]);
    if (!('error' in answer!)) return answer!;
    throw new DomainError(422, answer.error.code, answer.error.detail);
  }

  @Public()
  @Get('messages')
  @Header('Cache-Control', 'no-store')
  async read(
    @ValidQuery(sinceQuery) query: z.infer<typeof sinceQuery>,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<{ since: number; messages: ShownMessage[] }> {
    const { conversation } = this.visitor(request, response);
    const since = await this.messages.resume(conversation, query.since);
    const [found] = await this.messages.after([{ conversation, after: since }], MAX_MESSAGES);
    return { since, messages: found!.map(shown) };
  }

  @Public()
  @Post('uploads')
  async upload(
    @ValidQuery(filenameQuery) { filename }: z.infer<typeof filenameQuery>,
    @Req() request: Request & { rawBody?: Buffer },
    @Res({ passthrough: true }) response: Response,
  ): ReturnType<ChatService['upload']> {
    const visitor = this.visitor(request, response);
    const bytes = request.rawBody ?? (await readBody(request, MAX_UPLOAD_BYTES));
    return this.chat.upload(visitor, bytes, filename, request.headers['content-type'] ?? 'application/octet-stream');
  }

  /** Whatever the file is, no browser shows it as a page of ours. */
  @Public()
  @Get('messages/:message/attachments/:attachment')
  @Header('Cache-Control', 'private, no-store')
  async file(
    @Param('message', ParseUUIDPipe) message: string,
    @Param('attachment') attachment: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { filename, bytes } = await this.chat.file(this.visitor(request, response), message, attachment);
    response.attachment(filename).type('application/octet-stream').send(bytes);
  }

  @Roles('admin')
  @Get('configuration')
  configuration(): ChatConfiguration {
    return { sites: [...this.accounts.all()].map(([ref, site]) => ({ ref, ...site })) };
  }

  @Roles('admin')
  @Put('configuration')
  async configure(@ValidBody(chatConfiguration) { sites }: ChatConfiguration): Promise<{ changed: number }> {
    return this.accounts.apply(Object.fromEntries(sites.map(({ ref, ...site }) => [ref, site])));
  }

  /** Who asks. A page must be one of the site's; who is no page says no origin. */
  private visitor(request: Request, response: Response): Visitor {
    const visitor = this.chat.visitorOf(/^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '');
    const { origin } = request.headers;
    if (origin !== undefined && !this.chat.isAllowed(origin, visitor.site)) throw forbidden();
    mayGoOn(this.chat.waitForFrameMs(visitor.session), response);
    return visitor;
  }
}

function forbidden(): DomainError {
  return new DomainError(403, 'origin.forbidden', 'pages of this origin may not chat with this site');
}

function mayGoOn(waitMs: number, response: Response): void {
  if (waitMs === 0) return;
  response.setHeader('Retry-After', Math.ceil(waitMs / 1_000));
  throw new DomainError(429, 'rate.limited', 'too many requests; wait and try again');
}
