import { jsonEqual } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import type { Application } from '#model/argocd/application.ts';
import type { LiveState } from './live-state.ts';
import type { Target } from './target.ts';

const namespaceKind = { group: '', version: 'v1', kind: 'Namespace' };

function hasAll(wanted: Record<string, string> | undefined, is: Record<string, string> | undefined): boolean {
  return Object.entries(wanted ?? {}).every(([key, value]) => is?.[key] === value);
}

/** The metadata that the last operation gave the namespace is that of the spec. */
function isRecorded(application: Application): boolean {
  const wanted = application.spec.syncPolicy?.managedNamespaceMetadata;
  const recorded = application.status?.operationState?.syncResult?.managedNamespaceMetadata;
  return jsonEqual(wanted ?? null, recorded ?? null);
}

/**
 * The destination namespace as a sync with `CreateNamespace=true` has to apply it: it is absent, or its managed labels
 * and annotations are not those of the spec. Undefined when there is nothing to do, or when a manifest in Git rules it.
 */
export async function wantedNamespace(
  live: Pick<LiveState, 'watch' | 'get'>,
  application: Application,
  input: { target: Pick<Target, 'resources'>; syncOptions: readonly string[] },
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const name = application.spec.destination.namespace;
  if (!name || !input.syncOptions.includes('CreateNamespace=true')) return undefined;
  const inGit = input.target.resources.some(
    ({ object }) => object.kind === 'Namespace' && object.apiVersion === 'v1' && object.metadata.name === name,
  );
  if (inGit) return undefined;
  await live.watch([namespaceKind], signal);
  const current = live.get(namespaceKind, { name });
  const managed = application.spec.syncPolicy?.managedNamespaceMetadata;
  const { labels, annotations } = managed ?? {};
  const agrees = hasAll(labels, current?.metadata.labels) && hasAll(annotations, current?.metadata.annotations);
  if (current && agrees && (!managed || isRecorded(application))) return undefined;
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) },
  };
}

/** True when the managed metadata of the namespace has drifted or changed, which makes the application OutOfSync. */
export async function namespaceDiffers(
  live: Pick<LiveState, 'watch' | 'get'>,
  application: Application,
  target: Pick<Target, 'resources'>,
  signal: AbortSignal,
): Promise<boolean> {
  const { managedNamespaceMetadata, syncOptions = [] } = application.spec.syncPolicy ?? {};
  if (!managedNamespaceMetadata) return false;
  return (await wantedNamespace(live, application, { target, syncOptions }, signal)) !== undefined;
}
