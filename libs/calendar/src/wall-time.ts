export const DAY_MS = 86_400_000;

/** 'YYYY-MM-DD' as the number of days since 1970-01-01. */
export function dayOf(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) / DAY_MS;
}

/** 'HH:MM' or 'HH:MM:SS' as milliseconds since midnight. */
export function timeOf(time: string): number {
  return (Number(time.slice(0, 2)) * 3600 + Number(time.slice(3, 5)) * 60 + Number(time.slice(6, 8))) * 1000;
}
