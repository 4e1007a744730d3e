import { canonicalJson, sha256Hex } from '#base/digest.ts';
import { isAppError } from '#base/errors.ts';
import { jsonEqual } from '#base/json.ts';
import { parseYamlDocuments } from '#base/yaml.ts';
import { type KubeDiscovery, type KubeObject, kindOf } from '#kube/port.ts';
import type { Application, ApplicationSource } from '#model/argocd/application.ts';
import { instanceName, qualifiedName } from '#model/argocd/names.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
import { manifestsOf, requireName } from '#render/manifests.ts';
import type { Renderer, RenderInputs, Rendering, RenderRequest, SourceType } from '#render/port.ts';
import type { SourceTree } from '#render/tree.ts';
import { type DesiredObject, desiredObject } from '#sync/comparer.ts';
import { type DeletionHook, hookRoleOf, isSkipped, isSyncPhase } from '#sync/hooks.ts';
import { keyText, resourceKeyOf, trackingMetadata } from '#sync/identity.ts';
import { normalizeDesired } from '#sync/normalize.ts';
import { isChartSource } from './chart-watch.ts';
import { isExcluded } from './resource-filter.ts';
import { checkRefs, earlierTree, type OpenSource, type Origins, openSource, sourcesOf } from './sources.ts';

export { repositoryOf, sourcesOf } from './sources.ts';

/** What Git says an application should be. */
export interface Target {
  /** Per source, in order. A commit that changed none of the inputs does not count: the older one stays. */
  revisions: string[];
  /** Per source: the commit it was read at. */
  commits: string[];
  sourceTypes: SourceType[];
  /** Equal keys mean equal manifests. */
  inputsKey: string;
  resources: DesiredObject[];
  hooks: KubeObject[];
  /** Keys of manifests whose only hook type is `Skip`: neither applied nor pruned. */
  skipped: string[];
  /** Those that run when the application is deleted. */
  deletionHooks: Record<DeletionHook, KubeObject[]>;
  warnings: { type: 'RepeatedResourceWarning' | 'ExcludedResourceWarning'; message: string }[];
  /** Kinds the cluster does not serve, as `group/version/kind`. */
  unknownKinds: string[];
  /** Per source that renders: the files of its own repository that it reads. */
  inputs: RenderInputs[];
}

export interface TargetDeps extends Origins {
  renderer: Renderer;
  discovery: KubeDiscovery;
  cluster: (signal: AbortSignal) => Promise<RenderRequest['cluster']>;
  settings: () => ArgoSettings;
  /** Of the instance: applications elsewhere have it in their names. */
  namespace: string;
  /** The cluster's address as destinations name it. */
  server: string;
}

export interface TargetOptions {
  /** Per source, instead of its targetRevision. */
  revisions?: string[] | undefined;
  /** Per source: the commits that the status speaks of. */
  known?: string[] | undefined;
  /** The last target of the same spec: it serves again while its inputs are the same. */
  previous?: Target | undefined;
  /** Renders although the result is known. */
  anew?: boolean | undefined;
}

interface RequestedSource extends OpenSource {
  request: RenderRequest;
}

async function openSources(
  deps: TargetDeps,
  application: Application,
  options: TargetOptions,
  signal: AbortSignal,
): Promise<RequestedSource[]> {
  checkRefs(sourcesOf(application));
  const cluster = await deps.cluster(signal);
  const opened = await Promise.all(
    sourcesOf(application).map((source, index) =>
      openSource(deps, { application, source, revision: options.revisions?.[index] }, signal),
    ),
  );
  const refs = refsOf(opened.map(({ source, tree }) => [source, tree]));
  return opened.map((one) => ({
    ...one,
    request: {
      application: {
        name: application.metadata.name,
        instanceName: instanceName(qualifiedName(application.metadata, deps.namespace)),
        project: application.spec.project || 'default',
        destinationNamespace: application.spec.destination.namespace ?? '',
      },
      source: one.source,
      tree: one.tree,
      refs,
      cluster,
      settings: deps.settings().render,
      anew: options.anew,
    },
  }));
}

/** Only what is in Git can be named by other sources. */
function refsOf(sources: readonly (readonly [ApplicationSource, SourceTree])[]): ReadonlyMap<string, SourceTree> {
  return new Map(
    sources.flatMap(([source, tree]) => (source.ref && !isChartSource(source) ? [[source.ref, tree] as const] : [])),
  );
}

function renders(source: ApplicationSource): boolean {
  return !(source.ref && !source.path && !source.chart);
}

/** The commits to report: those already reported when they give the same manifests. */
async function effectiveCommits(
  deps: TargetDeps,
  opened: RequestedSource[],
  renderings: readonly Rendering[],
  known: string[] | undefined,
  signal: AbortSignal,
): Promise<string[]> {
  const now = opened.map(({ request }) => request.tree.revision);
  if (known?.length !== now.length || now.every((commit, index) => commit === known[index])) return now;
  const earlier = opened.map((source, index) => earlierTree(source, known[index] ?? ''));
  if (earlier.some((tree) => tree === undefined)) return now;
  const at = (index: number) => earlier[index] as SourceTree;
  const refs = refsOf(opened.map(({ source }, index) => [source, at(index)]));
  const rendering = opened.flatMap((source, index) => (renders(source.source) ? [{ ...source, index }] : []));
  try {
    for (const [position, { request, index }] of rendering.entries()) {
      const before = { ...request, tree: at(index), refs };
      const { key } = await deps.renderer.inputs(before, signal);
      if (key === renderings[position]?.key) continue;
      const { manifests } = await deps.renderer.render(before, signal);
      if (!jsonEqual(manifests, renderings[position]?.manifests)) return now;
    }
    return known;
  } catch (error) {
    // The old commit is gone from the repository, or was never right: it cannot be kept.
    if (isAppError(error) && !signal.aborted) return now;
    throw error;
  }
}

