import { Controller, Delete, HttpCode, Param, ParseUUIDPipe, Post } from '@nestjs/common';
import { role } from '@tierline/events';
import { Roles, ValidBody } from '@tierline/service';
import { z } from 'zod';
import { PeopleService, type IssuedToken } from './people.service.ts';

const tokenBody = z.strictObject({
  /** Whose token it is: an agent's id, or the name of a program. */
  subject: z.string().min(1).max(200),
  roles: z.array(role).min(1),
  expiresAt: z.iso
    .datetime({ offset: true })
    .transform((text) => new Date(text))
    .optional(),
});

@Controller('people/v1/tokens')
@Roles('admin')
export class TokenController {
  constructor(private readonly people: PeopleService) {}

  /** The only answer that ever holds the token. */
  @Post()
  async issue(@ValidBody(tokenBody) { subject, roles, expiresAt }: z.infer<typeof tokenBody>): Promise<IssuedToken> {
    return this.people.issueToken(subject, roles, expiresAt);
  }

  @Delete(':id')
  @HttpCode(204)
  async revoke(@Param('id', ParseUUIDPipe) id: string): Promise<void> {
    await this.people.revokeToken(id);
  }
}
