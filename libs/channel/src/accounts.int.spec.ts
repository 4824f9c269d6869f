import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { eventually, freshDatabase, type FreshDatabase } from '@tierline/testing';
import { z } from 'zod';
import { ProbeAdapter } from '../test/probe-adapter.ts';
import { startProbe, type Probe } from '../test/probe.ts';
import { Accounts, accountsSection, secret } from './accounts.ts';

const settings = z.object({
  host: z.string(),
  password: secret(z.string()),
  token: secret(z.string()).optional(),
  folders: z.array(z.string()).default(['INBOX']),
});
type Settings = z.infer<typeof settings>;
const SECRET = 'an installation secret that is long enough';

let database: FreshDatabase;
let probe: Probe;

beforeAll(async () => {
  database = await freshDatabase('accounts');
  probe = await startProbe(database, new ProbeAdapter(), 'inline');
});
afterAll(async () => {
  await probe.stop();
  await database.drop();
});

const open = (installationSecret = SECRET): Accounts<Settings> => new Accounts<Settings>(probe.log, 'probe', settings, installationSecret, new Logger('test'));
const parse = (accounts: object): Record<string, Settings> => accountsSection(settings).parse({ accounts }).accounts;
const support = { host: 'imap.example.org', password: 'hunter2' };

it('applies a section once: a second time nothing changes', async () => {
  const accounts = open();
  expect(await accounts.apply(parse({ support, sales: { ...support, token: 'abc' } }))).toEqual({ changed: 2 });
  expect(await accounts.apply(parse({ support, sales: { ...support, token: 'abc' } }))).toEqual({ changed: 0 });
  expect(await accounts.apply(parse({ support: { ...support, host: 'mail.example.org' } }))).toEqual({ changed: 2 });
  expect(accounts.get('support')).toEqual({ host: 'mail.example.org', password: 'hunter2', folders: ['INBOX'] });
  expect(accounts.get('sales')).toBeUndefined();
});

it('never shows a secret, and takes what it shows for "as it is"', async () => {
  const accounts = open();
  await accounts.apply(parse({ support }));
  expect(accounts.shown()).toEqual({ support: { host: 'imap.example.org', password: 'set', folders: ['INBOX'] } });
  expect(await accounts.apply(parse(accounts.shown()))).toEqual({ changed: 0 });
  expect(accounts.get('support')!.password).toBe('hunter2');
  await expect(accounts.apply(parse({ brandNew: { ...support, password: 'set' } }))).rejects.toMatchObject({ code: 'account.secret_missing' });
});

it('keeps nothing readable in the database', async () => {
  await open().apply(parse({ support }));
  const [row] = await probe.log.dataSource.query<{ sealed: Buffer }[]>('SELECT sealed FROM probe.account');
  expect(row!.sealed.toString('latin1')).not.toMatch(/hunter2|imap/);
});

it('opens a box under its own secret and in its own row only', async () => {
  await open().apply(parse({ support }));
  await expect(open('another secret that is quite long enough').start()).rejects.toMatchObject({ code: 'account.sealed' });
  await probe.log.dataSource.query(`INSERT INTO probe.account (ref, sealed) SELECT 'moved', sealed FROM probe.account`);
  await expect(open().start()).rejects.toThrow('sealed under another TIERLINE_SECRET');
  await probe.log.dataSource.query(`DELETE FROM probe.account WHERE ref = 'moved'`);
});

it('learns what another process has changed', async () => {
  const here = open();
  await here.start();
  let changes = 0;
  here.onChange(() => changes++);
  await open().apply(parse({ support: { ...support, host: 'elsewhere' } }));
  await eventually(() => expect(here.get('support')!.host).toBe('elsewhere'));
  expect(changes).toBe(1);
  here.stop();
});
