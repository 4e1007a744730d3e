import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { AppError, messageOf } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { ApiObject, GroupResource } from './port.ts';
import { bodyOf, type StoredObject } from './stored.ts';

export interface JournalWrite {
  storage: GroupResource;
  key: string;
  revision: number;
  /** Undefined removes. */
  object: StoredObject | undefined;
}

const layout = 1;

/**
 * The objects on disk. A write that returned is on the disk: it survives the end of this process at any point, and a power
 * cut as far as the disk keeps what it said it wrote (WAL with synchronous FULL: one fsync for each batch of a turn).
 */
export class Journal {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #setRevision: StatementSync;

  constructor(dataDir: string) {
    mkdirSync(dataDir, { recursive: true });
    this.#path = join(dataDir, 'objects.db');
    const database = this.#guard(() => openDatabase(this.#path));
    this.#database = database;
    this.#put = database.prepare('INSERT OR REPLACE INTO object (storage, key, revision, value) VALUES (?, ?, ?, ?)');
    this.#delete = database.prepare('DELETE FROM object WHERE storage = ? AND key = ?');
    this.#setRevision = database.prepare("INSERT OR REPLACE INTO fact (name, value) VALUES ('revision', ?)");
  }

  /** Of the newest write. */
  get revision(): number {
    return this.#guard(() => {
      const row = this.#database.prepare("SELECT value FROM fact WHERE name = 'revision'").get();
      return typeof row?.['value'] === 'number' ? row['value'] : 1;
    });
  }

  load(): { storage: GroupResource; key: string; revision: number; object: ApiObject }[] {
    return this.#guard(() =>
      this.#database
        .prepare('SELECT storage, key, revision, value FROM object')
        .all()
        .map((row) => ({
          storage: String(row['storage']),
          key: String(row['key']),
          revision: Number(row['revision']),
          object: parseStored(String(row['value'])),
        })),
    );
  }

  /** All of `writes` or none. */
  write(writes: JournalWrite[]): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      for (const { storage, key, revision, object } of writes) {
        if (object) this.#put.run(storage, key, revision, wholeJson(object));
        else this.#delete.run(storage, key);
      }
      this.#setRevision.run(writes.at(-1)?.revision ?? this.revision);
      this.#database.exec('COMMIT');
    } catch (cause) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw new AppError('unavailable', `cannot write ${this.#path}: ${messageOf(cause)}`, {
        cause,
        hint: 'Check that the disk is not full and that the directory is writable.',
      });
    }
  }

  close(): void {
    this.#database.close();
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      if (messageOf(cause).includes('database is locked'))
        throw new AppError('unavailable', `the cluster's database ${this.#path} is in use by another process`, {
          cause,
          hint: 'Stop the other cluster, or give this one a data directory of its own.',
        });
      throw new AppError('corrupt-data', `the cluster's database ${this.#path} cannot be read: ${messageOf(cause)}`, {
        cause,
        hint: `Move ${this.#path} (and its -wal and -shm files) away and start again: the cluster begins empty and is filled from Git.`,
      });
    }
  }
}

function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    const check = database.prepare('PRAGMA quick_check(1)').get();
    if (check?.['quick_check'] !== 'ok') throw new Error(`quick_check says ${String(check?.['quick_check'])}`);
    database.exec('CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID');
    database.exec(
      'CREATE TABLE IF NOT EXISTS object (storage TEXT, key TEXT, revision INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (storage, key)) WITHOUT ROWID',
    );
    database.prepare("INSERT OR IGNORE INTO fact (name, value) VALUES ('layout', ?)").run(layout);
    const found = database.prepare("SELECT value FROM fact WHERE name = 'layout'").get()?.['value'];
    if (found !== layout) throw new Error(`its layout is ${String(found)}, this version reads ${layout}`);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
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
