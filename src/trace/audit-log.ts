import type { Selectable } from 'kysely';
import type { Clock } from '#base/clock.ts';
import { isObject, parseJson } from '#base/json.ts';
import { redact } from '#base/redact.ts';
import type { AuditEventRow } from '#store/schema.ts';
import type { Store } from '#store/store.ts';
import type { Actor, AuditEvent, AuditKind, AuditLog, AuditQuery, NewAuditEvent } from './event.ts';

export interface AuditLogDeps {
  store: Store;
  clock: Clock;
  /** The oldest events over this number are dropped. */
  maxEvents?: number;
  /** Events older than this are dropped. */
  maxAgeMs?: number;
}

const dayMs = 24 * 60 * 60 * 1000;
const pruneEvery = 500;
const queryLimit = 5_000;

/** The audit log in the store. Text is redacted before it is kept. Old events are dropped as new ones come. */
export function createAuditLog(deps: AuditLogDeps): AuditLog {
  const { store, clock, maxEvents = 200_000, maxAgeMs = 400 * dayMs } = deps;
  const listeners = new Set<(event: AuditEvent) => void>();
  let untilPrune = 0;

  async function prune(): Promise<void> {
    if (untilPrune > 0) {
      untilPrune -= 1;
      return;
    }
    untilPrune = pruneEvery - 1;
    const events = store.db.selectFrom('audit_events').select('id').orderBy('id', 'desc');
    const firstOver = await events.offset(maxEvents).limit(1).executeTakeFirst();
    const tooOld = clock.now() - maxAgeMs;
    await store.db
      .deleteFrom('audit_events')
      .where((row) => row.or([row('at', '<', tooOld), row('id', '<=', firstOver?.id ?? 0)]))
      .execute();
  }

  return {
    async record(event: NewAuditEvent) {
      const row = rowOf(event, event.at ?? clock.now());
      const stored = await store.db.insertInto('audit_events').values(row).returningAll().executeTakeFirstOrThrow();
      await store.durable();
      await prune();
      const recorded = parseRow(stored);
      for (const listener of [...listeners]) listener(recorded);
      return recorded;
    },

    async query({ application, kind, after, limit }: AuditQuery) {
      let rows = store.db
        .selectFrom('audit_events')
        .selectAll()
        .limit(Math.max(0, Math.min(limit, queryLimit)));
      if (application !== undefined) rows = rows.where('application', '=', application);
      if (kind !== undefined) rows = rows.where('kind', '=', kind);
      rows = after === undefined ? rows.orderBy('id', 'desc') : rows.where('id', '>', after).orderBy('id', 'asc');
      return (await rows.execute()).map(parseRow);
    },

    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function rowOf(event: NewAuditEvent, at: number): Omit<AuditEventRow, 'id'> {
  return {
    at,
    kind: event.kind,
    actor_kind: event.actor.kind,
    actor_name: event.actor.name,
    cause: redact(event.cause),
    application: event.application ?? null,
    environment: event.environment ?? null,
    service: event.service ?? null,
    repository: event.repository === undefined ? null : redact(event.repository),
    commit_sha: event.commit ?? null,
    images: event.images ? JSON.stringify(event.images) : null,
    message: redact(event.message),
    duration_ms: event.durationMs ?? null,
    detail: event.detail ? redact(JSON.stringify(event.detail)) : null,
  };
}

/** Columns with a closed set of values were written by `rowOf` from the typed event. */
function parseRow(row: Selectable<AuditEventRow>): AuditEvent {
  const images = row.images === null ? undefined : parseJson(row.images, 'the images of an audit event');
  const detail = row.detail === null ? undefined : parseJson(row.detail, 'the detail of an audit event');
  return {
    id: row.id,
    at: row.at,
    kind: row.kind as AuditKind,
    actor: { kind: row.actor_kind as Actor['kind'], name: row.actor_name },
    cause: row.cause,
    message: row.message,
    ...(row.application !== null && { application: row.application }),
    ...(row.environment !== null && { environment: row.environment }),
    ...(row.service !== null && { service: row.service }),
    ...(row.repository !== null && { repository: row.repository }),
    ...(row.commit_sha !== null && { commit: row.commit_sha }),
    ...(Array.isArray(images) && { images: images.map(String) }),
    ...(row.duration_ms !== null && { durationMs: row.duration_ms }),
    ...(isObject(detail) && { detail }),
  };
}
