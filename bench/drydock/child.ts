import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';

/** A process that answers messages, one at a time. */
export class Child implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #received: unknown[] = [];
  #waiting: { resolve: (message: unknown) => void; reject: (error: Error) => void } | undefined;
  #ended: Error | undefined;

  constructor(file: string, args: string[], nodeArgs: string[] = []) {
    this.#process = fork(join(import.meta.dirname, file), args, {
      execArgv: nodeArgs,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#process.on('message', (message) => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (waiting) waiting.resolve(message);
      else this.#received.push(message);
    });
    this.#process.on('exit', (code, signal) => {
      this.#ended = new Error(`${file} ended (${signal ?? code})`);
      this.#waiting?.reject(this.#ended);
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The next message. The caller knows what it asked for. */
  next<T>(): Promise<T> {
    return new Promise<unknown>((resolve, reject) => {
      const early = this.#received.shift();
      if (early !== undefined) resolve(early);
      else if (this.#ended) reject(this.#ended);
      else this.#waiting = { resolve, reject };
    }) as Promise<T>;
  }

  ask<T>(message: object | string): Promise<T> {
    this.#process.send(message);
    return this.next<T>();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    const exited = new Promise((resolve) => this.#process.once('exit', resolve));
    if (this.#process.connected) this.#process.disconnect();
    await exited;
  }
}
