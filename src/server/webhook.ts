import { createHmac } from 'node:crypto';
import { type Context, Hono } from 'hono';
import type { ApplicationEngine } from '#apps/port.ts';
import { AppError, messageOf } from '#base/errors.ts';
import { getObject, getString, isObject, type JsonObject, parseJson } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import type { AuditLog } from '#trace/event.ts';
import { type ServerEnv, sameSecret } from './auth.ts';
import { limitBody } from './body.ts';

export interface WebhookDeps {
  engine: ApplicationEngine;
  audit: AuditLog;
  logger: Logger;
  /** Without one, deliveries are refused: nobody could tell whose they are. */
  secret: string | undefined;
  now: () => number;
}

const bytesMax = 25 * 1024 * 1024;
const deliveriesRemembered = 1000;
const deliveryMs = 10 * 60 * 1000;

/** What a push says that matters here. */
export interface Push {
  urls: string[];
  repository: string;
  ref: string;
  commit: string | undefined;
  pusher: string;
}

/** `POST /api/webhook` from GitHub: checks the signature, hands the repository to the engine and answers at once. */
export function webhook(deps: WebhookDeps): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();
  const seen = new Map<string, number>();

  app.post('/webhook', limitBody(bytesMax), async (c) => {
    const event = c.req.header('x-github-event');
    if (event === undefined)
      throw new AppError('bad-input', 'this delivery has no X-GitHub-Event header', {
        hint: 'only webhooks of GitHub (and what speaks like it) are read',
      });
    const raw = await c.req.text();
    verify(c, raw, deps.secret);
    const payload = parsePayload(raw, c.req.header('content-type') ?? '');
    if (event === 'ping') return c.json({ accepted: true, reason: 'pong' });
    if (event !== 'push') return c.json({ accepted: false, reason: `the event "${event}" changes nothing here` });
    if (isRepeated(seen, c.req.header('x-github-delivery'), deps.now()))
      return c.json({ accepted: false, reason: 'this delivery was here before' });
    const push = parsePush(payload);
    const applications = [...new Set(push.urls.flatMap((url) => deps.engine.repositoryChanged(url, 'webhook')))];
    record(deps, push, applications);
    return c.json({ accepted: true, applications });
  });
  return app;
}

function verify(c: Context, raw: string, secret: string | undefined): void {
  if (secret === undefined)
    throw new AppError('forbidden', 'webhooks are not set up here', {
      hint: 'start the server with a webhook secret (SLIPWAY_WEBHOOK_SECRET) and give it to the forge too',
    });
  const given = c.req.header('x-hub-signature-256') ?? '';
  const wanted = `sha256=${createHmac('sha256', secret).update(raw).digest('hex')}`;
  if (!sameSecret(given, wanted))
    throw new AppError('unauthorized', given === '' ? 'this delivery is not signed' : 'the signature is wrong', {
      hint: 'the secret of the webhook and that of the server differ',
    });
}

function parsePayload(raw: string, contentType: string): JsonObject {
  const text = contentType.startsWith('application/x-www-form-urlencoded')
    ? (new URLSearchParams(raw).get('payload') ?? '')
    : raw;
  const payload = parseJson(text, 'the delivery');
  if (!isObject(payload)) throw new AppError('bad-input', 'the delivery is no JSON object');
  return payload;
}

export function parsePush(payload: JsonObject): Push {
  const repository = getObject(payload, 'repository');
  const urls = ['clone_url', 'ssh_url', 'git_url', 'html_url'].map((field) => getString(repository, field));
  const known = urls.filter((url) => url !== undefined && url !== '') as string[];
  const ref = getString(payload, 'ref');
  if (known.length === 0 || ref === undefined)
    throw new AppError('bad-input', 'this push names no repository or no ref');
  const pusher = getString(payload, 'pusher', 'name') ?? getString(payload, 'sender', 'login') ?? 'unknown';
  return {
    urls: known,
    repository: getString(repository, 'full_name') ?? known[0] ?? '',
    ref,
    commit: getString(payload, 'after'),
    pusher,
  };
}

function isRepeated(seen: Map<string, number>, delivery: string | undefined, now: number): boolean {
  if (delivery === undefined) return false;
  for (const [id, at] of seen) {
    if (seen.size <= deliveriesRemembered && now - at < deliveryMs) break;
    seen.delete(id);
  }
  if (seen.has(delivery)) return true;
  seen.set(delivery, now);
  return false;
}

/** The answer does not wait for the store; a push that could not be noted is still acted upon. */
function record({ audit, logger }: WebhookDeps, push: Push, applications: string[]): void {
  const branch = push.ref.replace(/^refs\/(?:heads|tags)\//, '');
  audit
    .record({
      kind: 'webhook-received',
      actor: { kind: 'user', name: push.pusher },
      cause: 'webhook',
      repository: push.repository,
      commit: push.commit,
      message: `${push.pusher} pushed ${branch} of ${push.repository}`,
      detail: { ref: push.ref, applications },
    })
    .catch((error: unknown) =>
      logger.warn({ repository: push.repository }, `a push was not noted: ${messageOf(error)}`),
    );
}
