import type { ApplicationAction } from '#appsets/plan.ts';
import { isAppError, messageOf, throwIfAborted } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { ApiResource, KubeClient, KubeObject } from '#kube/port.ts';
import { finalizers } from '#model/argocd/names.ts';

export interface ApplicationWriterDeps {
  kube: KubeClient;
  /** The kind Application. */
  resource: ApiResource;
  noteWritten: (object: KubeObject) => void;
  logger: Logger;
}

export interface WriteFailure {
  name: string;
  reason: 'CreateApplicationError' | 'UpdateApplicationError' | 'DeleteApplicationError';
  error: unknown;
}

export interface WriteResult {
  writes: number;
  failures: WriteFailure[];
}

/** As Argo CD's own controller writes them. */
const fieldManager = 'argocd-applicationset-controller';
const concurrency = 8;

const reasons = {
  create: 'CreateApplicationError',
  update: 'UpdateApplicationError',
  refuse: 'UpdateApplicationError',
  delete: 'DeleteApplicationError',
} as const;

async function remove(
  { kube, resource }: ApplicationWriterDeps,
  action: Extract<ApplicationAction, { kind: 'delete' }>,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace, uid, resourceVersion, finalizers: own = [] } = action.seen.metadata;
  const ref = { name, namespace };
  if (action.releaseResources) {
    const kept = own.filter((finalizer) => finalizer !== finalizers.foreground[0]);
    const body = { metadata: { finalizers: kept, resourceVersion } };
    await kube.patch(resource, ref, { type: 'merge', body }, { fieldManager }, signal);
  }
  await kube.delete(resource, ref, uid === undefined ? {} : { preconditions: { uid } }, signal);
}

async function write(deps: ApplicationWriterDeps, action: ApplicationAction, signal: AbortSignal): Promise<void> {
  const { kube, resource, noteWritten } = deps;
  switch (action.kind) {
    case 'create':
      noteWritten(await kube.create(action.object, { fieldManager }, signal));
      return;
    case 'update': {
      const { name, namespace, resourceVersion } = action.seen.metadata;
      const { metadata } = action.patch;
      const known = typeof metadata === 'object' && metadata !== null ? metadata : {};
      // Decided from what was seen: whoever wrote since is looked at first.
      const body = { ...action.patch, metadata: { ...known, resourceVersion } };
      noteWritten(await kube.patch(resource, { name, namespace }, { type: 'merge', body }, { fieldManager }, signal));
      return;
    }
    case 'delete':
      await remove(deps, action, signal);
      return;
    case 'refuse':
      return;
  }
}

/** Carries out a plan, several at once, and goes on where one fails. */
export async function writeApplications(
  deps: ApplicationWriterDeps,
  actions: readonly ApplicationAction[],
  signal: AbortSignal,
): Promise<WriteResult> {
  const result: WriteResult = { writes: 0, failures: [] };
  const waiting = [...actions];
  const worker = async () => {
    for (let action = waiting.shift(); action; action = waiting.shift()) {
      throwIfAborted(signal);
      if (action.kind === 'refuse') {
        result.failures.push({ name: action.name, reason: reasons.refuse, error: new Error(action.message) });
        continue;
      }
      try {
        await write(deps, action, signal);
        result.writes += 1;
      } catch (error) {
        throwIfAborted(signal);
        if (!isAppError(error)) throw error;
        result.failures.push({ name: action.name, reason: reasons[action.kind], error });
        deps.logger.warn({ application: action.name }, `cannot ${action.kind}: ${messageOf(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, waiting.length) }, worker));
  result.failures.sort((a, b) => (a.name < b.name ? -1 : 1));
  return result;
}
