import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { DiskBlobStore } from './disk-blob-store.ts';

/** Keeps bytes under the hash of their content: keeping the same bytes twice is one blob. */
export interface BlobStore {
  /** Resolves when the bytes are durable. */
  put(bytes: Buffer): Promise<Blob>;
  /** Throws BlobMissingError. */
  get(ref: string): Promise<Buffer>;
}

export interface Blob {
  ref: string;
  sha256: string;
  bytes: number;
}

/** There is no blob under this reference: it was never put, or belongs to another store. */
export class BlobMissingError extends Error {
  readonly code = 'blob.missing';
  constructor(ref: string) {
    super(`there is no blob ${ref} in the configured store`);
  }
}

const REF = /^blob:([0-9a-f]{64})$/;

export function blobOf(bytes: Buffer): Blob {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { ref: `blob:${sha256}`, sha256, bytes: bytes.length };
}

/** The hash that a reference names. Throws BlobMissingError for anything else, so that no reference becomes a path. */
export function sha256OfRef(ref: string): string {
  const sha256 = REF.exec(ref)?.[1];
  if (!sha256) throw new BlobMissingError(ref);
  return sha256;
}

/** Opens the store that an address names: `file:///var/lib/tierline/blobs`, or `s3://bucket/prefix?endpoint=https://…&region=…` for anything that speaks S3. */
export async function openBlobStore(address: string): Promise<BlobStore> {
  const url = new URL(address);
  if (url.protocol === 'file:') return new DiskBlobStore(fileURLToPath(url));
  if (url.protocol === 's3:') {
    // 30 ms and 20 MB that an installation on disk should not pay.
    const { S3BlobStore } = await import('./s3-blob-store.ts');
    return new S3BlobStore(url);
  }
  throw new Error(`BLOB_URL must begin with file: or s3:, not ${url.protocol}`);
}