/** Namespaces, tracking and normalisation: a rendered manifest as this application wants it. */
async function place(
  deps: TargetDeps,
  application: Application,
  manifest: KubeObject,
  signal: AbortSignal,
): Promise<{ object: KubeObject; known: boolean }> {
  const resource = await deps.discovery.find(kindOf(manifest), signal);
  const object = normalizeDesired(manifest);
  const metadata = { ...object.metadata };
  const namespace = application.spec.destination.namespace ?? '';
  if (resource?.namespaced === false) delete metadata.namespace;
  else if (!metadata.namespace && namespace !== '') metadata.namespace = namespace;
  object.metadata = metadata;
  const instance = instanceName(qualifiedName(application.metadata, deps.namespace));
  const mark = { instance, destinationNamespace: namespace, tracking: deps.settings().tracking };
  const own = trackingMetadata(object, mark);
  if (Object.keys(own.labels).length > 0) metadata.labels = { ...metadata.labels, ...own.labels };
  if (Object.keys(own.annotations).length > 0) metadata.annotations = { ...metadata.annotations, ...own.annotations };
  return { object, known: resource !== undefined };
}

async function collect(
  deps: TargetDeps,
  application: Application,
  manifests: KubeObject[],
  signal: AbortSignal,
): Promise<Pick<Target, 'resources' | 'hooks' | 'skipped' | 'deletionHooks' | 'warnings' | 'unknownKinds'>> {
  const resources = new Map<string, DesiredObject>();
  const hooks: KubeObject[] = [];
  const skipped: string[] = [];
  const warnings: Target['warnings'] = [];
  const unknownKinds = new Set<string>();
  const deletionHooks: Target['deletionHooks'] = { PreDelete: [], PostDelete: [] };
  for (const manifest of manifests) {
    const role = hookRoleOf(manifest);
    // A hook without any name gets one in every operation.
    if (role.kind !== 'hook' || manifest.metadata.name) requireName(manifest);
    if (role.kind === 'ignored') {
      if (isSkipped(manifest)) {
        const { object } = await place(deps, application, manifest, signal);
        skipped.push(keyText(resourceKeyOf(object)));
      }
      continue;
    }
    const { group, version, kind } = kindOf(manifest);
    if (isExcluded(deps.settings(), { group, kind }, deps.server)) {
      warnings.push({
        type: 'ExcludedResourceWarning',
        message: `Resource ${group}/${kind} ${manifest.metadata.name} is excluded in the settings`,
      });
      continue;
    }
    const { object, known } = await place(deps, application, manifest, signal);
    if (!known) unknownKinds.add(`${group}/${version}/${kind}`);
    if (role.kind === 'hook') {
      for (const type of role.types) if (!isSyncPhase(type)) deletionHooks[type].push(object);
      if (role.types.some(isSyncPhase)) hooks.push(object);
      continue;
    }
    const key = keyText(resourceKeyOf(object));
    if (resources.has(key)) {
      resources.delete(key);
      warnings.push({
        type: 'RepeatedResourceWarning',
        message: `Resource ${key} appeared more than once among application resources.`,
      });
    }
    resources.set(key, desiredObject(object));
  }
  const wanted = { resources: [...resources.values()], hooks, skipped, deletionHooks };
  return { ...wanted, warnings, unknownKinds: [...unknownKinds] };
}

/** Renders an application. Throws AppErrors that name the repository, revision or file that is wrong. */
export async function loadTarget(
  deps: TargetDeps,
  application: Application,
  options: TargetOptions,
  signal: AbortSignal,
): Promise<Target> {
  const opened = await openSources(deps, application, options, signal);
  const { previous } = options;
  const inputs = await Promise.all(
    opened.filter(({ source }) => renders(source)).map(({ request }) => deps.renderer.inputs(request, signal)),
  );
  const { tracking, exclusions, inclusions } = deps.settings();
  const placing = [tracking, exclusions, inclusions, deps.server];
  const inputsKey = sha256Hex(canonicalJson([inputs.map(({ key }) => key), placing]));
  const kept = options.anew ? undefined : previous;
  const same = kept?.inputsKey === inputsKey && kept.unknownKinds.length === 0 ? kept : undefined;
  if (same && options.known && same.revisions.every((revision, index) => revision === options.known?.[index]))
    return same;
  const renderings: Rendering[] = [];
  for (const { source, request } of opened)
    if (renders(source)) renderings.push(await deps.renderer.render(request, signal));
  const revisions = await effectiveCommits(deps, opened, renderings, options.known, signal);
  const commits = opened.map(({ request }) => request.tree.revision);
  if (same) return { ...same, revisions, commits };
  const sourceTypes = renderings.map(({ sourceType }) => sourceType);
  const manifests = structuredClone(renderings.flatMap((rendering) => rendering.manifests));
  const collected = await collect(deps, application, manifests, signal);
  return { revisions, commits, sourceTypes, inputsKey, inputs, ...collected };
}

/** The target as somebody sent it instead of Git: `base` with these manifests. Throws AppError bad-input. */
export async function manifestTarget(
  deps: TargetDeps,
  application: Application,
  input: { base: Target; manifests: readonly string[] },
  signal: AbortSignal,
): Promise<Target> {
  const objects = input.manifests.flatMap((text, at) => {
    const what = `operation.sync.manifests[${at}]`;
    return manifestsOf(parseYamlDocuments(text, what), what);
  });
  const inputsKey = sha256Hex(canonicalJson(['manifests', input.manifests]));
  return { ...input.base, inputsKey, ...(await collect(deps, application, objects, signal)) };
}
