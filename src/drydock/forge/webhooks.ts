import { createHmac } from 'node:crypto';
import { request } from 'undici';
import type { Clock, Entropy } from '#base/clock.ts';
import { AppError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Outcome } from '#base/outcome.ts';
import { registerSecret } from '#base/redact.ts';
import { WorkQueue } from '#base/work-queue.ts';
import { type Database, fromColumn } from './database.ts';
import type { EventRow } from './events.ts';
import type { Repository } from './repositories.ts';

export interface Hook {
  id: number;
  repo_id: number | null;
  org_id: number | null;
  url: string;
  secret: string | null;
  content_type: 'json' | 'form';
  events_json: string;
  active: number;
  created_at: number;
  updated_at: number;
}

export interface Delivery {
  id: number;
  guid: string;
  hook_id: number;
  event: string;
  action: string | null;
  payload: string;
  state: 'pending' | 'delivered' | 'failed';
  attempts: number;
  redelivery: number;
  status_code: number | null;
  response: string | null;
  duration_ms: number | null;
  created_at: number;
  delivered_at: number | null;
}

interface WebhooksDeps {
  db: Database;
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
}

export interface NewHook {
  url: string;
  secret?: string | undefined;
  contentType?: 'json' | 'form';
  events?: string[];
  active?: boolean;
}

const attemptLimit = 12;
const keptPerHook = 500;
/** Deliveries that wait for one hook; beyond that the oldest are given up, visibly. */
const waitingPerHook = 1000;
const requestTimeoutMs = 10_000;
const hookLimit = 50;

/**
 * Webhooks of repositories and organisations. A delivery is kept until it was answered with 2xx or all its tries are
 * used up, across restarts; one hook's deliveries go out in order, so a receiver may see one twice but never too early.
 */
export class Webhooks {
  readonly #deps: WebhooksDeps;
  readonly #queue: WorkQueue;

