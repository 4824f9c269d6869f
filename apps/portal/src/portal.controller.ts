import { Controller, Get, Headers, Param, ParseUUIDPipe, Post, Put, Req, Res } from '@nestjs/common';
import { Accounts, readBody } from '@tierline/channel';
import { DomainError, Roles, ValidBody, Who, type Identity } from '@tierline/service';
import type { Request, Response } from 'express';
import { portalConfiguration, type PortalAccount, type PortalConfiguration } from './configuration.ts';
import { contactRequest, type ContactRequest } from './contact-request.ts';
import { filenameOf } from './filename.ts';
import { idempotencyKey } from './idempotency-key.ts';
import { PortalService, type FollowedContact } from './portal.service.ts';

const MAX_UPLOAD_BYTES = 25 * 1024 * 1024;

interface Accepted {
  contactId: string;
  /** Where to see what becomes of it. */
  href: string;
}

@Controller('portal/v1')
export class PortalController {
  constructor(
    private readonly portal: PortalService,
    private readonly accounts: Accounts<PortalAccount>,
  ) {}

  /**
   * Takes a contact. Answered when it is kept for good; the ticket follows. A repeat with the same Idempotency-Key and body is answered like the first
   * and makes nothing new, for as long as the contact is kept.
   */
  @Post('contacts')
  @Roles('client', 'agent')
  async receive(
    @ValidBody(contactRequest) body: ContactRequest,
    @Headers('idempotency-key') header: string | undefined,
    @Who() who: Identity,
    @Req() request: Request & { rawBody?: Buffer },
    @Res() response: Response,
  ): Promise<void> {
    const key = header === undefined ? undefined : idempotencyKey(header);
    if (key === undefined) {
      throw new DomainError(
        400,
        'idempotency.key_missing',
        'the header Idempotency-Key must name this request: 1 to 255 visible ASCII characters, a UUID for example',
      );
    }
    const { contactId, replayed } = await this.portal.receive(body, request.rawBody!, key, who).catch((error: unknown) => {
      if (error instanceof DomainError && error.status === 409) response.setHeader('Retry-After', '1');
      throw error;
    });
    const accepted: Accepted = { contactId, href: `/portal/v1/contacts/${contactId}` };
    // By hand: Express would hash the answer for an ETag, which nobody asks for after a POST.
    response
      .writeHead(202, { 'content-type': 'application/json', location: accepted.href, ...(replayed && { 'idempotency-replayed': 'true' }) })
      .end(JSON.stringify(accepted));
  }

  @Get('contacts/:id')
  @Roles('client', 'agent', 'lead', 'service')
  async follow(@Param('id', ParseUUIDPipe) id: string, @Who() who: Identity): Promise<FollowedContact> {
    return this.portal.follow(id, who);
  }

  /** Takes the bytes of one file: the body as it is, its type in Content-Type, its name in Content-Disposition. */
  @Post('uploads')
  @Roles('client', 'agent')
  async upload(
    @Req() request: Request & { rawBody?: Buffer },
    @Headers('content-type') mediaType: string | undefined,
    @Headers('content-disposition') disposition: string | undefined,
    @Who() who: Identity,
  ): Promise<{ uploadId: string; bytes: number; sha256: string }> {
    const bytes = request.rawBody ?? (await readBody(request, MAX_UPLOAD_BYTES));
    return this.portal.upload(bytes, filenameOf(disposition), mediaType ?? 'application/octet-stream', who);
  }

  @Get('configuration')
  @Roles('admin')
  shown(): PortalConfiguration {
    return { accounts: [...this.accounts.all()].map(([name, account]) => ({ name, ...account })) };
  }

  @Put('configuration')
  @Roles('admin')
  async configure(@ValidBody(portalConfiguration) { accounts }: PortalConfiguration): Promise<{ changed: number }> {
    return this.accounts.apply(Object.fromEntries(accounts.map(({ name, ...account }) => [name, account])));
  }
}
