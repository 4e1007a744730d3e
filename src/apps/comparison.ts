import { AppError } from '#base/errors.ts';
import type { Assess } from '#health/assess.ts';
import type { Health } from '#health/health.ts';
import { type KubeDiscovery, type KubeObject, kindOf } from '#kube/port.ts';
import type { AppProject } from '#model/argocd/app-project.ts';
import type { Application, ResourceKey, SyncStatusCode } from '#model/argocd/application.ts';
import { annotations, qualifiedName, qualifiedOfInstanceName } from '#model/argocd/names.ts';
import type { ArgoSettings, Tracking } from '#model/argocd/settings.ts';
import { hasCompareOption } from '#sync/compare-options.ts';
import type { Comparer, DesiredObject, Difference } from '#sync/comparer.ts';
import { hookRoleOf, waveOf } from '#sync/hooks.ts';
import { keyText, parseTrackingId, resourceKeyOf, trackingApplication } from '#sync/identity.ts';
import { type IgnoreRules, ignoreRulesFor } from '#sync/ignore-differences.ts';
import type { LiveState } from './live-state.ts';
import { namespacedKinds, orphansOf, withOwned } from './orphans.ts';
import { isKindPermitted } from './project.ts';
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
  discovery: KubeDiscovery;
  /** The project that an application is of, while it has one. */
  projectOf: (application: Application) => AppProject | undefined;
  /** Whether there is an application of this qualified name. */
  isApplication: (name: string) => boolean;
}

export interface Comparison {
  resources: ComparedResource[];
  /** Objects that another application tracks too. */
  shared: { key: string; other: string }[];
  /** Undefined unless the project asks for them: what nobody has in the destination's namespace, with what it owns. */
  orphans?: KubeObject[];
  warnings: { type: 'OrphanedResourceWarning'; message: string }[];
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

/** What of an application is live, for when nobody can tell what Git wants. */
export function liveResources(deps: Pick<ComparisonDeps, 'live' | 'assess'>, name: string): ComparedResource[] {
  const own = deps.live.trackedBy(name).filter((live) => (live.metadata.ownerReferences ?? []).length === 0);
  return own.map((live) => extra(live, deps.assess));
}

/** Of the application, without a manifest to compare it with, and never pruned. */
function kept(live: KubeObject, assess: Assess, status: 'Synced' | undefined): ComparedResource {
  return { ...extra(live, assess), status, counts: false, requiresPruning: false };
}

/** The destination's namespace, when the application manages its metadata. */
function isManagedNamespace({ apiVersion, kind, metadata }: KubeObject, { spec }: Application): boolean {
  if (!spec.syncPolicy?.managedNamespaceMetadata) return false;
  return apiVersion === 'v1' && kind === 'Namespace' && metadata.name === spec.destination.namespace;
}

/**
 * What the project does not permit: a wanted object has no status that could be trusted, and a live one that nobody wants is
 * none of the application's.
 */
function permitted(resources: readonly ComparedResource[], project: AppProject | undefined): ComparedResource[] {
  if (!project) return [...resources];
  return resources.flatMap((resource): ComparedResource[] => {
    const { key, desired, live } = resource;
    const namespaced = (live ?? desired?.object)?.metadata.namespace !== undefined;
    if (isKindPermitted(project, { ...key, namespaced })) return [resource];
    if (!desired) return [];
    return [{ ...resource, status: 'Unknown', counts: resource.counts && resource.status === 'OutOfSync' }];
  });
}

/** Begins to follow the destination's namespace where the project asks for it, and stops where it does not. */
async function findOrphans(
  deps: ComparisonDeps,
  application: Application,
  input: { project: AppProject | undefined; own: ReadonlySet<string> },
  signal: AbortSignal,
): Promise<Pick<Comparison, 'orphans' | 'warnings'>> {
  const { project, own } = input;
  const { namespace } = application.spec.destination;
  const name = qualifiedName(application.metadata, deps.namespace);
  const watched = project?.orphanedResources && namespace ? namespace : undefined;
  deps.live.followNamespace(name, watched);
  if (!project || watched === undefined) return { warnings: [] };
  const kinds = namespacedKinds(await deps.discovery.all(signal));
  await deps.live.watch(kinds, signal);
  const objects = [...deps.live.all(kinds)];
  const { tracking } = deps.settings();
  const isTracked = (object: KubeObject): boolean => {
    const owner = trackingApplication(object, tracking);
    return owner !== undefined && deps.isApplication(qualifiedOfInstanceName(owner));
  };
  const orphans = withOwned(orphansOf(objects, { project, namespace: watched, own, isTracked }), objects);
  if (orphans.length === 0 || !project.orphanedResources?.warn) return { orphans, warnings: [] };
  const message = `Application has ${orphans.length} orphaned resources`;
  return { orphans, warnings: [{ type: 'OrphanedResourceWarning', message }] };
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
    const key = keyText(resourceKeyOf(live));
    if (wanted.has(key)) continue;
    if (isManagedNamespace(live, application)) out.push(kept(live, deps.assess, 'Synced'));
    else if (target.skipped.includes(key)) out.push(kept(live, deps.assess, undefined));
    else out.push(extra(live, deps.assess));
  }
  const shared = out.flatMap(({ live, key }) => {
    const owner = live && trackingApplication(live, tracking);
    const other = owner === undefined ? undefined : qualifiedOfInstanceName(owner);
    return other !== undefined && other !== name ? [{ key: keyText(key), other }] : [];
  });
  const project = deps.projectOf(application);
  const resources = permitted(out, project);
  resources.sort((a, b) => (keyText(a.key) < keyText(b.key) ? -1 : 1));
  const own = new Set([
    ...target.hooks.map((hook) => keyText(resourceKeyOf(hook))),
    ...out.map(({ key }) => keyText(key)),
  ]);
  return { resources, shared, ...(await findOrphans(deps, application, { project, own }, signal)) };
}

/** Synced when every counting object is. */
export function syncStatusOf(resources: readonly ComparedResource[]): SyncStatusCode {
  const differs = resources.some(({ counts, status }) => counts && status !== undefined && status !== 'Synced');
  return differs ? 'OutOfSync' : 'Synced';
}
