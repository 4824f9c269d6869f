import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { All, Controller, Inject, Module, Req, Res } from '@nestjs/common';
import type { Contact } from '@tierline/events';
import { Public } from '@tierline/service';
import { runServices, type RunningServices } from '@tierline/testing';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { ProbeAdapter, rawItem } from '../test/probe-adapter.ts';
import type { ChannelAdapter, RawItem, RawRequest } from './adapter.ts';
import { channelMigrations } from './channel-schema.ts';
import { ChannelModule } from './channel.module.ts';
import { Webhooks } from './webhooks.ts';

const sign = (url: string, body: string): string => createHmac('sha256', 'key').update(url).update(body).digest('hex');

class HookedProbe extends ProbeAdapter implements ChannelAdapter {
  handshake(request: RawRequest) {
    const challenge = request.query.get('challenge');
    return challenge === null ? undefined : { status: 200, mediaType: 'text/plain', body: challenge };
  }
  verify(request: RawRequest): { valid: true } | { valid: false; reason: string } {
    return request.headers['x-signature'] === sign(request.url, request.body.toString()) ? { valid: true } : { valid: false, reason: 'no match' };
  }
  split(request: RawRequest): RawItem[] {
    return request.body
      .toString()
      .split('\n')
      .map((line) => rawItem(line, Buffer.from(line)));
  }
  acknowledge() {
    return { status: 200, mediaType: 'text/xml', body: '<Response/>' };
  }
}

@Controller('probe/v1')
class HookController {
  constructor(@Inject(Webhooks) private readonly webhooks: Webhooks) {}

  @Public()
  @All('webhook')
  async webhook(@Req() request: Request, @Res() response: Response): Promise<void> {
    await this.webhooks.handle(request, response);
  }
}

@Module({
  imports: [ChannelModule.forService({ service: 'probe', normalize: 'inline', settings: z.object({}), adapter: () => new HookedProbe() })],
  controllers: [HookController],
})
class HookModule {}

const PUBLIC_URL = 'https://contact.example.org/base';
let services: RunningServices;

beforeAll(async () => {
  services = await runServices([{ name: 'probe', module: HookModule, entities: [], migrations: channelMigrations('probe') }], { env: { PUBLIC_URL } });
});
afterAll(() => services.stop());

function deliver(body: string, mediaType: string, signature = sign(`${PUBLIC_URL}/probe/v1/webhook?account=a%20b`, body)) {
  return services.request('POST', '/probe/v1/webhook?account=a%20b', body, null, { 'x-signature': signature, 'content-type': mediaType });
}

async function contacts(): Promise<Contact[]> {
  return (await services.events('contact')).map(({ data }) => data as Contact);
}

it('answers a challenge', async () => {
  expect(await services.request('GET', '/probe/v1/webhook?challenge=abc', undefined, null)).toMatchObject({ status: 200, body: 'abc' });
});

it.each(['application/json', 'application/x-www-form-urlencoded', 'application/cloudevents+json', 'text/plain', 'application/octet-stream'])(
  'verifies the bytes of %s under the public address, keeps them, and says what the provider expects',
  async (mediaType) => {
    const body = JSON.stringify({ from: 'zoë', text: `sent as ${mediaType}` });
    expect(await deliver(body, mediaType)).toMatchObject({ status: 200, body: '<Response/>' });
    expect(await contacts()).toContainEqual(expect.objectContaining({ text: `sent as ${mediaType}` }));
  },
);

it('refuses a forged delivery with a problem, and keeps nothing of it', async () => {
  const before = await contacts();
  const answer = await deliver('{"from":"eve","text":"forged"}', 'application/json', 'f'.repeat(64));
  expect(answer).toMatchObject({ status: 403, body: { type: 'urn:tierline:webhook.forged', status: 403 } });
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(await deliver('{"from":"eve","text":"forged"}', 'application/json', '')).toMatchObject({ status: 403 });
  expect(await contacts()).toEqual(before);
});

it('answers a replayed delivery like the first, and makes nothing of it', async () => {
  const body = JSON.stringify({ from: 'ada', text: 'replayed' });
  await deliver(body, 'application/json');
  const before = await contacts();
  expect(await deliver(body, 'application/json')).toMatchObject({ status: 200 });
  expect(await contacts()).toEqual(before);
});

it('says that malformed JSON and too large a body are the sender’s mistake', async () => {
  expect(await deliver('{"from":', 'application/json')).toMatchObject({ status: 400, body: { status: 400 } });
  expect(await deliver('x'.repeat(1_100_000), 'application/octet-stream')).toMatchObject({ status: 413, body: { title: 'body.too_large' } });
});

it('does not say that it has what it could not keep', async () => {
  await services.log.dataSource.query('ALTER TABLE probe.inbound RENAME TO away');
  expect((await deliver('{"from":"ada","text":"later"}', 'application/json')).status).toBe(500);
  await services.log.dataSource.query('ALTER TABLE probe.away RENAME TO inbound');
  expect((await deliver('{"from":"ada","text":"later"}', 'application/json')).status).toBe(200);
  expect(await contacts()).toContainEqual(expect.objectContaining({ text: 'later' }));
});
