/**
 * Words that carriers and Twilio answer by themselves when they are a whole message (https://help.twilio.com/articles/223134027): whoever sends one must hear
 * nothing automatic from us besides.
 */
const KEYWORDS = new Set([...['stop', 'stopall', 'unsubscribe', 'cancel', 'end', 'quit', 'revoke', 'optout'], ...['help', 'info']]);

/** Whether a message is one of the words of consent. `optOutType` is Twilio's own verdict, given where Advanced Opt-Out is on. */
export function isOptOut(text: string, optOutType: string | undefined): boolean {
  return optOutType === undefined ? KEYWORDS.has(text.trim().toLowerCase()) : optOutType === 'STOP' || optOutType === 'HELP';
}
