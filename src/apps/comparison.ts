import { AppError } from '#base/errors.ts';
import type { Assess } from '#health/assess.ts';
import type { Health } from '#health/health.ts';
import { type KubeObject, kindOf } from '#kube/port.ts';
import type { Application, ResourceKey, SyncStatusCode } from '#model/argocd/application.ts';
import { annotations, qualifiedName, qualifiedOfInstanceName } from '#model/argocd/names.ts';
import type { ArgoSettings, Tracking } from '#model/argocd/settings.ts';
import { hasCompareOption } from '#sync/compare-options.ts';
import type { Comparer, DesiredObject, Difference } from '#sync/comparer.ts';
import { hookRoleOf, waveOf } from '#sync/hooks.ts';
import { keyText, parseTrackingId, resourceKeyOf, trackingApplication } from '#sync/identity.ts';
import { type IgnoreRules, ignoreRulesFor } from '#sync/ignore-differences.ts';
import type { LiveState } from './live-state.ts';
import type { Target } from './target.ts';

/** One object of an application: what is wanted, what is there, and what follows. */
export interface ComparedResource {
  key: ResourceKey;
  version: string;
  desired: DesiredObject | undefined;
  live: KubeObject | undefined;
  /** Undefined for a live hook: it has no say. */
  status: SyncStatusCode | undefined;
  /** False when it does not decide the application's status. */
  counts: boolean;
  requiresPruning: boolean;
  hook: boolean;
  wave: number;
  health: Health | undefined;
  difference: Difference | undefined;
  /** What of it is not compared; where both forms are there. */
  rules?: IgnoreRules;
}

export interface ComparisonDeps {
  live: LiveState;
  comparer: Comparer;
  assess: Assess;
  settings: () => ArgoSettings;
  /** Of the instance: applications elsewhere have it in their names. */
  namespace: string;
}

export interface Comparison {
  resources: ComparedResource[];
  /** Objects that another application tracks too. */
  shared: { key: string; other: string }[];
}

/** An object that carries the tracking id of another one is somebody's copy of it, and has no say. */
function isCopy(live: KubeObject, tracking: Tracking): boolean {
  if (tracking.method === 'label') return false;
  const named = parseTrackingId(live.metadata.annotations?.[annotations.trackingId]) !== undefined;
  return named && trackingApplication(live, { ...tracking, installationId: undefined }) === undefined;
}

async function compareOne(
  deps: ComparisonDeps,
  application: Application,
  desired: DesiredObject,
  withPrediction: boolean,
  signal: AbortSignal,
): Promise<ComparedResource> {
  const { object } = desired;
  const live = deps.live.get(kindOf(object), object.metadata);
  const common = {
    key: resourceKeyOf(object),
    version: kindOf(object).version,
    desired,
    live,
    counts: true,
    requiresPruning: false,
    hook: false,
    wave: waveOf(object),
  };
  if (!live) return { ...common, status: 'OutOfSync', health: { status: 'Missing' }, difference: undefined };
  const ignore = application.spec.ignoreDifferences ?? [];
  const withMutations = hasCompareOption(application, 'IncludeMutationWebhook=true');
  const insists = hasCompareOption(application, 'ServerSideDiff=true');
  const options = { ignore, withMutations, withPrediction: withPrediction || insists };
  const difference = await deps.comparer.compare(desired, live, options, signal);
  if (difference.rejected !== undefined && insists) throw refusal(object, difference.rejected);
  const settings = deps.settings();
  const compared = { ...common, health: deps.assess(live), difference, rules: ignoreRulesFor(live, ignore, settings) };
  if (isCopy(live, settings.tracking)) return { ...compared, status: undefined, counts: false };
  return { ...compared, status: difference.modified ? 'OutOfSync' : 'Synced' };
}

function refusal({ kind, metadata }: KubeObject, words: string): AppError {
  const { name, namespace } = metadata;
  const place = namespace === undefined ? '' : ` in ${namespace}`;
  return new AppError('bad-input', `the server refuses ${kind} ${name}${place}, asked what would change: ${words}`, {
    hint: 'correct the manifest; without ServerSideDiff=true the object would only show as OutOfSync',
  });
}

function extra(live: KubeObject, assess: Assess): ComparedResource {
  const hook = hookRoleOf(live).kind !== 'resource';
  return {
    key: resourceKeyOf(live),
    version: kindOf(live).version,
    desired: undefined,
    live,
    status: hook ? undefined : 'OutOfSync',
    counts: !hook && !hasCompareOption(live, 'IgnoreExtraneous'),
    requiresPruning: !hook,
    hook,
    wave: waveOf(live),
    health: assess(live),
    difference: undefined,
  };
}

const concurrency = 8;

/** Sets every wanted object against its live form, and finds the live ones that are not wanted. */
export async function compareApplication(
  deps: ComparisonDeps,
  application: Application,
  target: Target,
  options: { withPrediction?: boolean },
  signal: AbortSignal,
): Promise<Comparison> {
  const name = qualifiedName(application.metadata, deps.namespace);
  const { tracking } = deps.settings();
  const out: ComparedResource[] = new Array(target.resources.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < target.resources.length; at = next++) {
      const desired = target.resources[at];
      if (desired) out[at] = await compareOne(deps, application, desired, options.withPrediction ?? false, signal);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const wanted = new Set(target.resources.map(({ object }) => keyText(resourceKeyOf(object))));
  for (const live of deps.live.trackedBy(name)) {
    if ((live.metadata.ownerReferences ?? []).length > 0) continue;
    if (!wanted.has(keyText(resourceKeyOf(live)))) out.push(extra(live, deps.assess));
  }
  const shared = out.flatMap(({ live, key }) => {
    const owner = live && trackingApplication(live, tracking);
    const other = owner === undefined ? undefined : qualifiedOfInstanceName(owner);
    return other !== undefined && other !== name ? [{ key: keyText(key), other }] : [];
  });
  out.sort((a, b) => (keyText(a.key) < keyText(b.key) ? -1 : 1));
  return { resources: out, shared };
}

/** Synced when every counting object is; Unknown when one could not be compared. */
export function syncStatusOf(resources: readonly ComparedResource[]): SyncStatusCode {
  let status: SyncStatusCode = 'Synced';
  for (const resource of resources) {
    if (resource.status === 'Unknown') return 'Unknown';
    if (resource.counts && resource.status === 'OutOfSync') status = 'OutOfSync';
  }
  return status;
}
