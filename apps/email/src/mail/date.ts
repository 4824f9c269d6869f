const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
/** Zones by name (RFC 5322 §4.3); any other name says nothing and counts as UTC. */
const ZONE_HOURS: Record<string, number> = { est: -5, edt: -4, cst: -6, cdt: -5, mst: -7, mdt: -6, pst: -8, pdt: -7 };
const RFC_5322 =
  /^(?:[a-z]{3,9},?\s+)?(\d{1,2})[\s-]+([a-z]{3})[a-z]*[\s-]+(\d{2,4})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*(?:([+-])(\d{2}):?(\d{2})|([a-z]{1,5}))?/i;
const ISO_8601 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$/;

/** The instant that a Date field names, or undefined when it names none. The machine's own zone and clock play no part. */
export function readDate(value: string): Date | undefined {
  const text = value.trim();
  const fields = RFC_5322.exec(text);
  const ms = fields ? fromFields(fields) : ISO_8601.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(ms) ? undefined : new Date(ms);
}

function fromFields([, day, month, year, hour, minute, second, sign, zoneHours, zoneMinutes, zoneName]: RegExpExecArray): number {
  const midnight = new Date(Date.UTC(fullYear(Number(year)), MONTHS.indexOf(month!.toLowerCase()), Number(day)));
  // The 31st of a short month, or of month -1, is another day's date.
  const isReal = MONTHS[midnight.getUTCMonth()] === month!.toLowerCase() && Number(hour) < 24 && Number(minute) < 60 && Number(second ?? 0) <= 60;
  if (!isReal) return NaN;
  const utc = midnight.getTime() + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second ?? 0)) * 1_000;
  const offsetMinutes = sign ? (sign === '-' ? -1 : 1) * (Number(zoneHours) * 60 + Number(zoneMinutes)) : (ZONE_HOURS[zoneName?.toLowerCase() ?? ''] ?? 0) * 60;
  return utc - offsetMinutes * 60_000;
}

/** Two digits are 1950-2049, three are years since 1900 (RFC 5322 §4.3). */
function fullYear(year: number): number {
  if (year < 50) return 2000 + year;
  return year < 1000 ? 1900 + year : year;
}
