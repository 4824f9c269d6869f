/** A terminal's line is redrawn this often; where lines stay, one is written now and then. */
const REDRAWN_EVERY_MS = 200;
const WRITTEN_EVERY_MS = 10_000;
/** Shorter runs say nothing. */
const SILENT_MS = 1_500;

/** Says on stderr how much is done and how long the rest may take. */
export class Progress {
  private readonly startedAt = performance.now();
  private nextAt: number;

  constructor(
    private readonly title: string,
    private readonly stream: NodeJS.WriteStream,
  ) {
    this.nextAt = this.startedAt + (stream.isTTY ? SILENT_MS : WRITTEN_EVERY_MS);
  }

  at(share: number): void {
    const now = performance.now();
    if (now < this.nextAt || share <= 0) return;
    this.nextAt = now + (this.stream.isTTY ? REDRAWN_EVERY_MS : WRITTEN_EVERY_MS);
    const left = Math.round(((now - this.startedAt) * (1 - share)) / share / 1000);
    const text = `${this.title}: ${Math.floor(100 * share)} %, about ${left < 90 ? `${left} s` : `${Math.round(left / 60)} min`} to go`;
    this.stream.write(this.stream.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.stream.isTTY) this.stream.write('\r\x1b[K');
  }
}
