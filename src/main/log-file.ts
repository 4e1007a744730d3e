import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const usualLimitBytes = 16 * 1024 * 1024;

/**
 * A file of log lines that never grows beyond `limitBytes`: then it becomes `<path>.1`, in the place of the one before,
 * and a new one begins. Writes are done when `write` returns: the last lines before a crash are the ones that matter.
 */
export class LogFile {
  readonly #path: string;
  readonly #limitBytes: number;
  #descriptor: number;
  #size: number;

  constructor(path: string, limitBytes = usualLimitBytes) {
    mkdirSync(dirname(path), { recursive: true });
    this.#path = path;
    this.#limitBytes = limitBytes;
    this.#descriptor = openSync(path, 'a');
    this.#size = fstatSync(this.#descriptor).size;
  }

  write(line: string): void {
    const bytes = Buffer.from(line, 'utf8');
    if (this.#size > 0 && this.#size + bytes.length > this.#limitBytes) this.#turn();
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
    this.#size += bytes.length;
  }

  #turn(): void {
    closeSync(this.#descriptor);
    renameSync(this.#path, `${this.#path}.1`);
    this.#descriptor = openSync(this.#path, 'a');
    this.#size = 0;
  }
}
