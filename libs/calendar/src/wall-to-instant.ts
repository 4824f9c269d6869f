import { yearOf } from './open-hours.ts';
import { dayOf, DAY_MS, timeOf } from './wall-time.ts';
import { instantOf, zoneOffsets } from './zone-offsets.ts';

/** The instant of a wall time 'YYYY-MM-DDTHH:MM:SS' of a zone, in ms since 1970; of one that comes twice, the first. */
export function wallToInstant(local: string, timeZone: string): number {
  const [date = '', time = ''] = local.split('T');
  const wallMs = dayOf(date) * DAY_MS + timeOf(time);
  return instantOf(wallMs, zoneOffsets(timeZone, yearOf(wallMs)));
}
