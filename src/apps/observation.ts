import { canonicalJson } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import { type GroupVersionKind, type KubeObject, kindOf } from '#kube/port.ts';
import type { Application } from '#model/argocd/application.ts';
import { qualifiedName } from '#model/argocd/names.ts';
import { keyText, resourceKeyOf } from '#sync/identity.ts';
import type { ClusterVersionSource } from './cluster-versions.ts';
import { type Comparison, type ComparisonDeps, compareApplication } from './comparison.ts';
import { namespaceDiffers } from './destination-namespace.ts';
import { generationOf, sourcesOf } from './sources.ts';
import { loadTarget, type Target, type TargetDeps } from './target.ts';

export interface ObservationDeps extends TargetDeps, ComparisonDeps {
  versions: ClusterVersionSource;
  /** Of the cluster, when only some namespaces of it are managed. */
  scope: { namespaces: readonly string[]; clusterResources: boolean } | undefined;
}

/** What this process remembers of an application between ticks; all of it can be found again. */
export interface TargetMemory {
  targets: Map<string, Target>;
  /** The last one at the target revision, with the spec it was made for. */
  latest?: { spec: string; target: Target };
}

export interface Observation {
  target: Target;
  comparison: Comparison;
  /** The managed metadata of the destination namespace is not what the spec says. */
  namespaceDiffers: boolean;
}

const rememberedTargets = 2;

async function memoryKey(
  deps: ObservationDeps,
  application: Application,
  revisions: string[] | undefined,
  known: string[] | undefined,
  signal: AbortSignal,
): Promise<string> {
  const sources = sourcesOf(application);
  const generations = await Promise.all(
    sources.map((source, index) => generationOf(deps, { application, source, revision: revisions?.[index] }, signal)),
  );
  const { id } = await deps.versions.get(signal);
  const { project, destination } = application.spec;
  return canonicalJson([
    sources,
    project,
    destination.namespace ?? '',
    revisions ?? null,
    known ?? null,
    generations,
    id,
    deps.settings().id,
  ]);
}

export interface TargetQuery {
  memory: TargetMemory;
  /** Per source, instead of its targetRevision. */
  revisions?: string[] | undefined;
  /** Names the newest commits, even when they give the same manifests as those that the status speaks of. */
  newest?: boolean | undefined;
  /** Renders although the result is known. */
  anew?: boolean | undefined;
}

/** The target of an application, from memory while neither its spec nor its repositories nor the cluster's kinds moved. */
export async function targetOf(
  deps: ObservationDeps,
  application: Application,
  options: TargetQuery,
  signal: AbortSignal,
): Promise<Target> {
  const { targets } = options.memory;
  const known = options.revisions || options.newest ? undefined : knownRevisions(application);
  const key = await memoryKey(deps, application, options.revisions, known, signal);
  const remembered = targets.get(key);
  if (remembered && remembered.unknownKinds.length === 0 && !options.anew) return remembered;
  const spec = canonicalJson([sourcesOf(application), application.spec.project, application.spec.destination]);
  const { latest } = options.memory;
  const previous = latest?.spec === spec && !options.revisions ? latest.target : undefined;
  const target = await loadTarget(
    deps,
    application,
    { revisions: options.revisions, known, previous, anew: options.anew },
    signal,
  );
  if (!options.revisions) options.memory.latest = { spec, target };
  targets.delete(key);
  targets.set(key, target);
  // What was just found is what the status will name: the next tick asks with it.
  if (!options.revisions) targets.set(await memoryKey(deps, application, undefined, target.revisions, signal), target);
  while (targets.size > 2 * rememberedTargets) targets.delete(targets.keys().next().value ?? '');
  return target;
}

function knownRevisions(application: Application): string[] | undefined {
  const sync = application.status?.sync;
  if (sync?.revisions) return sync.revisions;
  return sync?.revision ? [sync.revision] : undefined;
}

/** Kinds whose live objects matter to an application: those it wants and those it had. */
export function kindsOf(application: Application, target: Target | undefined): GroupVersionKind[] {
  const kinds: GroupVersionKind[] = (application.status?.resources ?? []).map(({ group = '', version, kind }) => ({
    group,
    version,
    kind,
  }));
  for (const { object } of target?.resources ?? []) kinds.push(kindOf(object));
  for (const hook of target?.hooks ?? []) kinds.push(kindOf(hook));
  for (const hooks of Object.values(target?.deletionHooks ?? {})) for (const hook of hooks) kinds.push(kindOf(hook));
  return kinds;
}

/** What is not looked at cannot be managed. */
function checkScope({ scope }: ObservationDeps, wanted: readonly KubeObject[]): void {
  if (!scope) return;
  for (const { kind, metadata } of wanted) {
    const { name, namespace } = metadata;
    const hint = "add it to the namespaces of the cluster's Secret";
    if (namespace !== undefined && !scope.namespaces.includes(namespace))
      throw new AppError('bad-input', `namespace "${namespace}" for ${kind} "${name}" is not managed`, { hint });
    if (namespace === undefined && !scope.clusterResources)
      throw new AppError('bad-input', `cluster level ${kind} "${name}" can not be managed when in namespaced mode`, {
        hint: `set clusterResources to "true" in the cluster's Secret`,
      });
  }
}

/** Sets a target against what is live, having begun to watch all its kinds. */
export async function observe(
  deps: ObservationDeps,
  application: Application,
  target: Target,
  signal: AbortSignal,
): Promise<Observation> {
  const wanted = [...target.resources.map(({ object }) => object), ...target.hooks];
  checkScope(deps, wanted);
  await deps.live.watch(kindsOf(application, target), signal);
  const keys = wanted.map((object) => keyText(resourceKeyOf(object)));
  const { namespace } = application.spec.destination;
  if (namespace && application.spec.syncPolicy?.managedNamespaceMetadata)
    keys.push(keyText({ group: '', kind: 'Namespace', name: namespace }));
  deps.live.claim(qualifiedName(application.metadata, deps.namespace), keys);
  const differs = await namespaceDiffers(deps.live, application, target, signal);
  const comparison = await compareApplication(deps, application, target, {}, signal);
  return { target, comparison, namespaceDiffers: differs };
}
