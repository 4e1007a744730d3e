import { type Context, Hono } from 'hono';
import type { ApplicationEngine, InstanceStore } from '#apps/port.ts';
import { repositoryKey } from '#apps/repository-key.ts';
import { AppError, messageOf } from '#base/errors.ts';
import { isObject, type JsonObject, parseJson } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import { annotations, qualifiedName } from '#model/argocd/names.ts';
import type { AuditLog } from '#trace/event.ts';
import { resolveReference } from '../access/instance-secret.ts';
import type { ServerEnv } from '../auth.ts';
import { limitBody } from '../body.ts';
import { type ForgeChange, isSetConcerned } from './application-set-match.ts';
import type { Push, RegistryPush } from './delivery.ts';
import { isArtifactOf } from './registry-match.ts';
import { type Sender, senders } from './senders.ts';
import { assertProof } from './signature.ts';

export interface WebhookDeps {
  engine: ApplicationEngine;
  instance: InstanceStore;
  audit: AuditLog;
  logger: Logger;
  /** For forges that sign as GitHub does and have no secret of their own in `argocd-secret`. */
  secret: string | undefined;
  now: () => number;
  /** Pushes by repository, for metrics. */
  counts: Map<string, number>;
}

const megabyte = 1024 * 1024;
const defaultMegabytesMax = 50;
const repositoriesCounted = 1000;
const deliveriesRemembered = 1000;
/** How long an application may take to look again. */
const refreshMs = 60_000;
const deliveryMs = 10 * 60 * 1000;

/** Hosts whose repositories are reached over SSH by another name as well. */
const sshHosts: Record<string, string> = {
  'github.com': 'ssh.github.com',
  'gitlab.com': 'altssh.gitlab.com',
  'bitbucket.org': 'altssh.bitbucket.org',
};

