import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export interface LogLimits {
  /** Of one file; one older file is kept beside the current one. */
  maxBytes: number;
  maxLineBytes: number;
}

export const defaultLogLimits: LogLimits = { maxBytes: 10 * 1024 * 1024, maxLineBytes: 16 * 1024 };

const newline = Buffer.of(10);

/**
 * One run of a container on disk, in the usual form `time stream F|P text`. The file is turned over at its limit, so a
 * container that never stops talking costs at most twice `maxBytes`.
 */
export class ContainerLog {
  readonly path: string;
  readonly #limits: LogLimits;
  readonly #now: () => number;
  readonly #rest: Record<'stdout' | 'stderr', Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  readonly #listeners = new Set<() => void>();
  #file: number;
  #bytes: number;
  /** Counts turned-over files, so that a reader knows its offset is of an older one. */
  generation = 0;
  #open = true;

  constructor(path: string, options: { limits: LogLimits; now: () => number }) {
    this.path = path;
    this.#limits = options.limits;
    this.#now = options.now;
    mkdirSync(dirname(path), { recursive: true });
    this.#file = openSync(path, 'a', 0o600);
    this.#bytes = fstatSync(this.#file).size;
  }

  get open(): boolean {
    return this.#open;
  }

  append(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    if (!this.#open) return;
    let text = this.#rest[stream].length > 0 ? Buffer.concat([this.#rest[stream], chunk]) : chunk;
    let lines = '';
    const prefix = `${new Date(this.#now()).toISOString().slice(0, -1)}000000Z ${stream}`;
    for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10)) {
      lines += `${prefix} F ${text.toString('utf8', 0, end)}\n`;
      text = text.subarray(end + 1);
    }
    while (text.length > this.#limits.maxLineBytes) {
      lines += `${prefix} P ${text.toString('utf8', 0, this.#limits.maxLineBytes)}\n`;
      text = text.subarray(this.#limits.maxLineBytes);
    }
    this.#rest[stream] = Buffer.from(text);
    if (lines !== '') this.#write(lines);
  }

  close(): void {
    if (!this.#open) return;
    for (const stream of ['stdout', 'stderr'] as const) if (this.#rest[stream].length > 0) this.append(stream, newline);
    this.#open = false;
    closeSync(this.#file);
    this.#notify();
  }

  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #write(lines: string): void {
    const bytes = Buffer.byteLength(lines);
    if (this.#bytes > 0 && this.#bytes + bytes > this.#limits.maxBytes) {
      closeSync(this.#file);
      renameSync(this.path, `${this.path}.1`);
      this.#file = openSync(this.path, 'a', 0o600);
      this.#bytes = 0;
      this.generation += 1;
    }
    writeSync(this.#file, lines);
    this.#bytes += bytes;
    this.#notify();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
