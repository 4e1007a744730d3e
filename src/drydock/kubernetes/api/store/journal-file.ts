import { DatabaseSync, type StatementSync } from 'node:sqlite';

export interface JournalRow {
  storage: string;
  key: string;
  revision: number;
  /** JSON; undefined removes. */
  value: string | undefined;
}

const layout = 1;

/** The database of a journal. Throws plain Errors: who opened it knows what to say of them. */
export class JournalFile {
  readonly #database: DatabaseSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #setRevision: StatementSync;

  constructor(path: string) {
    const database = openDatabase(path);
    this.#database = database;
    this.#put = database.prepare('INSERT OR REPLACE INTO object (storage, key, revision, value) VALUES (?, ?, ?, ?)');
    this.#delete = database.prepare('DELETE FROM object WHERE storage = ? AND key = ?');
    this.#setRevision = database.prepare("INSERT OR REPLACE INTO fact (name, value) VALUES ('revision', ?)");
  }

  /** Of the newest write. */
  get revision(): number {
    const row = this.#database.prepare("SELECT value FROM fact WHERE name = 'revision'").get();
    return typeof row?.['value'] === 'number' ? row['value'] : 1;
  }

  load(): JournalRow[] {
    const rows = this.#database.prepare('SELECT storage, key, revision, value FROM object').all();
    return rows.map(({ storage, key, revision, value }) => ({
      storage: String(storage),
      key: String(key),
      revision: Number(revision),
      value: String(value),
    }));
  }

  /** All of `rows` or none, on the disk when it returns. */
  write(rows: JournalRow[]): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      for (const { storage, key, revision, value } of rows) {
        if (value === undefined) this.#delete.run(storage, key);
        else this.#put.run(storage, key, revision, value);
      }
      const last = rows.at(-1);
      if (last) this.#setRevision.run(last.revision);
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#database.close();
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
