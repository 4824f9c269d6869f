import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '@nestjs/common';
import type { EventLog } from '@tierline/log';
import { invalid } from '@tierline/service';
import { z } from 'zod';
import { Seal } from './sealed.ts';

/** How old another process's change may be before this one knows it. */
const REFRESH_MS = 3_000;
/** Stands for a secret where settings are shown; sent back, it means "as it is". */
const SHOWN = 'set';

/** Marks a setting that is never shown again. */
export const secret = <S extends z.ZodType>(schema: S): S => schema.meta({ secret: true });

/** What a channel's section of the configuration is: its accounts by name, each with settings of the channel's shape. */
export function accountsSection<S extends z.ZodObject>(settings: S) {
  return z.strictObject({ accounts: z.record(z.string().min(1).max(200), settings).default({}) });
}

/** The accounts of a channel: mailboxes, numbers, pages, sites. Settings are sealed at rest; secrets among them are never shown. */
export class Accounts<Settings extends Record<string, unknown> = Record<string, unknown>> {
  private known: ReadonlyMap<string, Settings> = new Map();
  private readonly seal: Seal;
  private readonly secretPaths: string[][];
  private readonly listeners = new Set<() => void>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly log: EventLog,
    private readonly service: string,
    settings: z.ZodObject,
    installationSecret: string,
    private readonly logger: Logger,
  ) {
    this.seal = new Seal(installationSecret);
    this.secretPaths = secretPathsOf(settings);
  }

  /** The account's settings as last read: at most some seconds old where another process changed them. */
  get(ref: string): Settings | undefined {
    return this.known.get(ref);
  }

  all(): ReadonlyMap<string, Settings> {
    return this.known;
  }

  /** Calls `listener` when the accounts have changed, here or elsewhere. */
  onChange(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** All accounts with their secrets covered. */
  shown(): Record<string, Record<string, unknown>> {
    const cover = (settings: Settings): Record<string, unknown> => this.withSecrets(settings, (_, value) => (value === undefined ? undefined : SHOWN));
    return Object.fromEntries([...this.known].map(([ref, settings]) => [ref, cover(settings)]));
  }

  /** Makes these the channel's accounts, and says how many that changed: none the second time. */
  async apply(accounts: Readonly<Record<string, Settings>>): Promise<{ changed: number }> {
    const changed = await this.log.transaction(this.service, async (tx) => {
      const before = this.opened(await tx.query<Row>(`SELECT ref, sealed FROM ${this.table} ORDER BY ref FOR UPDATE`));
      const after = new Map(Object.entries(accounts).map(([ref, settings]) => [ref, this.uncovered(ref, settings, before.get(ref))]));
      const upserts = [...after].filter(([ref, settings]) => !isDeepStrictEqual(settings, before.get(ref)));
      const gone = [...before.keys()].filter((ref) => !after.has(ref));
      if (upserts.length > 0) {
        await tx.query(
          `INSERT INTO ${this.table} (ref, sealed) SELECT * FROM unnest($1::text[], $2::bytea[])
           ON CONFLICT (ref) DO UPDATE SET sealed = excluded.sealed, changed_at = now()`,
          [upserts.map(([ref]) => ref), upserts.map(([ref, settings]) => this.seal.close(JSON.stringify(settings), this.ownerOf(ref)))],
        );
      }
      if (gone.length > 0) await tx.query(`DELETE FROM ${this.table} WHERE ref = ANY($1::text[])`, [gone]);
      return upserts.length + gone.length;
    });
    await this.refresh();
    return { changed };
  }

  async start(): Promise<void> {
    await this.refresh();
    this.timer = setInterval(() => {
      this.refresh().catch((error: unknown) => this.logger.warn(`accounts: ${error instanceof Error ? error.message : String(error)}`));
    }, REFRESH_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async refresh(): Promise<void> {
    const read = this.opened(await this.log.dataSource.query<Row[]>(`SELECT ref, sealed FROM ${this.table} ORDER BY ref`));
    if (isDeepStrictEqual(read, this.known)) return;
    this.known = read;
    for (const listener of this.listeners) listener();
  }

  private opened(rows: Row[]): Map<string, Settings> {
    return new Map(rows.map(({ ref, sealed }) => [ref, JSON.parse(this.seal.open(sealed, this.ownerOf(ref))) as Settings]));
  }

  private uncovered(ref: string, settings: Settings, before: Settings | undefined): Settings {
    const whole = this.withSecrets(settings, (path, value) => {
      if (value !== SHOWN) return value;
      const kept = valueAt(before, path);
      if (kept === undefined) throw invalid('account.secret_missing', `${path.join('.')} of ${ref} has never been set`);
      return kept;
    });
    // As it comes back from the row, so that "unchanged" can be seen.
    return JSON.parse(JSON.stringify(whole)) as Settings;
  }

  /** A copy of the settings with each secret replaced. */
  private withSecrets(settings: Settings, replace: (path: string[], value: unknown) => unknown): Settings {
    const copy = structuredClone(settings);
    for (const path of this.secretPaths) {
      const parent = valueAt(copy, path.slice(0, -1)) as Record<string, unknown> | undefined;
      const name = path.at(-1)!;
      if (parent) parent[name] = replace(path, parent[name]);
    }
    return copy;
  }

  private ownerOf(ref: string): string {
    return `${this.service}/${ref}`;
  }

  private get table(): string {
    return `"${this.service}".account`;
  }
}

interface Row {
  ref: string;
  sealed: Buffer;
}

/** Where the secrets of a shape stand: `password`, or `imap.password` in settings that have parts. */
function secretPathsOf(shape: z.ZodObject, parents: string[] = []): string[][] {
  return Object.entries(shape.shape).flatMap(([name, schema]) => {
    const path = [...parents, name];
    const inner: unknown = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
    if ([schema, inner].some((marked) => (marked as z.ZodType).meta()?.['secret'] === true)) return [path];
    return inner instanceof z.ZodObject ? secretPathsOf(inner, path) : [];
  });
}

function valueAt(settings: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], settings);
}
