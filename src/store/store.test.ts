import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { sql } from 'kysely';
import { isAppError } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import { testClock } from '../../test/clock.ts';
import { migrations } from './migrations.ts';
import { openStore } from './store.ts';
import { WalSync } from './wal-sync.ts';

const folder = mkdtempSync(join(tmpdir(), 'store-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const deps = { clock: testClock, logger: silentLogger };
const event = { at: 1, kind: 'rollback', actor_kind: 'user', actor_name: 'ann', cause: 'test', message: 'm' };

test('keeps what was written, and applies every migration once', async () => {
  const path = join(folder, 'deep/er', 'kept.db');
  {
    await using store = await openStore({ path, ...deps });
    await store.db.insertInto('audit_events').values(event).execute();
  }
  await using store = await openStore({ path, ...deps });
  const rows = await store.db.selectFrom('audit_events').select(['id', 'message']).execute();
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [{ id: 1, message: 'm' }],
  );
  const versions = await sql<{ version: number }>`select version from schema_versions`.execute(store.db);
  assert.equal(versions.rows.length, migrations.length);
});

test('commits go to the write-ahead log at once; those that come together share a sync of the disk', async () => {
  await using store = await openStore({ path: join(folder, 'modes.db'), ...deps });
  const mode = await sql<{ journal_mode: string }>`pragma journal_mode`.execute(store.db);
  assert.equal(mode.rows[0]?.journal_mode, 'wal');
  const writes = Array.from({ length: 100 }, async () => {
    await store.db.insertInto('audit_events').values(event).execute();
    await store.durable();
  });
  await Promise.all(writes);
  assert.ok(store.syncs >= 1 && store.syncs <= 10, `${store.syncs} syncs for 100 writes`);
  const before = store.syncs;
  await store.durable();
  assert.equal(store.syncs, before + 1);
});

test('a log that cannot be synced is an error that names the store', async () => {
  const path = join(folder, 'nowhere', 'at-all.db');
  await using wal = new WalSync(path);
  await assert.rejects(wal.sync(), (error) => isAppError(error, 'unavailable') && error.message.includes(path));
});

test('a transaction that fails leaves nothing, and others wait for it', async () => {
  await using store = await openStore({ path: ':memory:', ...deps });
  const failing = store.db.transaction().execute(async (transaction) => {
    await transaction.insertInto('audit_events').values(event).execute();
    await new Promise((resolve) => setImmediate(resolve));
    throw new Error('no');
  });
  const other = store.db
    .insertInto('audit_events')
    .values({ ...event, message: 'other' })
    .execute();
  await assert.rejects(failing, /no/);
  await other;
  const rows = await store.db.selectFrom('audit_events').select('message').execute();
  assert.deepEqual(
    rows.map((row) => row.message),
    ['other'],
  );
});

test('refuses a value that no column can hold', async () => {
  await using store = await openStore({ path: ':memory:', ...deps });
  const insert = sql`insert into audit_events (at) values (${{ not: 'a value' }})`.execute(store.db);
  await assert.rejects(insert, (error) => isAppError(error, 'bad-input'));
});

test('a damaged file is named with what to do, and left as it is', async (t) => {
  await t.test('not a database', async () => {
    const path = join(folder, 'garbage.db');
    writeFileSync(path, 'this is not a database, and it is long enough to be looked at'.repeat(20));
    const before = readFileSync(path);
    await assert.rejects(
      openStore({ path, ...deps }),
      (error) =>
        isAppError(error, 'corrupt-data') && error.message.includes(path) && /move it away/.test(error.hint ?? ''),
    );
    assert.deepEqual(readFileSync(path), before);
  });
  await t.test('a database with a broken page', async () => {
    const path = join(folder, 'broken.db');
    {
      await using store = await openStore({ path, ...deps });
      for (let n = 0; n < 50; n += 1)
        await store.db
          .insertInto('audit_events')
          .values({ ...event, message: 'x'.repeat(3000) })
          .execute();
    }
    const data = readFileSync(path);
    data.fill(0xa5, 4096 * 2, 4096 * 20);
    writeFileSync(path, data);
    await assert.rejects(openStore({ path, ...deps }), (error) => isAppError(error, 'corrupt-data'));
  });
});

test('damage that shows while it is open is told the same way', async () => {
  const path = join(folder, 'later.db');
  await using store = await openStore({ path, ...deps });
  await store.db.insertInto('audit_events').values(event).execute();
  await sql`pragma wal_checkpoint(truncate)`.execute(store.db);
  const data = readFileSync(path);
  data.fill(0xa5, 4096);
  writeFileSync(path, data);
  await sql`pragma shrink_memory`.execute(store.db);
  const read = store.db.selectFrom('audit_events').selectAll().execute();
  await assert.rejects(read, (error) => isAppError(error, 'corrupt-data') && error.message.includes(path));
});

test('a file of a newer version is refused', async () => {
  const path = join(folder, 'newer.db');
  {
    await using store = await openStore({ path, ...deps });
    await sql`insert into schema_versions (version, at) values (999, 0)`.execute(store.db);
  }
  await assert.rejects(openStore({ path, ...deps }), (error) => isAppError(error, 'unsupported'));
});

test('a folder that cannot be a file is unavailable', async () => {
  await assert.rejects(openStore({ path: folder, ...deps }), (error) => isAppError(error, 'unavailable'));
});

test('a file that another process has locked is in use, not damaged', async () => {
  const path = join(folder, 'locked.db');
  const other = new DatabaseSync(path);
  other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE t (a)');
  try {
    await assert.rejects(openStore({ path, ...deps, busyTimeoutMs: 20 }), (error) => isAppError(error, 'unavailable'));
  } finally {
    other.close();
  }
});
