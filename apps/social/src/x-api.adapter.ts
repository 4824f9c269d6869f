import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { neverSent, type SendResult } from '@tierline/channel';
import { ApiResponseError, TwitterApi, type ITwitterApiClientPlugin, type TwitterRateLimit } from 'twitter-api-v2';
import type { XAccount } from './configuration.ts';
import type { ReplyTarget } from './reply-target.ts';
import { refused } from './send-outcome.ts';

/** The address that the library writes into every request. */
const X_URL = 'https://api.x.com';

/** Posts an answer, or writes a direct message. X has no idempotency key: what may have been taken must not be sent again. */
export async function sendOnX(account: XAccount, target: Exclude<ReplyTarget, { kind: 'nowhere' }>, text: string, timeoutMs: number): Promise<SendResult> {
  const connection = watched(account.apiUrl, timeoutMs);
  const { appKey, consumerSecret: appSecret, accessToken, accessSecret, apiUrl } = account;
  // A kept connection that X closes at the moment of sending would leave open whether the message was taken: these agents keep none.
  const httpAgent = apiUrl.startsWith('http:') ? new HttpAgent() : new HttpsAgent();
  const { v2 } = new TwitterApi({ appKey, appSecret, accessToken, accessSecret }, { httpAgent, plugins: [connection.plugin] });
  try {
    if (target.kind === 'post') return { outcome: 'sent', externalId: (await v2.reply(text, target.postId)).data.id };
    // The library's type of the answer leaves `data` out.
    const answer = (await v2.sendDmToParticipant(target.userId, { text })) as unknown as { data: { dm_event_id: string } };
    return { outcome: 'sent', externalId: answer.data.dm_event_id };
  } catch (error) {
    if (!(error instanceof ApiResponseError)) {
      const cause = connection.failure() ?? error;
      return { outcome: connection.wasMade() && !neverSent(cause) ? 'unknown' : 'retry', reason: (cause as Error).message };
    }
    const { code: status, data, rateLimit } = error;
    return refused({ status, detail: data.detail ?? data.title, resetsAtSec: rateLimit && resetOf(rateLimit) }, new Date());
  }
}

/** Sets the address and the timeout, which the library's own calls do not take, and sees what its errors do not tell. */
function watched(apiUrl: string, timeoutMs: number) {
  let made = false;
  let failure: unknown;
  const plugin: ITwitterApiClientPlugin = {
    onBeforeRequestConfig({ params }) {
      params.url = params.url.replace(X_URL, apiUrl);
      params.timeout = timeoutMs;
      params.requestEventDebugHandler = (event, data: { requestError?: unknown } = {}) => {
        if (event === 'socket-connect') made = true;
        if (event === 'request-error') failure = data.requestError;
      };
    },
  };
  return { plugin, wasMade: () => made, failure: () => failure };
}

/** The end of the limit that was met: that of a day, where it is used up, else that of the window. */
function resetOf({ reset, day, userDay }: TwitterRateLimit): number {
  return [userDay, day].find((limit) => limit?.remaining === 0)?.reset ?? reset;
}
