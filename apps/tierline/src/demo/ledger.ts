import type { Board } from './board.ts';

/** What the senders know to be accepted: a door said so. */
export interface Sent {
  /** Distinct contacts that a door accepted; a repeat of the same one counts once. */
  contacts: number;
  /** Deliveries that repeated an accepted contact on purpose. */
  repeats: number;
  /** Contacts that a door refused, with the reason: not accepted, so not owed. */
  refused: number;
}

export interface LedgerLine {
  text: string;
  holds: boolean;
}

/** Adds up what went in against what came out. Every line must hold. */
export function ledger(sent: Sent, board: Board): LedgerLine[] {
  const stored = board.contactIds.size;
  const opened = board.ticketIds.size;
  const unescalated = [...board.breached].filter((clockId) => !board.escalatedBreaches.has(clockId)).length;
  const doubled = board.doubledContacts.length + board.doubledTickets.length + board.doubledReplies.length + board.doubledEscalations.length;
  return [
    { text: `${sent.contacts} contacts accepted = ${stored} stored   (${sent.repeats} repeats dropped)`, holds: sent.contacts === stored },
    { text: `${stored} contacts = ${opened} tickets opened + ${board.threaded} replies threaded`, holds: stored === opened + board.threaded },
    { text: `${board.breached.size} breaches, each followed by its escalation`, holds: unescalated === 0 },
    { text: `${lost(board)} lost`, holds: lost(board) === 0 },
    { text: `${doubled} doubled`, holds: doubled === 0 },
  ];
}

function lost(board: Board): number {
  return [...board.contactIds].filter((id) => !board.handledContacts.has(id)).length;
}

/** Whether everything that was accepted has come through, so that the ledger may be drawn up. */
export function isSettled(sent: Sent, board: Board): boolean {
  return ledger(sent, board).every((line) => line.holds);
}
