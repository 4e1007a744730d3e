import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { SqliteDatabase, SqliteStatement } from 'kysely';
import { AppError, messageOf } from '#base/errors.ts';

const keptStatements = 200;

/** node:sqlite in the shape that kysely's SQLite dialect asks for. Prepared statements are kept for reuse. */
export function sqliteDatabase(database: DatabaseSync, path: string): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>();
  return {
    close: () => database.close(),
    prepare(sql) {
      const known = statements.get(sql);
      if (known) return known;
      const statement = explained(path, () => adapt(database.prepare(sql), path));
      const oldest = statements.keys().next().value;
      if (statements.size >= keptStatements && oldest !== undefined) statements.delete(oldest);
      statements.set(sql, statement);
      return statement;
    },
  };
}

function adapt(statement: StatementSync, path: string): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => explained(path, () => statement.all(...parameters.map(parseParameter))),
    run: (parameters) => explained(path, () => statement.run(...parameters.map(parseParameter))),
    iterate: (parameters) => explained(path, () => statement.iterate(...parameters.map(parseParameter))),
  };
}

function explained<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw storeError(path, error);
  }
}

/** SQLite's result codes as AppErrors. Anything else is a fault in a statement and is left as it is. */
export function storeError(path: string, cause: unknown): unknown {
  const code = cause instanceof Error && 'errcode' in cause ? Number(cause.errcode) & 0xff : 0;
  switch (code) {
    case 5: // SQLITE_BUSY
    case 6: // SQLITE_LOCKED
      return new AppError('unavailable', `the store ${path} is in use by another process`, {
        cause,
        hint: 'stop the other process, or give this one a folder of its own',
      });
    case 8: // SQLITE_READONLY
    case 10: // SQLITE_IOERR
    case 13: // SQLITE_FULL
    case 14: // SQLITE_CANTOPEN
      return new AppError('unavailable', `the store ${path} cannot be written: ${messageOf(cause)}`, {
        cause,
        hint: 'check free space and permissions of its folder',
      });
    case 11: // SQLITE_CORRUPT
    case 26: // SQLITE_NOTADB
      return damagedStore(path, cause);
    default:
      return cause;
  }
}

export function damagedStore(path: string, cause: unknown): AppError {
  return new AppError('corrupt-data', `the store ${path} is damaged: ${messageOf(cause)}`, {
    cause,
    hint: `move it away and start again, e.g. mv ${path} ${path}.damaged: history is lost then, convergence is not`,
  });
}

function parseParameter(value: unknown): SQLInputValue {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint')
    return value;
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  throw new AppError('bad-input', `a ${typeof value} cannot be stored in a column`);
}
