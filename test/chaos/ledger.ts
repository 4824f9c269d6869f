import { open, readFile, type FileHandle } from 'node:fs/promises';

/** The n-th contact of a conversation of ours: `p3-12/4`. Stands in its text, so that it is known wherever it turns up. */
export type ContactName = string;

export const contactName = (conversation: string, n: number): ContactName => `${conversation}/${n}`;

export const conversationOf = (name: ContactName): string => name.slice(0, name.lastIndexOf('/'));
export const numberOf = (name: ContactName): number => Number(name.slice(name.lastIndexOf('/') + 1));

/** The text of a contact, and how its name is found in a text. */
export const textOf = (name: ContactName): string => `Contact [${name}] of a test, please answer.`;
export const nameIn = (text: string | null | undefined): ContactName | undefined => /\[(\w+-\d+\/\d+)\]/.exec(text ?? '')?.[1];

/** What the senders know, kept outside of the system under test: what was sent, and what a door has acknowledged. */
export class Ledger {
  readonly count = { sent: 0, acked: 0 };
  private lines: string[] = [];
  private syncing: Promise<void> | undefined;

  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
  ) {}

  static async open(path: string): Promise<Ledger> {
    return new Ledger(path, await open(path, 'ax'));
  }

  /** Before it is sent: what nobody meant to send must not turn up. Resolves when it is on disk. */
  async sent(name: ContactName): Promise<void> {
    await this.write(`sent ${name}`);
    this.count.sent++;
  }

  /** Resolves when it is on disk. */
  async acked(name: ContactName): Promise<void> {
    await this.write(`acked ${name}`);
    this.count.acked++;
  }

  /** What is in the file. */
  async read(): Promise<ReadLedger> {
    return parseLedger(await readFile(this.path, 'utf8'));
  }

  async close(): Promise<void> {
    await this.syncing;
    await this.file.close();
  }

  private write(line: string): Promise<void> {
    this.lines.push(`${line}\n`);
    // Whoever comes while a sync is on its way shares the next one.
    this.syncing = this.syncing ? this.syncing.then(() => this.sync()) : this.sync();
    return this.syncing;
  }

  private async sync(): Promise<void> {
    const lines = this.lines.splice(0);
    if (lines.length === 0) return;
    await this.file.write(lines.join(''));
    await this.file.datasync();
  }
}

export interface ReadLedger {
  readonly sent: ReadonlySet<ContactName>;
  readonly acked: ReadonlySet<ContactName>;
}

export function parseLedger(text: string): ReadLedger {
  const lines = text.split('\n').map((line) => line.split(' ') as [string, ContactName]);
  const of = (what: string): Set<ContactName> => new Set(lines.filter(([word]) => word === what).map(([, name]) => name));
  return { sent: of('sent'), acked: of('acked') };
}
