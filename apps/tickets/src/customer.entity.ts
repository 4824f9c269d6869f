import { newId, type Party } from '@tierline/events';
import type { LogTransaction } from '@tierline/log';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { identityKey } from './place-contact.ts';

/** Somebody who contacts us, whatever the channel. */
@Entity({ schema: 'tickets', name: 'customer' })
export class Customer {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;
  @Column({ type: 'text', nullable: true })
  name!: string | null;
  @Column({ name: 'made_at', type: 'timestamptz' })
  madeAt!: Date;
}

/** An address by which a customer is known. It belongs to one customer for ever: two customers are never merged because of what somebody claims. */
@Entity({ schema: 'tickets', name: 'identity' })
export class Identity {
  @PrimaryColumn({ type: 'text' })
  type!: Party['type'];
  @PrimaryColumn({ type: 'text' })
  normalized!: string;
  @Column({ name: 'customer_id', type: 'uuid' })
  customerId!: string;
  @Column({ type: 'text' })
  value!: string;
  /** Whether a channel has ever vouched for it. */
  @Column({ type: 'boolean' })
  verified!: boolean;
}

type Known = Pick<Identity, 'type' | 'normalized' | 'customerId' | 'verified'>;

/** The customers with these addresses, found or made, by `identityKey`. Others who make the same ones at the same time are waited for. */
export async function findOrMakeCustomers(tx: LogTransaction, parties: readonly Party[]): Promise<ReadonlyMap<string, string>> {
  // A verified party of the batch speaks for the address, and everybody locks in one order.
  const wanted = new Map([...parties].sort((a, b) => Number(a.verified) - Number(b.verified)).map((party) => [identityKey(party), party]));
  const sorted = [...wanted.keys()].sort().map((key) => wanted.get(key)!);
  const known = await find(tx, sorted);
  const customers = new Map(known.map((identity) => [identityKey(identity), identity.customerId]));
  const isMissing = (party: Party): boolean => !customers.has(identityKey(party));
  for (const made of await make(tx, sorted.filter(isMissing))) customers.set(identityKey(made), made.customerId);
  // Those that another transaction made while this one waited for it.
  for (const found of await find(tx, sorted.filter(isMissing))) customers.set(identityKey(found), found.customerId);
  await prove(
    tx,
    known.filter((identity) => !identity.verified && wanted.get(identityKey(identity))!.verified),
  );
  return customers;
}

async function find(tx: LogTransaction, parties: readonly Party[]): Promise<Known[]> {
  if (parties.length === 0) return [];
  return tx.query<Known>(
    `SELECT i.* FROM unnest($1::text[], $2::text[]) AS wanted(type, normalized) CROSS JOIN LATERAL (
       SELECT type, normalized, customer_id AS "customerId", verified FROM tickets.identity WHERE type = wanted.type AND normalized = wanted.normalized LIMIT 1) i`,
    [parties.map(({ type }) => type), parties.map(({ normalized }) => normalized)],
  );
}

async function make(tx: LogTransaction, parties: readonly Party[]): Promise<Known[]> {
  if (parties.length === 0) return [];
  return tx.query<Known>(
    `WITH made AS (
       INSERT INTO tickets.identity (type, normalized, customer_id, value, verified)
       SELECT type, normalized, customer_id, value, verified
       FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::boolean[]) AS n(type, normalized, customer_id, value, verified)
       ON CONFLICT DO NOTHING RETURNING type, normalized, customer_id, verified),
     customer AS (
       INSERT INTO tickets.customer (id, name, made_at)
       SELECT id, name, now() FROM unnest($3::uuid[], $6::text[]) AS n(id, name) WHERE id IN (SELECT customer_id FROM made))
     SELECT type, normalized, customer_id AS "customerId", verified FROM made`,
    [
      parties.map(({ type }) => type),
      parties.map(({ normalized }) => normalized),
      parties.map(() => newId()),
      parties.map(({ value }) => value),
      parties.map(({ verified }) => verified),
      parties.map(({ display }) => display ?? null),
    ],
  );
}

async function prove(tx: LogTransaction, identities: readonly Known[]): Promise<void> {
  if (identities.length === 0) return;
  await tx.query(
    `UPDATE tickets.identity i SET verified = true FROM unnest($1::text[], $2::text[]) AS n(type, normalized) WHERE i.type = n.type AND i.normalized = n.normalized`,
    [identities.map(({ type }) => type), identities.map(({ normalized }) => normalized)],
  );
}
