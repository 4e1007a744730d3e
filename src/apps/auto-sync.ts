import { jsonEqual } from '#base/json.ts';
import type { Application, Operation, OperationState, SyncStatusCode } from '#model/argocd/application.ts';
import type { ComparedResource } from './comparison.ts';

export interface SelfHealBackoff {
  baseMs: number;
  factor: number;
  capMs: number;
}

export const defaultSelfHeal: SelfHealBackoff = { baseMs: 2000, factor: 3, capMs: 300_000 };

export interface AutoSyncInput {
  application: Application;
  syncStatus: SyncStatusCode;
  /** The commits that were compared, per source. */
  revisions: string[];
  resources: readonly ComparedResource[];
  /** The managed metadata of the destination namespace is not what the spec says. */
  namespaceDiffers?: boolean;
  selfHeal: SelfHealBackoff;
  now: number;
}

export type AutoSyncDecision =
  | { kind: 'none' }
  | { kind: 'wait'; retryAfterMs: number }
  | { kind: 'refuse'; message: string }
  | { kind: 'sync'; operation: Operation; selfHeal: boolean };

/** How long after the end of the last heal the next one may begin: 0, 2, 6, 18 ... 300 s. */
export function selfHealDelayMs(attempts: number, backoff: SelfHealBackoff): number {
  return attempts <= 0 ? 0 : Math.min(backoff.capMs, backoff.baseMs * backoff.factor ** (attempts - 1));
}

function isTerminating(resource: ComparedResource): boolean {
  return resource.requiresPruning && resource.live?.metadata.deletionTimestamp !== undefined;
}

function attempted(application: Application, revisions: string[]): boolean {
  const state = application.status?.operationState;
  if (!state) return false;
  const result = state.syncResult;
  if (!result) return state.phase !== 'Running' && state.phase !== 'Terminating';
  const { spec } = application;
  if (spec.sources && spec.sources.length > 0)
    return jsonEqual(result.revisions ?? [], revisions) && jsonEqual(result.sources ?? [], spec.sources);
  return result.revision === revisions[0] && jsonEqual(result.source, spec.source);
}

function operationFor(input: AutoSyncInput): Operation {
  const { spec } = input.application;
  const { automated, syncOptions, retry } = spec.syncPolicy ?? {};
  const several = spec.sources !== undefined && spec.sources.length > 0;
  return {
    sync: {
      ...(several
        ? { revisions: input.revisions, sources: spec.sources ?? [] }
        : { revision: input.revisions[0] ?? '' }),
      ...(!several && spec.source ? { source: spec.source } : {}),
      prune: automated?.prune ?? false,
      ...(syncOptions ? { syncOptions } : {}),
    },
    initiatedBy: { automated: true },
    retry: retry ?? { limit: 5 },
  };
}

function listed(revisions: readonly string[]): string {
  return `[${revisions.join(' ')}]`;
}

function attemptedRevisions(state: OperationState | undefined): string[] {
  const { revision, revisions } = state?.syncResult ?? {};
  if (revisions && revisions.length > 0) return revisions;
  return revision ? [revision] : [];
}

/** Pruning would leave nothing, which is more often a mistake in Git than a wish. */
function wouldWipeOut(input: AutoSyncInput): boolean {
  const automated = input.application.spec.syncPolicy?.automated;
  if (!automated?.prune || automated.allowEmpty) return false;
  const counted = input.resources.filter((resource) => resource.status !== undefined);
  return counted.length > 0 && counted.every((resource) => resource.requiresPruning);
}

function wipeOut(input: AutoSyncInput): AutoSyncDecision {
  const message = `Skipping sync attempt to ${listed(input.revisions)}: auto-sync will wipe out all resources`;
  return { kind: 'refuse', message };
}

function healOrNot(input: AutoSyncInput, nonSynced: readonly ComparedResource[]): AutoSyncDecision {
  const { application, selfHeal, now } = input;
  const state = application.status?.operationState;
  if (state?.phase !== 'Succeeded')
    return {
      kind: 'refuse',
      message: `Failed last sync attempt to ${listed(attemptedRevisions(state))}: ${state?.message ?? ''}`,
    };
  if (application.spec.syncPolicy?.automated?.selfHeal !== true) return { kind: 'none' };
  const attempts = state.operation.sync?.autoHealAttemptsCount ?? 0;
  const endedAt = Date.parse(state.finishedAt ?? state.startedAt);
  const dueInMs = endedAt + selfHealDelayMs(attempts, selfHeal) - now;
  if (attempts > 0 && dueInMs > 0) return { kind: 'wait', retryAfterMs: dueInMs };
  if (wouldWipeOut(input)) return wipeOut(input);
  const operation = operationFor(input);
  const resources = nonSynced.map(({ key }) => ({ group: key.group, kind: key.kind, name: key.name }));
  const namespace = application.spec.destination.namespace;
  if (input.namespaceDiffers && namespace) resources.push({ group: '', kind: 'Namespace', name: namespace });
  return {
    kind: 'sync',
    selfHeal: true,
    operation: { ...operation, sync: { ...operation.sync, resources, autoHealAttemptsCount: attempts + 1 } },
  };
}

/** Argo CD's automatic sync: once per revision and source, then only to heal drift. */
export function decideAutoSync(input: AutoSyncInput): AutoSyncDecision {
  const { application, syncStatus, resources } = input;
  const automated = application.spec.syncPolicy?.automated;
  if (!automated || automated.enabled === false || application.operation) return { kind: 'none' };
  if (application.metadata.deletionTimestamp !== undefined || syncStatus !== 'OutOfSync') return { kind: 'none' };
  const nonSynced = resources.filter(
    (resource) => resource.status !== undefined && resource.status !== 'Synced' && !isTerminating(resource),
  );
  if (nonSynced.length === 0 && !input.namespaceDiffers) return { kind: 'none' };
  if (!automated.prune && !input.namespaceDiffers && nonSynced.every((resource) => resource.requiresPruning))
    return { kind: 'none' };
  if (attempted(application, input.revisions)) return healOrNot(input, nonSynced);
  if (wouldWipeOut(input)) return wipeOut(input);
  return { kind: 'sync', selfHeal: false, operation: operationFor(input) };
}
