import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, SqliteDialect } from 'kysely';
import type { Clock } from '#base/clock.ts';
import { AppError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { migrations } from './migrations.ts';
import type { Tables } from './schema.ts';
import { damagedStore, sqliteDatabase, storeError } from './sqlite.ts';
import { WalSync } from './wal-sync.ts';

export interface StoreDeps {
  /** The database file; made with its folder when absent. `:memory:` for one that is not kept. */
  path: string;
  clock: Clock;
  logger: Logger;
  /** How long to wait for another process's lock. */
  busyTimeoutMs?: number;
}

/** History on disk. A write that is resolved outlives the process; after `durable` it outlives the machine too. */
export interface Store extends AsyncDisposable {
  readonly path: string;
  readonly db: Kysely<Tables>;
  /** Resolves when everything written before the call is on disk; calls that come together share one sync. */
  durable(): Promise<void>;
  /** Syncs of the disk so far. */
  readonly syncs: number;
}

/**
 * Opens the database and brings it to this version's schema. A damaged file throws AppError `corrupt-data` and is left as
 * it is; one written by a newer version throws `unsupported`.
 */
export async function openStore(deps: StoreDeps): Promise<Store> {
  const { path, logger, busyTimeoutMs = 5_000 } = deps;
  if (path !== ':memory:') await mkdir(dirname(path), { recursive: true });
  const database = openFile(path, busyTimeoutMs);
  try {
    prepare(database, path);
    migrate(database, deps);
  } catch (error) {
    closeQuietly(database);
    throw storeError(path, error);
  }
  logger.debug({ path }, 'store opened');
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: sqliteDatabase(database, path) }) });
  const wal = path === ':memory:' ? undefined : new WalSync(path);
  return {
    path,
    db,
    durable: async () => await wal?.sync(),
    get syncs() {
      return wal?.syncs ?? 0;
    },
    async [Symbol.asyncDispose]() {
      await wal?.[Symbol.asyncDispose]();
      await db.destroy();
      closeQuietly(database);
    },
  };
}

function openFile(path: string, timeout: number): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout });
  } catch (cause) {
    throw new AppError('unavailable', `cannot open the store ${path}: ${messageOf(cause)}`, {
      cause,
      hint: 'check that the folder exists and can be written',
    });
  }
}

/** A commit does not sync by itself: that would hold up the loop for the time of the disk. `durable` does. */
function prepare(database: DatabaseSync, path: string): void {
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;');
  const verdicts = database
    .prepare('PRAGMA quick_check(3)')
    .all()
    .map((row) => String(row['quick_check']));
  if (verdicts.length !== 1 || verdicts[0] !== 'ok') throw damagedStore(path, new Error(verdicts.join('; ')));
}

/** Each step runs once, in order, in a transaction with the note that it ran. */
function migrate(database: DatabaseSync, { path, clock, logger }: StoreDeps): void {
  database.exec('CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY, at INTEGER NOT NULL)');
  const row = database.prepare('SELECT coalesce(max(version), 0) AS version FROM schema_versions').get();
  const version = Number(row?.['version'] ?? 0);
  if (version > migrations.length)
    throw new AppError('unsupported', `the store ${path} was written by a newer version (schema ${version})`, {
      hint: 'run that version, or move the file away: history is lost then, convergence is not',
    });
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue;
    database.exec('BEGIN IMMEDIATE');
    try {
      database.exec(sql);
      database.prepare('INSERT INTO schema_versions (version, at) VALUES (?, ?)').run(index + 1, clock.now());
      database.exec('COMMIT');
    } catch (error) {
      database.exec('ROLLBACK');
      throw error;
    }
    logger.debug({ path, version: index + 1 }, 'store schema brought up');
  }
}

function closeQuietly(database: DatabaseSync): void {
  if (database.isOpen) database.close();
}
