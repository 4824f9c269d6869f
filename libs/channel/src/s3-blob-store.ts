import { GetObjectCommand, HeadObjectCommand, NoSuchKey, NotFound, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { BlobMissingError, blobOf, sha256OfRef, type Blob, type BlobStore } from './blob-store.ts';

/** Blobs as objects of any store that speaks S3. Credentials come from where the AWS SDK looks for them: AWS_ACCESS_KEY_ID and its kin. */
export class S3BlobStore implements BlobStore {
  private readonly client: S3Client;
  private readonly bucket: string;
  private readonly prefix: string;

  constructor(address: URL) {
    this.bucket = address.host;
    this.prefix = address.pathname.replace(/^\/+|\/+$/g, '');
    const endpoint = address.searchParams.get('endpoint') ?? undefined;
    this.client = new S3Client({
      region: address.searchParams.get('region') ?? 'us-east-1',
      // Stores other than Amazon's seldom have a host name for each bucket.
      ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
      // The newer default adds CRC32 trailers, which other stores refuse.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  async put(bytes: Buffer): Promise<Blob> {
    const blob = blobOf(bytes);
    const Key = this.key(blob.sha256);
    if ((await this.storedBytes(Key)) === bytes.length) return blob;
    await this.client.send(
      new PutObjectCommand({ Bucket: this.bucket, Key, Body: bytes, ContentLength: bytes.length, ContentType: 'application/octet-stream' }),
    );
    const stored = await this.storedBytes(Key);
    if (stored !== bytes.length) throw new Error(`the store kept ${stored ?? 'nothing'} of ${bytes.length} bytes of ${blob.ref}`);
    return blob;
  }

  async get(ref: string): Promise<Buffer> {
    try {
      const object = await this.client.send(new GetObjectCommand({ Bucket: this.bucket, Key: this.key(sha256OfRef(ref)) }));
      return Buffer.from(await object.Body!.transformToByteArray());
    } catch (error) {
      if (error instanceof NoSuchKey || error instanceof NotFound) throw new BlobMissingError(ref);
      throw error;
    }
  }

  private async storedBytes(Key: string): Promise<number | undefined> {
    try {
      return (await this.client.send(new HeadObjectCommand({ Bucket: this.bucket, Key }))).ContentLength;
    } catch (error) {
      if (error instanceof NotFound || error instanceof NoSuchKey) return undefined;
      throw error;
    }
  }

  private key(sha256: string): string {
    return this.prefix === '' ? sha256 : `${this.prefix}/${sha256}`;
  }
}
