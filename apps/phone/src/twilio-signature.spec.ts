import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isSigned, type SignedRequest } from './twilio-signature.ts';

interface Vector {
  name: string;
  url: string;
  params?: Record<string, string | string[]>;
  body?: string;
  signature: string;
}

const { authToken, vectors } = JSON.parse(readFileSync(join(import.meta.dirname, '../vectors/twilio-signature.json'), 'utf8')) as {
  authToken: string;
  vectors: Vector[];
};

const form = (params: Record<string, string | string[]>): string =>
  new URLSearchParams(Object.entries(params).flatMap(([name, values]) => [values].flat().map((value) => [name, value] as [string, string]))).toString();
const request = ({ url, params, body, signature }: Vector): SignedRequest => ({ url, body: Buffer.from(body ?? form(params!)), signature });

describe.each(vectors.map((vector) => [vector.name, request(vector)] as const))('a request with %s', (_, signed) => {
  it('is signed by the owner of the token', () => {
    expect(isSigned(signed, [authToken])).toBe(true);
  });

  it('is not signed by anybody else, nor with anything else in it', () => {
    expect(isSigned(signed, ['54321'])).toBe(false);
    expect(isSigned({ ...signed, signature: undefined }, [authToken])).toBe(false);
    expect(isSigned({ ...signed, signature: '' }, [authToken])).toBe(false);
    expect(isSigned({ ...signed, signature: `A${signed.signature!.slice(1)}` }, [authToken])).toBe(false);
    expect(isSigned({ ...signed, url: signed.url.replace('myapp', 'yourapp') }, [authToken])).toBe(false);
    expect(isSigned({ ...signed, body: Buffer.concat([signed.body, Buffer.from('&More=1')]) }, [authToken])).toBe(false);
  });
});

it('accepts either token while tokens are rotated, and no token when there is none', () => {
  const signed = request(vectors[0]!);
  expect(isSigned(signed, ['old', authToken])).toBe(true);
  expect(isSigned(signed, [])).toBe(false);
});

it('needs the hash in the address of a body that is no form', () => {
  const json = vectors.find(({ body }) => body !== undefined)!;
  const withoutHash = new URL(json.url);
  withoutHash.searchParams.delete('bodySHA256');
  expect(isSigned({ ...request(json), url: withoutHash.href }, [authToken])).toBe(false);
});
