import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel, type Consumer, type Producer } from 'kafkajs';
import { BareLine, type BareEvent } from './bare-line.ts';
import { contactOf } from './contacts.ts';
import { percentile } from './figure.ts';

const PARTITIONS = 8;
const BATCH = 500;

type Stage = (line: BareLine, events: readonly BareEvent[]) => Promise<BareEvent[]>;

/** The stages behind the door, each by the topic that it reads and the one that it writes. */
const STAGES: readonly { name: string; from: string; to: string; work: Stage }[] = [
  { name: 'tickets', from: 'contact', to: 'ticket', work: (line, events) => line.openTickets(events) },
  { name: 'routing', from: 'ticket', to: 'work', work: (line, events) => line.queue(events) },
  { name: 'escalation', from: 'ticket', to: 'clock', work: (line, events) => line.startClocks(events) },
];

/** The line by hand over Kafka: a consumer and a connection for each stage, all in one process; what a stage has committed is produced, and offsets commit themselves. */
export class BareKafkaLine {
  private readonly consumers: Consumer[] = [];
  private readonly lines: BareLine[] = [];
  /** How many of the two last stages a contact has behind it, and when the second was over. */
  private readonly passed = new Map<string, number>();
  private readonly doneAt = new Map<string, number>();
  private door!: BareLine;
  private producer!: Producer;

  constructor(
    private readonly url: string,
    private readonly brokers: readonly string[],
    private readonly prefix: string,
  ) {}

  async start(): Promise<void> {
    const kafka = new Kafka({ brokers: [...this.brokers], logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: ['contact', 'ticket', 'work', 'clock'].map((topic) => ({ topic: this.prefix + topic, numPartitions: PARTITIONS })) });
    await admin.disconnect();
    this.producer = kafka.producer();
    await this.producer.connect();
    this.door = await BareLine.open(this.url);
    for (const { name, from, to, work } of STAGES) {
      const line = await BareLine.open(this.url, { isFirst: false });
      this.lines.push(line);
      const consumer = kafka.consumer({ groupId: this.prefix + name, maxWaitTimeInMs: 20 });
      this.consumers.push(consumer);
      await consumer.connect();
      await consumer.subscribe({ topics: [this.prefix + from], fromBeginning: true });
      await consumer.run({
        eachBatch: async ({ batch: { messages } }) => {
          for (let first = 0; first < messages.length; first += BATCH) {
            const events = messages.slice(first, first + BATCH).map(({ key, value }) => ({ key: key!.toString(), payload: value!.toString() }));
            const told = await work(line, events);
            await this.produce(to, told);
            if (name !== 'tickets') this.note(told);
          }
        },
      });
    }
  }

  /** Hands contacts in; resolves when their events are produced. Returns their ids. */
  async handIn(count: number): Promise<string[]> {
    const contacts = Array.from({ length: count }, (_, n) => contactOf(n));
    await this.produce('contact', await this.door.keep(contacts));
    return contacts.map(({ id }) => id);
  }

  /** Contacts a second, from the first handed in to the last done. */
  async throughput(contacts: number): Promise<number> {
    const start = performance.now();
    const before = this.doneAt.size;
    for (let sent = 0; sent < contacts; sent += BATCH) await this.handIn(BATCH);
    await this.untilDone(before + contacts);
    return (contacts / (performance.now() - start)) * 1000;
  }

  /** How long contacts take at an even pace, in ms: the half of them at most so long. */
  async p50(perSecond: number, seconds: number): Promise<number> {
    const sentAt = new Map<string, number>();
    const before = this.doneAt.size;
    const start = performance.now();
    for (let sent = 0; sent < perSecond * seconds;) {
      const owed = Math.min(perSecond * seconds, Math.floor(((performance.now() - start) / 1000) * perSecond)) - sent;
      const at = performance.now();
      if (owed > 0) for (const id of await this.handIn(owed)) sentAt.set(id, at);
      sent += owed;
      await sleep(1);
    }
    await this.untilDone(before + sentAt.size);
    const latencies = [...sentAt].map(([id, at]) => this.doneAt.get(id)! - at).sort((a, b) => a - b);
    return percentile(latencies, 0.5);
  }

  async stop(): Promise<void> {
    await Promise.all(this.consumers.map((consumer) => consumer.disconnect()));
    await this.producer.disconnect();
    for (const line of [this.door, ...this.lines]) await line.close();
  }

  private async produce(topic: string, events: readonly BareEvent[]): Promise<void> {
    await this.producer.send({ topic: this.prefix + topic, acks: -1, messages: events.map(({ key, payload }) => ({ key, value: payload })) });
  }

  private note(events: readonly BareEvent[]): void {
    for (const { payload } of events) {
      const { contactId } = (JSON.parse(payload) as { data: { contactId: string } }).data;
      const passed = (this.passed.get(contactId) ?? 0) + 1;
      this.passed.set(contactId, passed);
      if (passed === 2) this.doneAt.set(contactId, performance.now());
    }
  }

  private async untilDone(count: number): Promise<void> {
    while (this.doneAt.size < count) await sleep(2);
  }
}
