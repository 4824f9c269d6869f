import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { LogTransaction } from '@tierline/log';
import { invalid } from '@tierline/service';

const MAX_KEY_LENGTH = 255;

/** Who asks, and under which Idempotency-Key, if any. */
export interface Asker {
  readonly subject: string;
  readonly key: string | undefined;
}

/** Lets a request that is sent again have the answer of the first time, and no second effect. Answers are kept for a day. */
@Injectable()
export class AnsweredRequestService {
  /** Does the work once for a key, in the transaction of the work. Throws when the key came with another request before. */
  async once<T extends object>(tx: LogTransaction, { subject, key }: Asker, request: unknown, work: () => Promise<T>): Promise<T> {
    if (key === undefined) return work();
    if (key === '' || key.length > MAX_KEY_LENGTH) throw invalid('idempotency.key', `an Idempotency-Key has 1 to ${MAX_KEY_LENGTH} characters`);
    const fingerprint = createHash('sha256').update(JSON.stringify(request)).digest('hex');
    // Waits for the same request if it is being answered at this moment.
    const [first] = await tx.query(
      `WITH old AS (DELETE FROM tickets.answered_request WHERE at < now() - interval '1 day' AND (subject, key) <> ($1, $2))
       INSERT INTO tickets.answered_request (subject, key, fingerprint) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1`,
      [subject, key, fingerprint],
    );
    if (!first) return this.repeat<T>(tx, subject, key, fingerprint);
    const answer = await work();
    await tx.query('UPDATE tickets.answered_request SET answer = $3 WHERE subject = $1 AND key = $2', [subject, key, JSON.stringify(answer)]);
    return answer;
  }

  private async repeat<T>(tx: LogTransaction, subject: string, key: string, fingerprint: string): Promise<T> {
    const [before] = await tx.query<{ fingerprint: string; answer: T }>(
      'SELECT fingerprint, answer FROM tickets.answered_request WHERE subject = $1 AND key = $2',
      [subject, key],
    );
    if (before!.fingerprint !== fingerprint) throw invalid('idempotency.reused', 'this Idempotency-Key came with another request before; nothing was changed');
    return before!.answer;
  }
}
