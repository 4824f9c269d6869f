import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { S3Double } from '../test/s3-double.ts';
import { BlobMissingError, openBlobStore, type BlobStore } from './blob-store.ts';

let folder: string;
let s3: S3Double;
const stores = new Map<string, BlobStore>();

beforeAll(async () => {
  process.env['AWS_ACCESS_KEY_ID'] = 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'test';
  folder = await mkdtemp(join(tmpdir(), 'tierline-blobs-'));
  s3 = new S3Double();
  const endpoint = await s3.start();
  stores.set('disk', await openBlobStore(pathToFileURL(join(folder, 'new', 'blobs')).href));
  stores.set('S3', await openBlobStore(`s3://bucket/some/prefix?endpoint=${encodeURIComponent(endpoint)}`));
});
afterAll(async () => {
  await s3.stop();
  await rm(folder, { recursive: true });
});

const HELLO = 'blob:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';

describe.each(['disk', 'S3'])('%s', (name) => {
  it('gives back what it was given, under the hash of the content', async () => {
    const store = stores.get(name)!;
    expect(await store.put(Buffer.from('hello'))).toEqual({ ref: HELLO, sha256: HELLO.slice(5), bytes: 5 });
    expect((await store.get(HELLO)).toString()).toBe('hello');
    const binary = Buffer.from(Array.from({ length: 100_000 }, (_, n) => n % 256));
    expect((await store.get((await store.put(binary)).ref)).equals(binary)).toBe(true);
    expect((await store.put(Buffer.alloc(0))).bytes).toBe(0);
  });

  it('keeps the same bytes once, whoever comes with them', async () => {
    const store = stores.get(name)!;
    const refs = await Promise.all(Array.from({ length: 10 }, () => store.put(Buffer.from('same'))));
    expect(new Set(refs.map(({ ref }) => ref)).size).toBe(1);
    const puts = s3.puts;
    await store.put(Buffer.from('same'));
    expect(s3.puts).toBe(puts);
  });

  it.each([`blob:${'0'.repeat(64)}`, 'blob:../../etc/passwd', 'inbound:probe/1', ''])('has no %j', async (ref) => {
    await expect(stores.get(name)!.get(ref)).rejects.toThrow(BlobMissingError);
  });
});

it('writes anew a file that a crash left short, and leaves no temporary files', async () => {
  const store = stores.get('disk')!;
  const root = join(folder, 'new', 'blobs');
  const { sha256, ref } = await store.put(Buffer.from('whole'));
  await truncate(join(root, sha256.slice(0, 2), sha256), 2);
  await store.put(Buffer.from('whole'));
  expect((await store.get(ref)).toString()).toBe('whole');
  expect((await readdir(root, { recursive: true })).filter((path) => path.length > 67)).toEqual([]);
});

it('does not call kept what the object store cut short', async () => {
  s3.keepsBytes = 3;
  await expect(stores.get('S3')!.put(Buffer.from('cut short'))).rejects.toThrow('kept 3 of 9 bytes');
  s3.keepsBytes = Number.POSITIVE_INFINITY;
  expect((await stores.get('S3')!.put(Buffer.from('cut short'))).bytes).toBe(9);
});

it('refuses an address it does not know', async () => {
  await expect(openBlobStore('ftp://example.org/blobs')).rejects.toThrow('BLOB_URL must begin with file: or s3:');
});
