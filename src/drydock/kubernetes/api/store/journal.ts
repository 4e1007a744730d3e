import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AppError, messageOf } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { ApiObject, GroupResource } from '../port.ts';
import type { JournalRow } from './journal-file.ts';
import type { JournalReply, JournalRequest } from './journal-worker.ts';
import { bodyOf, type StoredObject } from './stored.ts';

export interface JournalWrite {
  storage: GroupResource;
  key: string;
  revision: number;
  /** Undefined removes. */
  object: StoredObject | undefined;
}

export interface JournalObject {
  storage: GroupResource;
  key: string;
  revision: number;
  object: ApiObject;
}

interface Asked {
  resolve: (reply: JournalReply) => void;
  reject: (error: Error) => void;
}

/**
 * The objects on disk. A write that resolved is on the disk: it survives the end of this process at any point, and a
 * power cut as far as the disk keeps what it said it wrote (SQLite's WAL with synchronous FULL: one fsync for all writes
 * that came while the one before was under way). Only the newest state of each object is kept, so nothing needs compaction.
 */
export class Journal {
  readonly #path: string;
  readonly #worker: Worker;
  /** Oldest first: the worker answers in order. */
  readonly #asked: Asked[] = [];
  #ended: Error | undefined;
  #revision = 1;
  #rows: JournalRow[] = [];

  private constructor(path: string) {
    this.#path = path;
    this.#worker = new Worker(new URL('./journal-worker.ts', import.meta.url), {
      workerData: path,
      execArgv: [],
    });
    this.#worker.on('message', (reply: JournalReply) => this.#asked.shift()?.resolve(reply));
    this.#worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on('exit', () => this.#fail(new Error('the thread that writes it has ended')));
  }

  /** Throws AppError corrupt-data, and unavailable when another process has it open. */
  static async open(dataDir: string): Promise<Journal> {
    mkdirSync(dataDir, { recursive: true });
    const journal = new Journal(join(dataDir, 'objects.db'));
    try {
      const reply = await journal.#ask({ do: 'open' });
      if (reply === undefined) throw new Error('nothing was read');
      if ('failure' in reply) throw new Error(reply.failure);
      journal.#revision = reply.revision;
      journal.#rows = reply.rows;
      return journal;
    } catch (cause) {
      await journal.#worker.terminate();
      throw journal.#cannotRead(cause);
    }
  }

  /** Of the newest write when it was opened. */
  get revision(): number {
    return this.#revision;
  }

  /** What was there when it was opened; can be asked once. */
  load(): JournalObject[] {
    const rows = this.#rows;
    this.#rows = [];
    try {
      return rows.map(({ value, ...row }) => ({ ...row, object: parseStored(value ?? '') }));
    } catch (cause) {
      throw this.#cannotRead(cause);
    }
  }

  /** All of `writes` or none; resolves when they are durable. */
  async write(writes: JournalWrite[]): Promise<void> {
    const rows = writes.map(({ storage, key, revision, object }) => {
      const value = object && wholeJson(object);
      return { storage, key, revision, value };
    });
    const reply = await this.#ask({ do: 'write', rows }).catch((error: Error) => ({ failure: error.message }));
    if (reply && 'failure' in reply)
      throw new AppError('unavailable', `cannot write ${this.#path}: ${reply.failure}`, {
        hint: 'Check that the disk is not full and that the directory is writable.',
      });
  }

  /** After what was asked before. */
  async close(): Promise<void> {
    if (!this.#ended) await this.#ask({ do: 'close' });
    await this.#worker.terminate();
  }

  #ask(request: JournalRequest): Promise<JournalReply> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject });
      this.#worker.postMessage(request);
    });
  }

  #fail(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#asked.splice(0)) reject(error);
  }

  #cannotRead(cause: unknown): AppError {
    if (messageOf(cause).includes('database is locked'))
      return new AppError('unavailable', `the cluster's database ${this.#path} is in use by another process`, {
        cause,
        hint: 'Stop the other cluster, or give this one a data directory of its own.',
      });
    return new AppError('corrupt-data', `the cluster's database ${this.#path} cannot be read: ${messageOf(cause)}`, {
      cause,
      hint: `Move ${this.#path} (and its -wal and -shm files) away and start again: the cluster begins empty and is filled from Git.`,
    });
  }
}

function wholeJson(stored: StoredObject): string {
  const { kind, apiVersion } = stored.object;
  return `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},${bodyOf(stored).slice(1)}`;
}

function parseStored(text: string): ApiObject {
  const value: unknown = JSON.parse(text);
  if (!isObject(value) || !isObject(value['metadata'])) throw new Error('a stored object has no metadata');
  return value as unknown as ApiObject;
}
