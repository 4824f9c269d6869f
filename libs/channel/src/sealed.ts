import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts what is secret at rest: AES-256-GCM under a key derived from the installation's secret. */
export class Seal {
  private readonly key: Buffer;

  constructor(secret: string) {
    this.key = Buffer.from(hkdfSync('sha256', secret, '', 'tierline account settings', 32));
  }

  /** `owner` binds the box to the row it stands in: moved to another row it does not open. */
  close(text: string, owner: string): Buffer {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.key, iv).setAAD(Buffer.from(owner));
    return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  }

  /** Throws SealError when the box was closed under another secret or owner, or was changed. */
  open(box: Buffer, owner: string): string {
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.key, box.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
        .setAAD(Buffer.from(owner))
        .setAuthTag(box.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(box.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
    } catch {
      throw new SealError(owner);
    }
  }
}

/** Sealed settings cannot be read: TIERLINE_SECRET is not the one they were written under. */
export class SealError extends Error {
  readonly code = 'account.sealed';
  constructor(owner: string) {
    super(`the settings of ${owner} were sealed under another TIERLINE_SECRET; give that one, or apply the settings again`);
  }
}
