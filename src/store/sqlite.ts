import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { SqliteDatabase, SqliteStatement } from 'kysely';
import { AppError } from '#base/errors.ts';

const keptStatements = 200;

/** node:sqlite in the shape that kysely's SQLite dialect asks for. Prepared statements are kept for reuse. */
export function sqliteDatabase(database: DatabaseSync): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>();
  return {
    close: () => database.close(),
    prepare(sql) {
      const known = statements.get(sql);
      if (known) return known;
      const statement = adapt(database.prepare(sql));
      const oldest = statements.keys().next().value;
      if (statements.size >= keptStatements && oldest !== undefined) statements.delete(oldest);
      statements.set(sql, statement);
      return statement;
    },
  };
}

function adapt(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...parameters.map(parseParameter)),
    run: (parameters) => statement.run(...parameters.map(parseParameter)),
    iterate: (parameters) => statement.iterate(...parameters.map(parseParameter)),
  };
}

function parseParameter(value: unknown): SQLInputValue {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint')
    return value;
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  throw new AppError('bad-input', `a ${typeof value} cannot be stored in a column`);
}
