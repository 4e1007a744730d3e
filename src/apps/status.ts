import { timestamp } from '#base/clock.ts';
import { jsonEqual } from '#base/json.ts';
import { aggregateHealth } from '#health/aggregate.ts';
import type { Health } from '#health/health.ts';
import type {
  Application,
  ApplicationStatus,
  OperationState,
  ResourceStatus,
  RevisionHistory,
  SyncStatusCode,
} from '#model/argocd/application.ts';
import { annotations } from '#model/argocd/names.ts';
import { parseSyncOptions } from '#model/argocd/sync-options.ts';
import { imagesOf } from '#sync/images.ts';
import type { ComparedResource } from './comparison.ts';
import { externalUrlsOf, linksOf } from './external-urls.ts';
import type { Target } from './target.ts';

export type SyncSection = NonNullable<ApplicationStatus['sync']>;

function comparedTo(application: Application): NonNullable<SyncSection['comparedTo']> {
  const { source, sources, destination, ignoreDifferences } = application.spec;
  return {
    ...(source && !(sources && sources.length > 0) ? { source } : {}),
    ...(sources && sources.length > 0 ? { sources } : {}),
    destination,
    ...(ignoreDifferences ? { ignoreDifferences } : {}),
  };
}

export function syncSection(
  application: Application,
  status: SyncStatusCode,
  revisions: readonly string[],
): SyncSection {
  const several = application.spec.sources !== undefined && application.spec.sources.length > 0;
  const [first] = revisions;
  return {
    status,
    ...(several ? { revisions: revisions.slice() } : first !== undefined ? { revision: first } : {}),
    comparedTo: comparedTo(application),
  };
}

function needsConfirmation(application: Application, { desired, live }: ComparedResource): boolean {
  const app = application.spec.syncPolicy?.syncOptions ?? [];
  return [desired?.object, live].some(
    (object) =>
      object && parseSyncOptions(app, object.metadata.annotations?.[annotations.syncOptions]).delete === 'confirm',
  );
}

export function resourceStatuses(application: Application, resources: readonly ComparedResource[]): ResourceStatus[] {
  return resources.map((resource) => {
    const status: ResourceStatus = {
      ...(resource.key.group === '' ? {} : { group: resource.key.group }),
      version: resource.version,
      kind: resource.key.kind,
      ...(resource.key.namespace === undefined ? {} : { namespace: resource.key.namespace }),
      name: resource.key.name,
    };
    if (resource.status !== undefined) status.status = resource.status;
    if (resource.health) status.health = resource.health;
    if (resource.hook) status.hook = true;
    if (resource.requiresPruning) status.requiresPruning = true;
    if (needsConfirmation(application, resource)) status.requiresDeletionConfirmation = true;
    if (resource.wave !== 0) status.syncWave = resource.wave;
    return status;
  });
}

export function applicationHealthOf(application: Application, resources: readonly ComparedResource[]): Health {
  return aggregateHealth(
    resources.map((resource) => ({
      group: resource.key.group,
      kind: resource.key.kind,
      namespace: resource.key.namespace,
      name: resource.key.name,
      hook: resource.hook,
      live: resource.live,
      health: resource.health,
      self: isSelf(application, resource),
    })),
  );
}

function isSelf(application: Application, resource: ComparedResource): boolean {
  const { group, kind, name, namespace } = resource.key;
  return (
    group === 'argoproj.io' &&
    kind === 'Application' &&
    name === application.metadata.name &&
    namespace === application.metadata.namespace
  );
}

/** The health section; its time moves only with its status. */
export function healthSection(
  before: ApplicationStatus['health'],
  health: Health,
  now: number,
): NonNullable<ApplicationStatus['health']> {
  const lastTransitionTime = before?.status === health.status ? before.lastTransitionTime : timestamp(now);
  return { ...health, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }) };
}

export function summaryOf(
  application: Application,
  resources: readonly ComparedResource[],
): NonNullable<ApplicationStatus['summary']> {
  const images = new Set(resources.flatMap(({ live }) => imagesOf(live)));
  const urls = new Set([
    ...resources.flatMap(({ live }) => externalUrlsOf(live)),
    ...linksOf(application.metadata.annotations),
  ]);
  const isAppOfApps = resources.some(({ key }) => key.group === 'argoproj.io' && key.kind === 'Application');
  return {
    ...(urls.size > 0 ? { externalURLs: [...urls].sort() } : {}),
    ...(images.size > 0 ? { images: [...images].sort() } : {}),
    ...(isAppOfApps ? { isAppOfApps } : {}),
  };
}

export function sourceTypeSection(
  application: Application,
  target: Target,
): Pick<ApplicationStatus, 'sourceType' | 'sourceTypes'> {
  if (application.spec.sources && application.spec.sources.length > 0) return { sourceTypes: target.sourceTypes };
  const [type] = target.sourceTypes;
  return type ? { sourceType: type } : {};
}

/** History after an operation: an entry for each complete, real, successful sync; the oldest go beyond the limit. */
export function historyAfter(application: Application, state: OperationState): RevisionHistory[] {
  const before = application.status?.history ?? [];
  const sync = state.operation.sync;
  const partial = (sync?.resources?.length ?? 0) > 0;
  if (state.phase !== 'Succeeded' || sync?.dryRun || partial || !state.finishedAt) return before;
  const { revision, revisions, source, sources } = state.syncResult ?? {};
  const last = before[before.length - 1];
  const entry: RevisionHistory = {
    id: last ? last.id + 1 : 0,
    ...(revisions ? { revisions } : revision !== undefined ? { revision } : {}),
    ...(sources ? { sources } : source ? { source } : {}),
    deployedAt: state.finishedAt,
    deployStartedAt: state.startedAt,
    ...(state.operation.initiatedBy ? { initiatedBy: state.operation.initiatedBy } : {}),
  };
  const limit = application.spec.revisionHistoryLimit ?? 10;
  return limit <= 0 ? [] : [...before, entry].slice(-limit);
}

/** `next` with `reconciledAt` moved only when something else changed, so that a tick without news writes nothing. */
export function withReconciledAt(before: ApplicationStatus, next: ApplicationStatus, now: number): ApplicationStatus {
  const { reconciledAt: _then, ...rest } = next;
  const { reconciledAt, ...old } = before;
  if (jsonEqual(old, rest)) return reconciledAt === undefined ? next : { ...next, reconciledAt };
  return { ...next, reconciledAt: timestamp(now) };
}
