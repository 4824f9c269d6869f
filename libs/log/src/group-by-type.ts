import type { Event } from '@tierline/events';

/**
 * Splits a batch into runs of one type each, as few as keep every key's own order: an event joins the earliest run of its type that does not
 * come before the last run its key is in. A handler then sees many events at once although types are mixed on a topic.
 */
export function groupByType<E extends Pick<Event, 'type' | 'key'>>(events: readonly E[]): { type: string; events: E[] }[] {
  const runs: { type: string; events: E[] }[] = [];
  const lastRunOfKey = new Map<string, number>();
  for (const event of events) {
    let run = lastRunOfKey.get(event.key) ?? 0;
    while (run < runs.length && runs[run]!.type !== event.type) run++;
    if (run === runs.length) runs.push({ type: event.type, events: [] });
    runs[run]!.events.push(event);
    lastRunOfKey.set(event.key, run);
  }
  return runs;
}
