export const DAY_MS = 86_400_000;

/** 'YYYY-MM-DD' as the number of days since 1970-01-01. */
export function dayOf(date: string): number {
  return Date.parse(date) / DAY_MS;
}

/** 'HH:MM' or 'HH:MM:SS' as milliseconds since midnight. */
export function timeOf(time: string): number {
  const seconds = time.length > 5 ? twoDigits(time, 6) : 0;
  return (twoDigits(time, 0) * 3600 + twoDigits(time, 3) * 60 + seconds) * 1000;
}

// A calendar has many times: cutting strings would cost as much as checking it.
const ZERO = '0'.charCodeAt(0);
const twoDigits = (text: string, at: number): number => (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO;
