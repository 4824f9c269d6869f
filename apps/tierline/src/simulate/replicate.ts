import { arrivalTimes, durations } from './draw.ts';
import { EventHeap } from './event-heap.ts';
import { Pool } from './pool.ts';
import { Random } from './random.ts';
import type { SimulationSpec } from './spec.ts';
import { UNIT_MS } from './time-unit.ts';
import { WaitHistogram, type CountedWaits } from './wait-histogram.ts';

/** How often a replication says how far it is. */
const CONTACTS_PER_REPORT = 20_000;

const NOBODY = -1;

/** What was counted of one type in one replication. Waits are in time units. */
export interface Tally {
  offered: number;
  /** Lost because there was no place. */
  blocked: number;
  abandoned: number;
  served: number;
  servedAtOnce: number;
  /** One for each of `report.waitLe`. */
  servedWithin: number[];
  waitOfServed: number;
  waitOfAbandoned: number;
  /** Served by an agent whose primary skill is the type's first. */
  servedByPrimary: number;
  /** Contacts waiting, integrated over the time that is counted. */
  queueTime: number;
}

/** What one replication comes to. */
export interface Outcome {
  types: Tally[];
  /** Work of each agent within the time that is counted. */
  busyTime: Float64Array;
  /** The time that is counted. */
  time: number;
  waits: CountedWaits;
  /** All contacts that came, those of the warm-up too. */
  contacts: number;
}

interface Contact {
  readonly number: number;
  type: number;
  arrivedAtMs: number;
  startedAtMs: number;
  serviceMs: number;
  agent: number;
  isWaiting: boolean;
  isCounted: boolean;
  /** The one event that it waits for: the end of its patience, later of its service. All others of its number are out of date. */
  due: number;
}

/** Runs a specification once. The same specification and replication give the same outcome. */
export function replicate(spec: SimulationSpec, replication: number, onProgress: (share: number) => void = () => undefined): Outcome {
  return new Replication(spec, replication, onProgress).run();
}

class Replication {
  private readonly unitMs: number;
  private readonly heap = new EventHeap();
  private readonly pool: Pool;
  private readonly nextArrival: (() => number)[];
  private readonly nextService: (() => number)[];
  private readonly nextPatience: ((() => number) | undefined)[];

  private readonly contacts: Contact[] = [];
  private readonly spare: Contact[] = [];
  private waiting = 0;
  private inSystem = 0;
  private readonly systemPlaces: number;
  private readonly waitingPlaces: number;

  private nowMs = 0;
  private arrived = 0;
  private counted = 0;
  /** Types of which more contacts come. */
  private sources: number;
  private fromMs = Infinity;
  private untilMs = Infinity;
  private isOver = false;

  private readonly tallies: Tally[];
  private readonly waitLeMs: number[];
  private readonly busyMs: Float64Array;
  private readonly isPrimary: boolean[][];
  private readonly waits = new WaitHistogram();

  constructor(
    private readonly spec: SimulationSpec,
    replication: number,
    private readonly onProgress: (share: number) => void,
  ) {
    const { types, room, report, seed, timeUnit } = spec;
    const agents = spec.agents.flatMap((group) => Array<(typeof spec.agents)[number]>(group.count).fill(group));
    this.unitMs = UNIT_MS[timeUnit];
    // A stream for each purpose: two specifications that differ in their rules or agents are asked by the very same contacts.
    const stream = (type: number, purpose: number): Random => new Random(seed, replication, type, purpose);
    this.nextArrival = types.map((type, index) => arrivalTimes(type.arrivals, stream(index, 0), this.unitMs));
    this.nextService = types.map((type, index) => durations(type.service, stream(index, 1), this.unitMs));
    this.nextPatience = types.map((type, index) => type.patience && durations(type.patience, stream(index, 2), this.unitMs));
    this.systemPlaces = room?.counts === 'system' ? room.places + agents.reduce((sum, { capacity }) => sum + capacity, 0) : Infinity;
    this.waitingPlaces = room?.counts === 'waiting' ? room.places : Infinity;
    this.sources = types.length;
    this.waitLeMs = report.waitLe.map((wait) => wait * this.unitMs);
    this.tallies = types.map(() => ({
      offered: 0,
      blocked: 0,
      abandoned: 0,
      served: 0,
      servedAtOnce: 0,
      servedWithin: this.waitLeMs.map(() => 0),
      waitOfServed: 0,
      waitOfAbandoned: 0,
      servedByPrimary: 0,
      queueTime: 0,
    }));
    this.busyMs = new Float64Array(agents.length);
    this.isPrimary = types.map(({ skills }) => agents.map((agent) => agent.skills[0]!.skill === skills[0]!.skill));
    if (spec.warmUp?.contacts === undefined) this.countFrom((spec.warmUp?.duration ?? 0) * this.unitMs);
    this.pool = new Pool(spec, (contact, agent) => this.start(this.contacts[contact]!, agent));
  }

  run(): Outcome {
    for (let type = 0; type < this.spec.types.length; type++) this.expectArrival(type);
    for (let what = this.heap.pop(); what !== undefined; what = this.heap.pop()) {
      this.nowMs = this.heap.nowMs;
      // Below zero a type of which a contact comes, above a contact.
      if (what < 0) this.arrive(-1 - what);
      else this.goOn(this.contacts[what]!);
    }
    const inUnits = (tally: Tally): Tally => ({
      ...tally,
      waitOfServed: tally.waitOfServed / this.unitMs,
      waitOfAbandoned: tally.waitOfAbandoned / this.unitMs,
      queueTime: tally.queueTime / this.unitMs,
    });
    return {
      types: this.tallies.map(inUnits),
      busyTime: this.busyMs.map((ms) => ms / this.unitMs),
      time: this.fromMs < Infinity ? (this.untilMs - this.fromMs) / this.unitMs : 0,
      waits: this.waits.counted(),
      contacts: this.arrived,
    };
  }

