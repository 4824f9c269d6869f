import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BlobMissingError, blobOf, sha256OfRef, type Blob, type BlobStore } from './blob-store.ts';

/** Blobs as files, `ab/abcdef…` under one folder. */
export class DiskBlobStore implements BlobStore {
  constructor(private readonly root: string) {}

  async put(bytes: Buffer): Promise<Blob> {
    const blob = blobOf(bytes);
    const path = this.path(blob.sha256);
    const folder = dirname(path);
    const known = await stat(path).catch(() => undefined);
    if (known?.size !== bytes.length) await this.write(folder, path, bytes);
    // The names must survive as well: that of the file in its folder, and that of the folder, which may be new. Whoever wrote a known one may not have come to this.
    await syncFolder(folder);
    await syncFolder(this.root);
    return blob;
  }

  private async write(folder: string, path: string, bytes: Buffer): Promise<void> {
    await mkdir(folder, { recursive: true });
    const temporary = `${path}.${randomUUID()}`;
    try {
      const file = await open(temporary, 'wx', 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async get(ref: string): Promise<Buffer> {
    try {
      return await readFile(this.path(sha256OfRef(ref)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new BlobMissingError(ref);
      throw error;
    }
  }

  private path(sha256: string): string {
    return join(this.root, sha256.slice(0, 2), sha256);
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}
