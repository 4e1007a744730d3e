import type { Clock, Entropy } from '#base/clock.ts';
import { isObject } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import { createInformerSet } from '#kube/informer.ts';
import type { ApiResource, Informer, KubeClient, KubeObject } from '#kube/port.ts';
import { labels } from '#model/argocd/names.ts';

/** The ConfigMaps and Secrets of the namespace in which Applications and their settings are declared. */
export interface Instance {
  readonly namespace: string;
  readonly configMaps: Informer;
  readonly secrets: Informer;
}

export interface InstanceDeps {
  kube: Pick<KubeClient, 'list' | 'watch'>;
  namespace: string;
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
}

function core(kind: string, plural: string): ApiResource {
  return { group: '', version: 'v1', kind, plural, namespaced: true, verbs: ['list', 'watch'], subresources: [] };
}

/** Secrets that concern nobody here keep their names only. */
function strip(object: KubeObject): void {
  if (object.kind !== 'Secret') return;
  const { name, labels: own = {} } = object.metadata;
  const ours =
    own[labels.secretType] !== undefined ||
    own['app.kubernetes.io/part-of'] === 'argocd' ||
    name.startsWith('argocd-') ||
    object['type'] === 'Opaque';
  if (!ours) delete object['data'];
}

/** Follows the settings of an instance. Disposing ends it. */
export function followInstance(deps: InstanceDeps): Instance & AsyncDisposable {
  const { kube, namespace, clock, entropy, logger } = deps;
  const scope = { namespaces: [namespace], clusterResources: false };
  const informers = createInformerSet({ client: kube, clock, entropy, logger, strip, scope });
  return {
    namespace,
    configMaps: informers.informer(core('ConfigMap', 'configmaps')),
    secrets: informers.informer(core('Secret', 'secrets')),
    [Symbol.asyncDispose]: () => informers[Symbol.asyncDispose](),
  };
}

function texts(value: unknown): Record<string, string> {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)]));
}

/** The data of a ConfigMap; empty when there is none of that name. */
export function configMapData(instance: Instance, name: string): Record<string, string> {
  return texts(instance.configMaps.get({ name, namespace: instance.namespace })?.['data']);
}

export function secretData(secret: KubeObject): Record<string, string> {
  const encoded = Object.entries(texts(secret['data']));
  return Object.fromEntries(encoded.map(([key, text]) => [key, Buffer.from(text, 'base64').toString('utf8')]));
}

/** Secrets labelled `argocd.argoproj.io/secret-type: <type>`, in the order of their names. */
export function secretsOfType(instance: Instance, ...types: readonly string[]): KubeObject[] {
  return instance.secrets
    .list()
    .filter((secret) => types.includes(secret.metadata.labels?.[labels.secretType] ?? ''))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}
