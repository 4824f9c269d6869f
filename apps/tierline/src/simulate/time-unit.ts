/** The time units of a specification. */
export const UNIT_MS = { second: 1_000, minute: 60_000, hour: 3_600_000 } as const;
