import type { Context, MiddlewareHandler } from 'hono';
import type { InstanceStore } from '#apps/port.ts';
import { type Clock, type Entropy, timestamp } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { AuditLog } from '#trace/event.ts';
import { actorOf, type ServerEnv } from './auth.ts';

type Reason = 'ResourceCreated' | 'ResourceUpdated' | 'ResourceDeleted' | 'OperationStarted' | 'ResourceActionRan';

/** One change that a request made: for the audit, and as an Event beside the object in the cluster. */
export interface Change {
  reason: Reason;
  /** What was done, after the name of who did it: `created application shop`. */
  action: string;
  /** Qualified name, when an application is concerned. */
  application?: string | undefined;
  /** An object of the instance; others are told to the audit only. */
  object?: { kind: 'Application' | 'AppProject' | 'ApplicationSet'; metadata: ObjectName } | undefined;
}

interface ObjectName {
  name: string;
  namespace?: string | undefined;
  uid?: string | undefined;
  resourceVersion?: string | undefined;
}

export function noteChange(c: Context<ServerEnv>, change: Change): void {
  c.set('change', change);
}

export interface ChangeDeps {
  audit: AuditLog;
  instance: InstanceStore;
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
}

const writeMs = 10_000;
const changesNothing = /\/(?:validate|generate|appdetails|manifestsWithFiles|session|invalidate-cache)$/;

/** What has no words of its own is told by its method and path; credentials do not stand in a path that is kept. */
function plainChange(c: Context<ServerEnv>): Change | undefined {
  const { method, path } = c.req;
  if (method === 'GET' || method === 'HEAD' || changesNothing.test(path)) return undefined;
  const shown = decodeURIComponent(path).replace(/\/\/[^@/]*@/, '//');
  return { reason: 'ResourceUpdated', action: `asked for ${method} ${shown}` };
}

/** Tells of what a request changed, once it has; the answer does not wait for it. */
export function tellChanges(deps: ChangeDeps): MiddlewareHandler<ServerEnv> {
  const { audit, logger } = deps;
  return async (c, next) => {
    await next();
    if (!c.res.ok) return;
    const change = c.get('change') ?? plainChange(c);
    if (change === undefined) return;
    const actor = actorOf(c);
    const message = `${actor.name} ${change.action}`;
    const failed = (error: unknown) => logger.warn({ change: message }, `a change was not noted: ${messageOf(error)}`);
    const { application } = change;
    audit.record({ kind: 'request', actor, cause: 'REST API', application, message }).catch(failed);
    if (change.object) writeEvent(deps, change, { message, user: actor.name }).catch(failed);
  };
}

/** The Event that `kubectl get events` and Argo CD's page show beside the object. */
async function writeEvent(
  { instance, clock, entropy }: ChangeDeps,
  { object, reason }: Change,
  { message, user }: { message: string; user: string },
): Promise<void> {
  if (!object) return;
  const { name, namespace = instance.namespace, uid, resourceVersion } = object.metadata;
  const now = timestamp(clock.now());
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${entropy.bytes(8).toString('hex')}`, namespace, annotations: { user } },
    involvedObject: {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: object.kind,
      name,
      namespace,
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    reason,
    message,
    type: 'Normal',
    count: 1,
    firstTimestamp: now,
    lastTimestamp: now,
    source: { component: 'argocd-server' },
  };
  await instance.create(event, AbortSignal.timeout(writeMs));
}
