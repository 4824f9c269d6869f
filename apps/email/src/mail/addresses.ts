import addressparser from 'nodemailer/lib/addressparser';
import { decodeWords } from './encoded-words.ts';

export interface MailAddress {
  /** As written. */
  readonly address: string;
  readonly name?: string;
}

/** Of one field: a mail to thousands is a circular, and nobody reads its recipients. */
const MAX_ADDRESSES = 100;
const MAX_NAME = 200;
/** RFC 5321 §4.5.3.1: 64 octets before the @, 255 after it. */
const ADDRESS = /^[^\s@<>]{1,64}@[^\s@<>]{1,255}$/u;

/** The addresses of a field, groups flattened. What has no address is left out. */
export function readAddresses(value: string): MailAddress[] {
  // Names are decoded after the split: an encoded comma separates nobody.
  const addresses = parse(value);
  // Some programs encode the whole field, against RFC 2047 §5.
  return addresses.length > 0 || !value.includes('=?') ? addresses : parse(decodeWords(value));
}

function parse(value: string): MailAddress[] {
  return addressparser(value, { flatten: true })
    .slice(0, MAX_ADDRESSES)
    .flatMap(({ address, name }) => {
      if (!ADDRESS.test(address)) return [];
      const display = decodeWords(name).trim().slice(0, MAX_NAME);
      return [{ address, ...(display !== '' && { name: display }) }];
    });
}

/** What two spellings of an address share. */
export function normalizeAddress(address: string): string {
  return address.trim().toLowerCase();
}
