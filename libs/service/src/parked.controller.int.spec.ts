import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Module } from '@nestjs/common';
import { NoticeSent } from '@tierline/events';
import { Consumes, On } from '@tierline/log';
import { eventually, runServices, type RunningServices } from '@tierline/testing';

let isRepaired = false;
let handled = 0;

@Controller()
@Consumes('probe', { replayable: true })
class ProbeConsumer {
  @On(NoticeSent)
  async onSent(events: NoticeSent[]): Promise<void> {
    if (!isRepaired) throw Object.assign(new Error('cannot'), { code: 'probe.cannot' });
    handled += events.length;
  }
}

@Module({ controllers: [ProbeConsumer] })
class ProbeModule {}

describe('/log/v1', () => {
  let services: RunningServices;
  let id: string;

  beforeAll(async () => {
    services = await runServices([{ name: 'probe', module: ProbeModule, entities: [], migrations: [] }], { env: { TIERLINE_CHECK_EVENTS: 'false' } });
    await services.append(NoticeSent, 'k', {} as never);
    await eventually(async () => {
      const { body } = await services.request('GET', '/log/v1/parked?group=probe');
      expect(body.events).toHaveLength(1);
      id = body.events[0].id;
    });
  });
  afterAll(() => services.stop());

  it('is for administrators', async () => {
    expect(await services.request('GET', '/log/v1/parked', undefined, null)).toMatchObject({ status: 401 });
    expect(await services.request('GET', '/log/v1/parked', undefined, await services.tokenFor('ada', 'agent'))).toMatchObject({ status: 403 });
  });

  it('finds events by what went wrong', async () => {
    const found = await services.request('GET', '/log/v1/parked?errorCode=probe.cannot&type=notice.sent');
    expect(found.body.events).toEqual([expect.objectContaining({ id, group: 'probe', key: 'k', errorCode: 'probe.cannot', errorMessage: 'cannot' })]);
    expect((await services.request('GET', '/log/v1/parked?errorCode=other')).body).toEqual({ events: [] });
    expect(await services.request('GET', '/log/v1/parked?limit=0')).toMatchObject({ status: 422 });
  });

  it('shows one with its payload', async () => {
    const { body } = await services.request('GET', `/log/v1/parked/${id}`);
    expect(JSON.parse(body.payload as string)).toMatchObject({ type: 'notice.sent', subject: 'k' });
    expect(await services.request('GET', '/log/v1/parked/999999')).toMatchObject({ status: 404, body: { title: 'log.not_waiting' } });
    expect(await services.request('GET', '/log/v1/parked/one')).toMatchObject({ status: 422 });
  });

  it('refuses a replacement that is no event', async () => {
    expect(await services.request('PUT', `/log/v1/parked/${id}`, { event: { type: 'notice.sent' } })).toMatchObject({
      status: 422,
      body: { title: 'log.undecodable_event' },
    });
  });

  it('has one tried again, and a group replayed', async () => {
    isRepaired = true;
    expect(await services.request('POST', `/log/v1/parked/${id}/retry`)).toMatchObject({ status: 204 });
    await eventually(() => expect(handled).toBe(1));
    expect(await services.request('POST', `/log/v1/parked/${id}/skip`)).toMatchObject({ status: 404 });
    expect(await services.request('POST', '/log/v1/groups/probe/replay')).toMatchObject({ status: 204 });
    await eventually(() => expect(handled).toBe(2));
  });

  it('replays no group that has not said it may be', async () => {
    expect(await services.request('POST', '/log/v1/groups/access/replay')).toMatchObject({ status: 409, body: { title: 'log.not_replayable' } });
    expect(await services.request('POST', '/log/v1/groups/nobody/replay')).toMatchObject({ status: 404, body: { title: 'log.unknown_group' } });
  });
});