  constructor(deps: WebhooksDeps) {
    this.#deps = deps;
    this.#queue = new WorkQueue({
      name: 'webhooks',
      clock: deps.clock,
      logger: deps.logger,
      concurrency: 8,
      tick: (name, signal) => this.#deliverNext(Number(name), signal),
      maxBackoffMs: 60_000,
    });
  }

  start(): void {
    for (const { hook_id } of this.#deps.db.all<{ hook_id: number }>(
      "SELECT DISTINCT hook_id FROM deliveries WHERE state = 'pending'",
    )) {
      this.#queue.add(String(hook_id));
    }
  }

  create(scope: { repoId: number } | { orgId: number }, hook: NewHook): Hook {
    const { db, clock } = this.#deps;
    const url = URL.parse(hook.url);
    if (!url || !['http:', 'https:'].includes(url.protocol)) {
      throw new AppError('bad-input', `${JSON.stringify(hook.url)} is not an http or https address`);
    }
    const [repoId, orgId] = 'repoId' in scope ? [scope.repoId, null] : [null, scope.orgId];
    if (this.list(scope).length >= hookLimit) throw new AppError('limit', `at most ${hookLimit} hooks are allowed`);
    if (hook.secret !== undefined) registerSecret(hook.secret);
    const now = clock.now();
    const { id } = db.run(
      `INSERT INTO hooks (repo_id, org_id, url, secret, content_type, events_json, active, created_at, updated_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      repoId,
      orgId,
      hook.url,
      hook.secret ?? null,
      hook.contentType ?? 'form',
      JSON.stringify(hook.events ?? ['push']),
      hook.active === false ? 0 : 1,
      now,
      now,
    );
    return this.get(id);
  }

  list(scope: { repoId: number } | { orgId: number }): Hook[] {
    return 'repoId' in scope
      ? this.#deps.db.all<Hook>('SELECT * FROM hooks WHERE repo_id = ? ORDER BY id', scope.repoId)
      : this.#deps.db.all<Hook>('SELECT * FROM hooks WHERE org_id = ? ORDER BY id', scope.orgId);
  }

  get(id: number): Hook {
    const hook = this.#deps.db.get<Hook>('SELECT * FROM hooks WHERE id = ?', id);
    if (!hook) throw new AppError('not-found', `no hook ${id}`);
    return hook;
  }

  update(id: number, change: Partial<NewHook>): Hook {
    const hook = this.get(id);
    this.#deps.db.run(
      'UPDATE hooks SET url = ?, secret = ?, content_type = ?, events_json = ?, active = ?, updated_at = ? WHERE id = ?',
      change.url ?? hook.url,
      change.secret ?? hook.secret,
      change.contentType ?? hook.content_type,
      change.events === undefined ? hook.events_json : JSON.stringify(change.events),
      change.active === undefined ? hook.active : change.active ? 1 : 0,
      this.#deps.clock.now(),
      id,
    );
    return this.get(id);
  }

  remove(id: number): void {
    this.#deps.db.run('DELETE FROM hooks WHERE id = ?', id);
    this.#queue.forget(String(id));
  }

  /** Queues the event for every hook that wants it; call `wake` with the answer after the transaction. */
  enqueue(event: Pick<EventRow, 'name' | 'action' | 'payload_json'>, repo: Repository): number[] {
    const hooks = this.#deps.db
      .all<Hook>('SELECT * FROM hooks WHERE active = 1 AND (repo_id = ? OR org_id = ?)', repo.id, repo.owner_id)
      .filter((hook) => {
        const events = fromColumn<string[]>(hook.events_json);
        return events.includes('*') || events.includes(event.name);
      });
    for (const hook of hooks)
      this.#insert(hook.id, { event: event.name, action: event.action, payload: event.payload_json });
    return hooks.map((hook) => hook.id);
  }

  wake(hookIds: number[]): void {
    for (const id of hookIds) this.#queue.add(String(id));
  }

  ping(hookId: number, payload: object): void {
    this.#insert(hookId, { event: 'ping', action: null, payload: JSON.stringify(payload) });
    this.wake([hookId]);
  }

  deliveries(hookId: number, limit: number): Delivery[] {
    return this.#deps.db.all<Delivery>(
      'SELECT * FROM deliveries WHERE hook_id = ? ORDER BY id DESC LIMIT ?',
      hookId,
      limit,
    );
  }

  delivery(hookId: number, id: number): Delivery {
    const found = this.#deps.db.get<Delivery>('SELECT * FROM deliveries WHERE hook_id = ? AND id = ?', hookId, id);
    if (!found) throw new AppError('not-found', `no delivery ${id} of hook ${hookId}`);
    return found;
  }

  redeliver(hookId: number, id: number): void {
    const { guid, event, action, payload } = this.delivery(hookId, id);
    this.#insert(hookId, { event, action, payload, guid });
    this.wake([hookId]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]();
  }

  #insert(hookId: number, item: { event: string; action: string | null; payload: string; guid?: string }): void {
    const { db, clock, entropy } = this.#deps;
    db.run(
      `INSERT INTO deliveries (guid, hook_id, event, action, payload, state, redelivery, created_at)
       VALUES (?, ?, ?, ?, ?, 'pending', ?, ?)`,
      item.guid ?? entropy.uuid(),
      hookId,
      item.event,
      item.action,
      item.payload,
      item.guid === undefined ? 0 : 1,
      clock.now(),
    );
    db.run(
      `DELETE FROM deliveries WHERE hook_id = ? AND state <> 'pending'
       AND id <= (SELECT max(id) FROM deliveries WHERE hook_id = ?) - ?`,
      hookId,
      hookId,
      keptPerHook,
    );
    this.#dropOverflow(hookId);
  }

  #dropOverflow(hookId: number): void {
    const { changes } = this.#deps.db.run(
      `UPDATE deliveries SET state = 'failed', response = 'given up: too many deliveries wait' WHERE state = 'pending' AND hook_id = ?
       AND id <= (SELECT id FROM deliveries WHERE hook_id = ? AND state = 'pending' ORDER BY id DESC LIMIT 1 OFFSET ?)`,
      hookId,
      hookId,
      waitingPerHook,
    );
    if (changes > 0)
      this.#deps.logger.warn({ hook: hookId, changes }, 'webhook deliveries were given up: too many wait');
  }

  async #deliverNext(hookId: number, signal: AbortSignal): Promise<Outcome> {
    const { db } = this.#deps;
    for (;;) {
      const delivery = db.get<Delivery>(
        "SELECT * FROM deliveries WHERE hook_id = ? AND state = 'pending' ORDER BY id LIMIT 1",
        hookId,
      );
      if (!delivery) return { kind: 'done' };
      const sent = await this.#send(this.get(hookId), delivery, signal);
      if (!sent) throw new AppError('unavailable', `hook ${hookId} did not take delivery ${delivery.guid}`);
    }
  }

  /** False when the delivery is to be tried again. */
  async #send(hook: Hook, delivery: Delivery, signal: AbortSignal): Promise<boolean> {
    const { db, clock } = this.#deps;
    const started = clock.now();
    let status: number | null = null;
    let text: string;
    try {
      const { headers, body } = signedRequest(hook, delivery);
      const answer = await request(hook.url, {
        method: 'POST',
        headers,
        body,
        signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]),
      });
      status = answer.statusCode;
      text = (await answer.body.text()).slice(0, 4096);
    } catch (error) {
      if (signal.aborted) throw error;
      text = messageOf(error);
    }
    const taken = status !== null && status >= 200 && status < 300;
    const attempts = delivery.attempts + 1;
    const state = taken ? 'delivered' : attempts >= attemptLimit ? 'failed' : 'pending';
    const now = clock.now();
    db.run(
      'UPDATE deliveries SET state = ?, attempts = ?, status_code = ?, response = ?, duration_ms = ?, delivered_at = ? WHERE id = ?',
      state,
      attempts,
      status,
      text,
      now - started,
      now,
      delivery.id,
    );
    return state !== 'pending';
  }
}

function signedRequest(hook: Hook, delivery: Delivery): { headers: Record<string, string>; body: string } {
  const isJson = hook.content_type === 'json';
  const body = isJson ? delivery.payload : new URLSearchParams({ payload: delivery.payload }).toString();
  const headers: Record<string, string> = {
    'content-type': isJson ? 'application/json' : 'application/x-www-form-urlencoded',
    'user-agent': 'GitHub-Hookshot/drydock',
    'x-github-event': delivery.event,
    'x-github-delivery': delivery.guid,
    'x-github-hook-id': String(hook.id),
    'x-github-hook-installation-target-type': hook.repo_id === null ? 'organization' : 'repository',
    'x-github-hook-installation-target-id': String(hook.repo_id ?? hook.org_id ?? 0),
  };
  if (hook.secret !== null && hook.secret !== '') {
    headers['x-hub-signature'] = `sha1=${createHmac('sha1', hook.secret).update(body).digest('hex')}`;
    headers['x-hub-signature-256'] = `sha256=${createHmac('sha256', hook.secret).update(body).digest('hex')}`;
  }
  return { headers, body };
}