/** `POST /api/webhook`: checks whose delivery it is, hands the repository to the engine and answers at once. */
export function webhook(deps: WebhookDeps): Hono<ServerEnv> {
  const { engine, instance } = deps;
  const app = new Hono<ServerEnv>();
  const seen = new Map<string, number>();

  app.post(
    '/webhook',
    (c, next) => {
      const megabytes = Number(instance.config('argocd-cm')['webhook.maxPayloadSizeMB']) || defaultMegabytesMax;
      return limitBody(megabytes * megabyte)(c, next);
    },
    async (c) => {
      const header = (name: string) => c.req.header(name);
      const secrets = instance.secret('argocd-secret');
      const sender = senders.find((candidate) => candidate.recognises(header, secrets));
      if (!sender)
        throw new AppError('bad-input', 'Unknown webhook event: no header of this delivery says who sent it', {
          hint: `read are those of ${senders.map(({ name }) => name).join(', ')}`,
        });
      const raw = await c.req.text();
      verify(c, sender, raw);
      const delivery = sender.read(header, parsePayload(raw, c.req.header('content-type') ?? ''));
      if (delivery.kind === 'none') return c.json({ accepted: delivery.reason === 'pong', reason: delivery.reason });
      if (isRepeated(seen, sender.deliveryId(header), deps.now()))
        return c.json({ accepted: false, reason: 'this delivery was here before' });
      if (delivery.kind === 'forge') {
        const applicationSets = await askAgain(delivery.change, c.req.raw.signal);
        return c.json({ accepted: true, applicationSets });
      }
      const applications = delivery.kind === 'push' ? moved(delivery.push) : published(delivery.push);
      return c.json({ accepted: true, applications });
    },
  );
  app.all('/webhook', (c) => {
    c.header('allow', 'POST');
    return c.json({ error: 'webhooks are sent by POST', code: 12, message: 'webhooks are sent by POST' }, 405);
  });

  function verify(c: Context<ServerEnv>, sender: Sender, raw: string): void {
    const secrets = instance.secret('argocd-secret');
    const own = secrets[sender.secretKey];
    const secret = own ? resolveReference(instance, own) : sender.sharesSecret ? deps.secret : undefined;
    if (secret !== undefined) {
      const proof = sender.proof((name) => c.req.header(name), secrets);
      assertProof(proof, secret, raw);
      return;
    }
    if (/^true$/i.test(instance.config('argocd-cmd-params-cm')['slipway.webhook.unsigned'] ?? '')) return;
    throw new AppError('forbidden', `webhooks of ${sender.name} are not set up here`, {
      hint: `put the secret of the webhook into argocd-secret as ${sender.secretKey}${
        sender.sharesSecret ? ', or start the server with SLIPWAY_WEBHOOK_SECRET' : ''
      }; slipway.webhook.unsigned: "true" in argocd-cmd-params-cm takes deliveries without`,
    });
  }

  function moved(push: Push): string[] {
    if (push.urls.length === 0 || push.ref === '')
      throw new AppError('bad-input', 'this push names no repository or no ref');
    const addresses = new Map<string, string>();
    for (const url of push.urls) {
      const key = repositoryKey(url);
      if (!addresses.has(key)) addresses.set(key, url);
      const host = key.slice(0, key.indexOf('/'));
      const other = sshHosts[host];
      if (other !== undefined)
        addresses.set(`${other}${key.slice(host.length)}`, `ssh://${other}${key.slice(host.length)}`);
    }
    const applications = [
      ...new Set([...addresses.values()].flatMap((url) => engine.repositoryChanged(url, 'webhook'))),
    ];
    const [repository = ''] = push.urls;
    count(repository);
    const branch = push.ref.replace(/^refs\/(?:heads|tags)\//, '');
    const message = `${push.pusher} pushed ${branch} of ${push.repository}`;
    record(push.pusher, {
      repository: push.repository,
      commit: push.commit,
      message,
      detail: { ref: push.ref, applications },
    });
    return applications;
  }

  /** Applications of a chart or artifact look again when a tag of it was pushed. */
  function published(push: RegistryPush): string[] {
    const users = engine.list().filter((application) => isArtifactOf(application, push));
    const names = users.map(({ metadata }) => qualifiedName(metadata, instance.namespace));
    for (const name of names)
      engine.refresh(name, 'normal', AbortSignal.timeout(refreshMs)).catch((error: unknown) => {
        deps.logger.warn({ application: name }, messageOf(error));
      });
    const repository = `${push.registry}/${push.repository}`;
    count(repository);
    record('registry', {
      repository,
      message: `${repository}:${push.tag} was pushed`,
      detail: { tag: push.tag, applications: names },
    });
    return names;
  }

  /** Sets whose generators ask about what changed ask again. */
  async function askAgain(change: ForgeChange, signal: AbortSignal): Promise<string[]> {
    const elsewhere = instance.config('argocd-cmd-params-cm')['applicationsetcontroller.namespaces'];
    const namespace = elsewhere ? undefined : instance.namespace;
    const all = await instance.list('ApplicationSet', { namespace }, signal);
    const sets = all.filter((set) => isSetConcerned(set, change));
    const body = { metadata: { annotations: { [annotations.applicationSetRefresh]: 'true' } } };
    for (const { metadata } of sets) await instance.patch('ApplicationSet', metadata, body, signal);
    const names = sets.map(({ metadata }) => qualifiedName(metadata, instance.namespace));
    const repository = `${change.owner}/${change.repository}`;
    const what = change.about === 'proposals' ? `a proposal for ${repository} changed` : `${repository} changed`;
    if (names.length > 0) record('forge', { repository, message: what, detail: { applicationSets: names } });
    return names;
  }

  function count(repository: string): void {
    if (deps.counts.size >= repositoriesCounted && !deps.counts.has(repository)) return;
    deps.counts.set(repository, (deps.counts.get(repository) ?? 0) + 1);
  }

  /** The answer does not wait for the store; a push that could not be noted is still acted upon. */
  function record(
    name: string,
    what: { repository: string; commit?: string | undefined; message: string; detail: Record<string, unknown> },
  ): void {
    deps.audit
      .record({ kind: 'webhook-received', actor: { kind: 'user', name }, cause: 'webhook', ...what })
      .catch((error: unknown) =>
        deps.logger.warn({ repository: what.repository }, `a push was not noted: ${messageOf(error)}`),
      );
  }

  return app;
}

function parsePayload(raw: string, contentType: string): JsonObject {
  const text = contentType.startsWith('application/x-www-form-urlencoded')
    ? (new URLSearchParams(raw).get('payload') ?? '')
    : raw;
  const payload = parseJson(text, 'the delivery');
  if (!isObject(payload)) throw new AppError('bad-input', 'the delivery is no JSON object');
  return payload;
}

function isRepeated(seen: Map<string, number>, delivery: string | undefined, now: number): boolean {
  if (delivery === undefined || delivery === '') return false;
  for (const [id, at] of seen) {
    if (seen.size <= deliveriesRemembered && now - at < deliveryMs) break;
    seen.delete(id);
  }
  if (seen.has(delivery)) return true;
  seen.set(delivery, now);
  return false;
}
