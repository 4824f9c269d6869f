import type { AgentProfile, MatcherRules, SkillRequirement } from '@tierline/events';
import { BitSet } from './bit-set.ts';
import { asksForOrder, leadingKeys, lineRank, linesOf, skillOrder, skillRank, type SkillSet } from './match-rules.ts';
import { ReadyAgents, type Agent } from './ready-agents.ts';
import { skillLevels } from './skill-match.ts';

/** What is asked of an agent, by all the tickets that ask the same. */
export interface Need {
  readonly required: readonly SkillRequirement[];
  readonly preferred: readonly string[];
  readonly skills: readonly { index: number; minLevel: number }[];
  readonly weight: number;
  readonly interrupts: boolean;
  /** The number of its first line; more follow with the rules that have more. */
  readonly firstLine: number;
  /** Who qualifies, those who are asked first before the others. */
  readonly servers: Server[];
  readonly eligible: BitSet;
}

/** A profile that qualifies for a need, and how well. */
export interface Server {
  readonly profile: Profile;
  readonly rank: readonly number[];
}

/** The agents with the same skills. */
export interface Profile extends SkillSet {
  readonly key: string;
  /** Its bit in bit sets. */
  readonly bit: number;
  /** Level by a skill's index, 0 without it. */
  readonly levelAt: Uint8Array;
  readonly members: Set<Agent>;
  readonly ready: ReadyAgents;
  readonly needs: Need[];
  /** The lines that its agents serve, in no order, and what ranks each for them. */
  readonly lines: number[];
  readonly lineRanks: number[];
  /** Whether they differ: mostly all are 0. */
  isRanked: boolean;
}

/** Which agents may serve which tickets: answered once for a profile and a need, when the later of them is first seen. */
export class Eligibility {
  /** Every need that was ever asked for. Configurations name few, so none is forgotten. */
  readonly needs: Need[] = [];
  /** The profiles that have somebody ready. */
  readonly ready = new BitSet();
  /** Of any need. */
  maxWeight = 0;
  /** Needs that have lost their last server or got their first since these were last taken. */
  turned: Need[] = [];
  private readonly needByKey = new Map<string, Need>();
  private readonly profiles = new Map<string, Profile>();
  private readonly skillIndex = new Map<string, number>();
  private readonly freeBits: number[] = [];
  private readonly leading: number;

  constructor(private readonly rules: MatcherRules) {
    this.leading = leadingKeys(rules);
  }

  needOf(required: readonly SkillRequirement[], preferred: readonly string[], weight: number, interrupts: boolean): Need {
    const key = `${weight}${interrupts ? '!' : ''} ${required.map(({ skill, minLevel }) => `${skill}=${minLevel}`).join()} ${preferred.join()}`;
    const known = this.needByKey.get(key);
    if (known) return known;
    const need: Need = {
      ...{ required, preferred, weight, interrupts },
      skills: required.map(({ skill, minLevel }) => ({ index: this.indexOf(skill), minLevel })),
      firstLine: this.needs.length * linesOf(this.rules),
      servers: [],
      eligible: new BitSet(),
    };
    this.needByKey.set(key, need);
    this.maxWeight = Math.max(this.maxWeight, weight);
    this.needs.push(need);
    for (const profile of this.profiles.values()) this.join(profile, need);
    return need;
  }

  profileOf(agent: AgentProfile): Profile {
    const levels = skillLevels(agent);
    const skills = [...levels].map(([skill, level]) => `${skill}=${level}`);
    const key = (asksForOrder(this.rules) ? skills : skills.sort()).join();
    const known = this.profiles.get(key);
    if (known) return known;
    const indexes = [...levels].map(([skill, level]) => [this.indexOf(skill), level] as const);
    const levelAt = new Uint8Array(Math.max(...indexes.map(([index]) => index)) + 1);
    for (const [index, level] of indexes) levelAt[index] = level;
    const bit = this.freeBits.pop() ?? this.profiles.size;
    const profile: Profile = {
      ...{ key, bit, levels, levelAt },
      order: skillOrder(agent),
      members: new Set(),
      ready: new ReadyAgents(this.rules),
      needs: [],
      lines: [],
      lineRanks: [],
      isRanked: false,
    };
    this.profiles.set(key, profile);
    for (const need of this.needs) this.join(profile, need);
    return profile;
  }

  /** Nobody has these skills any more. */
  remove(profile: Profile): void {
    this.profiles.delete(profile.key);
    this.freeBits.push(profile.bit);
    this.ready.delete(profile.bit);
    for (const need of profile.needs) {
      const { servers, eligible } = need;
      const at = servers.findIndex((server) => server.profile === profile);
      servers.splice(at, 1);
      eligible.delete(profile.bit);
      if (servers.length === 0) this.turned.push(need);
    }
  }

  /** Compares by what is known of profiles without looking at their agents. */
  compareLeading(a: Server, b: Server): number {
    for (let key = 0; key < this.leading; key++) {
      const difference = a.rank[key]! - b.rank[key]!;
      if (difference !== 0) return difference;
    }
    return 0;
  }

  private join(profile: Profile, need: Need): void {
    const { levelAt } = profile;
    for (const { index, minLevel } of need.skills) if (!(levelAt[index]! >= minLevel)) return;
    profile.needs.push(need);
    for (let line = 0; line < linesOf(this.rules); line++) {
      profile.lines.push(need.firstLine + line);
      const rank = lineRank(this.rules, line, profile.order, need.required);
      profile.lineRanks.push(rank);
      profile.isRanked ||= rank !== 0;
    }
    const server: Server = { profile, rank: skillRank(profile, need.required, need.preferred, this.rules) };
    const { servers } = need;
    let at = servers.length;
    while (at > 0 && this.compareLeading(server, servers[at - 1]!) < 0) at--;
    servers.splice(at, 0, server);
    if (servers.length === 1) this.turned.push(need);
    need.eligible.add(profile.bit);
  }

  private indexOf(skill: string): number {
    const index = this.skillIndex.get(skill) ?? this.skillIndex.size;
    this.skillIndex.set(skill, index);
    return index;
  }
}