  private expectArrival(type: number): void {
    const atMs = this.nextArrival[type]!();
    if (atMs < Infinity) this.heap.push(atMs, -1 - type);
    else if (--this.sources === 0 && this.untilMs === Infinity) this.untilMs = this.nowMs;
  }

  private arrive(type: number): void {
    if (this.isOver || this.isEnd()) return;
    this.expectArrival(type);
    if (this.arrived === this.spec.warmUp?.contacts) this.countFrom(this.nowMs);
    if (++this.arrived % CONTACTS_PER_REPORT === 0) this.onProgress(this.share());

    const contact = this.take(type);
    const tally = this.tallies[type]!;
    // Drawn whether or not they are needed, so that every contact has its own whatever befalls the others.
    contact.serviceMs = this.nextService[type]!();
    const patienceMs = this.nextPatience[type]?.();
    if (contact.isCounted) {
      this.counted++;
      tally.offered++;
    }
    if (this.inSystem >= this.systemPlaces) return this.turnAway(contact);
    this.pool.enqueue(contact.number, type, this.nowMs);
    if (contact.agent === NOBODY) {
      if (this.waiting >= this.waitingPlaces) {
        this.pool.withdraw(contact.number, this.nowMs);
        return this.turnAway(contact);
      }
      contact.isWaiting = true;
      this.waiting++;
      if (patienceMs !== undefined) contact.due = this.heap.push(this.nowMs + patienceMs, contact.number);
    }
    this.inSystem++;
  }

  /** No more contacts: those who are here are served, as when the doors are closed. */
  private isEnd(): boolean {
    if (this.counted === this.spec.length.contacts) this.untilMs = this.nowMs;
    this.isOver = this.nowMs >= this.untilMs;
    return this.isOver;
  }

  private countFrom(ms: number): void {
    this.fromMs = ms;
    if (this.spec.length.duration !== undefined) this.untilMs = ms + this.spec.length.duration * this.unitMs;
  }

  private turnAway(contact: Contact): void {
    if (contact.isCounted) this.tallies[contact.type]!.blocked++;
    this.spare.push(contact);
  }

  /** The matcher has given the contact to an agent. */
  private start(contact: Contact, agent: number): void {
    contact.agent = agent;
    contact.startedAtMs = this.nowMs;
    contact.due = this.heap.push(this.nowMs + contact.serviceMs, contact.number);
    if (contact.isWaiting) this.endWait(contact);
    if (!contact.isCounted) return;
    const tally = this.tallies[contact.type]!;
    const waitMs = this.nowMs - contact.arrivedAtMs;
    tally.served++;
    tally.waitOfServed += waitMs;
    if (waitMs === 0) tally.servedAtOnce++;
    for (let index = 0; index < this.waitLeMs.length; index++) if (waitMs <= this.waitLeMs[index]!) tally.servedWithin[index]!++;
    if (this.isPrimary[contact.type]![agent]) tally.servedByPrimary++;
    this.waits.add(waitMs / this.unitMs);
  }

  private endWait(contact: Contact): void {
    contact.isWaiting = false;
    this.waiting--;
    this.tallies[contact.type]!.queueTime += this.countedMs(contact.arrivedAtMs);
  }

  private goOn(contact: Contact): void {
    if (contact.due !== this.heap.nowOrder) return;
    if (contact.agent === NOBODY) this.abandon(contact);
    else this.finish(contact);
  }

  private finish(contact: Contact): void {
    this.busyMs[contact.agent]! += this.countedMs(contact.startedAtMs) * this.spec.types[contact.type]!.weight;
    this.leave(contact);
  }

  private abandon(contact: Contact): void {
    this.endWait(contact);
    if (contact.isCounted) {
      const tally = this.tallies[contact.type]!;
      tally.abandoned++;
      tally.waitOfAbandoned += this.nowMs - contact.arrivedAtMs;
    }
    this.leave(contact);
  }

  private leave(contact: Contact): void {
    this.inSystem--;
    this.pool.withdraw(contact.number, this.nowMs);
    this.spare.push(contact);
  }

  /** How much of the time since then is counted. */
  private countedMs(sinceMs: number): number {
    return Math.max(0, Math.min(this.nowMs, this.untilMs) - Math.max(sinceMs, this.fromMs));
  }

  private take(type: number): Contact {
    let contact = this.spare.pop();
    if (!contact) {
      contact = { number: this.contacts.length, type, arrivedAtMs: 0, startedAtMs: 0, serviceMs: 0, agent: NOBODY, isWaiting: false, isCounted: false, due: 0 };
      this.contacts.push(contact);
    }
    contact.type = type;
    contact.arrivedAtMs = this.nowMs;
    contact.agent = NOBODY;
    contact.isWaiting = false;
    contact.due = 0;
    contact.isCounted = this.nowMs >= this.fromMs;
    return contact;
  }

  private share(): number {
    const { contacts } = this.spec.length;
    if (contacts !== undefined) return this.counted / contacts;
    return this.untilMs < Infinity ? this.nowMs / this.untilMs : 0;
  }
}
