import { Controller } from '@nestjs/common';
import { TokenIssued, TokenRevoked } from '@tierline/events';
import { Consumes, EventLog, On, type LogTransaction } from '@tierline/log';

/** Keeps this process's copy of the tokens. */
@Controller()
@Consumes('access')
export class AccessConsumer {
  constructor(private readonly log: EventLog) {}

  @On(TokenIssued)
  async onIssued(events: TokenIssued[], tx: LogTransaction): Promise<void> {
    for (const { data } of events) {
      await tx.query(
        `INSERT INTO ${this.log.schema}.access_token (token_id, sha256, subject, roles, expires_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (token_id) DO UPDATE SET sha256 = excluded.sha256, subject = excluded.subject, roles = excluded.roles, expires_at = excluded.expires_at, revoked_at = NULL`,
        [data.tokenId, data.sha256, data.subject, data.roles, data.expiresAt ?? null],
      );
    }
  }

  @On(TokenRevoked)
  async onRevoked(events: TokenRevoked[], tx: LogTransaction): Promise<void> {
    await tx.query(`UPDATE ${this.log.schema}.access_token SET revoked_at = now() WHERE token_id = ANY($1::uuid[])`, [events.map(({ data }) => data.tokenId)]);
  }
}
