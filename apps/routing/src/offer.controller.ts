import { Controller, Get, HttpCode, Param, ParseUUIDPipe, Post } from '@nestjs/common';
import { DomainError, Roles, ValidBody, ValidQuery, Who, type Identity } from '@tierline/service';
import { DataSource, IsNull } from 'typeorm';
import { z } from 'zod';
import { OfferEntity } from './offer.entity.ts';
import { OfferService, type Answered } from './offer.service.ts';

const offersQuery = z.strictObject({ agent: z.string().optional() });
const declineBody = z.strictObject({ reason: z.string().max(500).optional() });

@Controller('routing/v1/offers')
@Roles('agent', 'lead')
export class OfferController {
  constructor(
    private readonly offers: OfferService,
    private readonly database: DataSource,
  ) {}

  /** The open offers of the caller, or for a lead of another agent. */
  @Get()
  async open(@ValidQuery(offersQuery) { agent }: z.infer<typeof offersQuery>, @Who() who: Identity): Promise<{ offers: OfferEntity[] }> {
    const agentId = agent ?? who.subject;
    if (agentId !== who.subject && !who.roles.some((role) => role === 'lead' || role === 'admin')) {
      throw new DomainError(403, 'access.forbidden', 'an agent sees only their own offers');
    }
    return { offers: await this.database.manager.find(OfferEntity, { where: { agentId, outcome: IsNull() }, order: { offeredAt: 'ASC' } }) };
  }

  @Post(':id/accept')
  @HttpCode(202)
  async accept(@Param('id', ParseUUIDPipe) offerId: string, @Who() who: Identity): Promise<Answered> {
    return this.offers.answer(offerId, who.subject, 'accepted');
  }

  @Post(':id/decline')
  @HttpCode(202)
  async decline(
    @Param('id', ParseUUIDPipe) offerId: string,
    @ValidBody(declineBody) { reason }: z.infer<typeof declineBody>,
    @Who() who: Identity,
  ): Promise<Answered> {
    return this.offers.answer(offerId, who.subject, 'declined', reason);
  }
}
