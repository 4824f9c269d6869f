import type { IncomingMessage } from 'node:http';
import { DomainError } from '@tierline/service';
import type { Request, Response } from 'express';
import type { ChannelAdapter, RawRequest, RawResponse } from './adapter.ts';
import type { Intake } from './intake.ts';

/** As large as any provider's delivery. */
const MAX_BODY_BYTES = 1024 * 1024;

/** Handles a provider's webhook calls: is it a set-up question, is it really the provider, keep it, and only then say so. */
export class Webhooks {
  constructor(
    private readonly adapter: ChannelAdapter,
    private readonly intake: Intake,
    /** What the provider was told to call; without it, what the request says about itself. */
    private readonly publicUrl: string | undefined,
  ) {}

  /** Answers the request. Throws 403 for a forged one, and whatever kept the items from being kept: the provider then tries again. */
  async handle(request: Request & { rawBody?: Buffer }, response: Response): Promise<void> {
    const raw = await this.rawRequest(request);
    const challenge = this.adapter.handshake?.(raw);
    if (challenge) return answer(response, challenge);
    const verdict = this.adapter.verify?.(raw) ?? { valid: false, reason: 'this channel has no signed webhook' };
    if (!verdict.valid) throw new DomainError(403, 'webhook.forged', `the signature does not fit: ${verdict.reason}`);
    await this.intake.receive(this.adapter.split?.(raw, new Date()) ?? []);
    answer(response, this.adapter.acknowledge?.(raw) ?? { status: 204, mediaType: 'text/plain', body: '' });
  }

  private async rawRequest(request: Request & { rawBody?: Buffer }): Promise<RawRequest> {
    const base = this.publicUrl?.replace(/\/$/, '') ?? `${request.protocol}://${request.get('host') ?? 'localhost'}`;
    const url = base + request.originalUrl;
    return {
      method: request.method,
      url,
      headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value])),
      query: new URL(url).searchParams,
      body: request.rawBody ?? (await readBody(request, MAX_BODY_BYTES)),
    };
  }
}

/** The body of a request whose media type no parser of Nest's takes; those that are taken leave their bytes in `rawBody`. Throws 413. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new DomainError(413, 'body.too_large', `the body may have ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function answer(response: Response, { status, mediaType, body }: RawResponse): void {
  response.status(status);
  if (body === '' && status === 204) response.end();
  else response.type(mediaType).send(body);
}
