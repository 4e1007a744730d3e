import { chmodSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { AppError, messageOf } from '#base/errors.ts';
import { schema } from './schema.ts';

/** Reads a JSON column: the forge wrote it itself, so its shape is the writer's. */
export function fromColumn<T>(json: string): T {
  const value: unknown = JSON.parse(json);
  return value as T;
}

const statementLimit = 500;

/** The forge's state in one SQLite file. Calls are synchronous; a committed transaction survives the end of the process. */
export class Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #inTransaction = false;

  constructor(path: string) {
    try {
      this.#db = new DatabaseSync(path);
      chmodSync(path, 0o600);
      this.#db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;');
      this.#db.exec(schema);
    } catch (cause) {
      throw new AppError('corrupt-data', `the forge's database ${path} cannot be opened: ${messageOf(cause)}`, {
        cause,
        hint: 'move the directory away to start with an empty forge, or restore it from a backup',
      });
    }
  }

  /** Rows have the columns the query names; `Row` says so and is not checked. */
  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined;
  }

  /** Number of rows changed, and the id of the last row inserted. */
  run(sql: string, ...values: SQLInputValue[]): { changes: number; id: number } {
    const { changes, lastInsertRowid } = this.#prepare(sql).run(...values);
    return { changes: Number(changes), id: Number(lastInsertRowid) };
  }

  /** Everything in `work` is kept, or nothing; inside another transaction it joins that one. */
  transaction<T>(work: () => T): T {
    if (this.#inTransaction) return work();
    this.#db.exec('BEGIN IMMEDIATE');
    this.#inTransaction = true;
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    } finally {
      this.#inTransaction = false;
    }
  }

  [Symbol.dispose](): void {
    this.#statements.clear();
    if (this.#db.isOpen) this.#db.close();
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    if (this.#statements.size >= statementLimit) this.#statements.clear();
    const statement = this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}
