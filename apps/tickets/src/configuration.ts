import { duration } from '@tierline/service';
import { z } from 'zod';

/** The `tickets` section of tierline.yaml. */
export const ticketsConfiguration = z.strictObject({
  /** A customer who writes within this time of the solution reopens the ticket; later, a new one follows it up. */
  reopenWindow: duration.prefault('7d'),
  /** A ticket that stayed solved for so long is closed for good, which ends the reopening too. Counts for tickets solved from now on. */
  closeAfter: duration.prefault('28d'),
});
export type TicketsConfiguration = z.infer<typeof ticketsConfiguration>;
