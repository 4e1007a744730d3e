import { createWriteStream, type WriteStream } from 'node:fs';
import type { Clock } from '#base/clock.ts';
import type { SecretMask } from './secret-mask.ts';

export interface JobLogOptions {
  clock: Clock;
  file: string;
  mask: SecretMask;
  /** Bytes after which further output is dropped, with one line that says so. */
  limitBytes: number;
}

const lineLimit = 64 * 1024;

/** The log of one job: time-stamped lines, masked, appended to its file as they come. */
export class JobLog implements AsyncDisposable {
  readonly #options: JobLogOptions;
  readonly #stream: WriteStream;
  #bytes = 0;
  #keys = 0;
  #full = false;
  #failure: Error | undefined;

  constructor(options: JobLogOptions) {
    this.#options = options;
    this.#stream = createWriteStream(options.file, { flags: 'a' });
    this.#stream.on('error', (error) => {
      this.#failure = error;
    });
  }

  /** The error that kept lines from being written, if any. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** A number that no other caller of this log gets. */
  nextKey(): string {
    this.#keys += 1;
    return String(this.#keys);
  }

  line(text: string): void {
    if (this.#full || this.#failure) return;
    const { clock, mask, limitBytes } = this.#options;
    const stamp = new Date(clock.now()).toISOString().replace('Z', '0000Z');
    const masked = mask.apply(text);
    const short = masked.length > lineLimit ? `${masked.slice(0, lineLimit)} [line cut]` : masked;
    let out = `${stamp} ${short}\n`;
    this.#bytes += Buffer.byteLength(out);
    if (this.#bytes > limitBytes) {
      this.#full = true;
      out = `${stamp} ##[warning]The log limit of ${limitBytes} bytes is reached; further output is dropped.\n`;
    }
    this.#stream.write(out);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stream.destroyed) return;
    await new Promise<void>((resolve) => {
      this.#stream.once('close', () => resolve());
      this.#stream.end();
    });
  }
}
