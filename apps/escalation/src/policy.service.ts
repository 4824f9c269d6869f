import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { EventLog, type LogTransaction } from '@tierline/log';
import type { EscalationConfiguration } from './configuration.ts';
import type { Tier } from './plan-escalation.ts';
import { nextPolicies, type Policy, type PolicyTerms } from './policy.ts';

interface InForce {
  policies: Policy[];
  tiers: Tier[];
}

/** The policies and tiers in force, and every version of a policy that ever was. */
@Injectable()
export class PolicyService {
  /** Versions never change, so what was read once holds for good. */
  private readonly versions = new Map<string, Policy>();

  constructor(private readonly log: EventLog) {}

  async inForce(tx: LogTransaction): Promise<InForce> {
    const [row] = await tx.query<InForce>('SELECT policies, tiers FROM escalation.configuration');
    return row!;
  }

  /** Looks a version up that some clock runs by. Call `know` first. */
  version(name: string, version: number): Policy {
    return this.versions.get(`${name}/${version}`)!;
  }

  async know(tx: LogTransaction, wanted: Iterable<{ policy: string; policyVersion: number }>): Promise<void> {
    const unknown = [...wanted].filter(({ policy, policyVersion }) => !this.versions.has(`${policy}/${policyVersion}`));
    if (unknown.length === 0) return;
    const rows = await tx.query<{ policy: Policy }>(
      'SELECT policy FROM escalation.policy_version WHERE (name, version) IN (SELECT * FROM unnest($1::text[], $2::int[]))',
      [unknown.map(({ policy }) => policy), unknown.map(({ policyVersion }) => policyVersion)],
    );
    for (const { policy } of rows) this.versions.set(`${policy.name}/${policy.version}`, policy);
  }

  /** Puts a configuration in force. Returns how many policies and lists of tiers are new, changed, moved or gone. */
  async apply(wanted: EscalationConfiguration): Promise<number> {
    return this.log.transaction('escalation', async (tx) => {
      const [before] = await tx.query<InForce>('SELECT policies, tiers FROM escalation.configuration FOR UPDATE');
      const latest = await tx.query<{ policy: Policy }>('SELECT DISTINCT ON (name) policy FROM escalation.policy_version ORDER BY name, version DESC');
      const policies = nextPolicies(
        wanted.policies.map(termsOf),
        latest.map(({ policy }) => policy),
      );
      const gone = before!.policies.filter(({ name }) => !policies.some((policy) => policy.name === name)).length;
      const changed = policies.filter((policy, position) => !isDeepStrictEqual(policy, before!.policies[position])).length;
      const tiersChanged = isDeepStrictEqual(wanted.tiers, before!.tiers) ? 0 : 1;
      if (gone + changed + tiersChanged === 0) return 0;
      await tx.query(
        `INSERT INTO escalation.policy_version (name, version, policy)
         SELECT policy ->> 'name', (policy ->> 'version')::int, policy FROM jsonb_array_elements($1::jsonb) AS policy ON CONFLICT DO NOTHING`,
        [JSON.stringify(policies)],
      );
      await tx.query('UPDATE escalation.configuration SET policies = $1::jsonb, tiers = $2::jsonb', [JSON.stringify(policies), JSON.stringify(wanted.tiers)]);
      return gone + changed + tiersChanged;
    });
  }
}

function termsOf({ name, match, firstResponse, resolution, warnAt, pauseOn }: EscalationConfiguration['policies'][number]): PolicyTerms {
  return {
    name,
    match,
    targetsMs: { ...(firstResponse !== undefined && { first_response: firstResponse }), ...(resolution !== undefined && { resolution }) },
    warnAtPercent: warnAt,
    pauseOn,
  };
}
