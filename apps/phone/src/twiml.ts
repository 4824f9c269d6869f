import VoiceResponse from 'twilio/lib/twiml/VoiceResponse.js';

/** Longest voicemail. */
const MAX_RECORDING_SECONDS = 180;

/** Nothing to do: the answer to a message, or to a callback. For a call that is on the line it means to hang up. */
export const NO_INSTRUCTIONS = '<?xml version="1.0" encoding="UTF-8"?><Response/>';

/** Greets the caller and takes a voicemail. `callbackUrl` is asked what comes next; without one, Twilio would ask for this greeting again. */
export function voicemail(greeting: string, callbackUrl: string): string {
  const response = new VoiceResponse();
  response.say(greeting);
  response.record({ action: callbackUrl, maxLength: MAX_RECORDING_SECONDS, finishOnKey: '#' });
  return response.toString();
}
