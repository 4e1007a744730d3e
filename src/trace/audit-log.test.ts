import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import { registerSecret } from '#base/redact.ts';
import { openStore } from '#store/store.ts';
import { ManualClock } from '../../test/clock.ts';
import { createAuditLog } from './audit-log.ts';
import type { AuditEvent, NewAuditEvent } from './event.ts';

async function setUp(options: { maxEvents?: number; maxAgeMs?: number } = {}) {
  const clock = new ManualClock(1_000_000);
  const store = await openStore({ path: ':memory:', clock, logger: silentLogger });
  return { clock, store, log: createAuditLog({ store, clock, ...options }) };
}

const base: NewAuditEvent = {
  kind: 'sync-succeeded',
  actor: { kind: 'controller', name: 'application' },
  cause: 'webhook',
  message: 'synced',
};

test('an event comes back as it was recorded', async () => {
  const { store, log } = await setUp();
  const full: NewAuditEvent = {
    ...base,
    application: 'api-dev',
    environment: 'dev',
    service: 'api',
    repository: 'https://git.example.com/shop/manifests.git',
    commit: 'c'.repeat(40),
    images: ['registry/api@sha256:1', 'registry/web@sha256:2'],
    durationMs: 12.5,
    detail: { changed: 1, objects: [{ kind: 'Deployment' }] },
  };
  const recorded = await log.record(full);
  const want: AuditEvent = { ...full, id: 1, at: 1_000_000 };
  assert.deepEqual(recorded, want);
  assert.deepEqual(await log.query({ limit: 1 }), [want]);
  await log.record(base);
  assert.deepEqual((await log.query({ limit: 1 }))[0], { ...base, id: 2, at: 1_000_000 });
  await store[Symbol.asyncDispose]();
});

test('queries', async (t) => {
  const { store, log } = await setUp();
  for (const application of ['a', 'b', 'a', 'c']) await log.record({ ...base, application });
  await log.record({ ...base, application: 'a', kind: 'rollback' });
  const cases = [
    { name: 'newest first', query: { limit: 3 }, want: [5, 4, 3] },
    { name: 'after an id, oldest first', query: { after: 2, limit: 2 }, want: [3, 4] },
    { name: 'of one application', query: { application: 'a', limit: 10 }, want: [5, 3, 1] },
    { name: 'of one kind', query: { kind: 'rollback', limit: 10 }, want: [5] },
    { name: 'of an application and kind', query: { application: 'b', kind: 'rollback', limit: 10 }, want: [] },
    { name: 'a limit of nothing', query: { limit: 0 }, want: [] },
  ] as const;
  for (const { name, query, want } of cases)
    await t.test(name, async () =>
      assert.deepEqual(
        (await log.query(query)).map((event) => event.id),
        want,
      ),
    );
  await store[Symbol.asyncDispose]();
});

test('keeps at most the number of events it may, and none that is too old', async () => {
  const { clock, store, log } = await setUp({ maxEvents: 300, maxAgeMs: 10_000 });
  await log.record(base);
  clock.advance(20_000);
  for (let n = 0; n < 499; n += 1) await log.record(base);
  assert.equal((await log.query({ limit: 5_000 })).length, 500);
  await log.record(base);
  const kept = await log.query({ limit: 5_000 });
  assert.equal(kept.length, 300);
  assert.equal(kept[kept.length - 1]?.id, 202);
  await store[Symbol.asyncDispose]();
});

test('listeners hear of an event after it is stored, until they leave', async () => {
  const { store, log } = await setUp();
  const heard: number[] = [];
  const leave = log.subscribe((event) => heard.push(event.id));
  await log.record(base);
  leave();
  await log.record(base);
  assert.deepEqual(heard, [1]);
  await store[Symbol.asyncDispose]();
});

test('secrets are masked before they are stored', async () => {
  const { store, log } = await setUp();
  registerSecret('s3cr3t-value');
  const { message, detail } = await log.record({ ...base, message: 'got s3cr3t-value', detail: { a: 's3cr3t-value' } });
  assert.deepEqual({ message, detail }, { message: 'got ******', detail: { a: '******' } });
  await store[Symbol.asyncDispose]();
});
