/** How far a call has come: https://www.twilio.com/docs/voice/api/call-resource#call-status-values. States that end a call are equally far. */
const RANKS: Readonly<Record<string, number>> = { queued: 0, initiated: 1, ringing: 2, 'in-progress': 3 };
const TERMINAL = new Set(['completed', 'busy', 'failed', 'no-answer', 'canceled']);
const TERMINAL_RANK = 9;
/** A voicemail says more than the end of the call that it belongs to. */
export const VOICEMAIL_RANK = 10;

export function isTerminal(state: string): boolean {
  return TERMINAL.has(state);
}

/** Callbacks arrive in any order (their order is not promised): of two states the one of higher rank is the later one. */
export function callRank(state: string): number {
  return isTerminal(state) ? TERMINAL_RANK : (RANKS[state] ?? 0);
}
