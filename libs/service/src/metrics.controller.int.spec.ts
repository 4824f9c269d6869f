import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runServices, type RunningServices } from '@tierline/testing';

describe('/metrics', () => {
  let services: RunningServices;

  beforeAll(async () => {
    services = await runServices([]);
  });
  afterAll(() => services.stop());

  it('tells a scraper with a token how the groups do', async () => {
    const token = await services.tokenFor('prometheus', 'service');
    const { status, headers, body } = await services.request('GET', '/metrics', undefined, token);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/plain;.*version=0\.0\.4/);
    expect(body).toContain('tierline_consumer_lag_events{group="access",topic="access"} 0');
    expect(body).toContain('tierline_batch_size_count{group="access"} 1');
    expect(body).toContain('process_cpu_seconds_total');
  });

  it('is not for everybody', async () => {
    expect(await services.request('GET', '/metrics', undefined, null)).toMatchObject({ status: 401 });
    expect(await services.request('GET', '/metrics', undefined, await services.tokenFor('ada', 'agent'))).toMatchObject({ status: 403 });
  });
});
