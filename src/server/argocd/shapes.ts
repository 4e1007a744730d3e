import { load, loadAll } from 'js-yaml';
import type { ManagedResource, ResourceNode } from '#apps/port.ts';
import { isObject, type JsonObject } from '#base/json.ts';
import type { ResourceStatus } from '#model/argocd/application.ts';

/** The answers of Argo CD's REST API, as its clients read them. */
export function managedResourceShape(resource: ManagedResource): JsonObject {
  const { group, kind, namespace, name, sync, hook, states } = resource;
  const liveState = stateJson(resource.liveText);
  const shape = {
    group,
    kind,
    namespace: namespace ?? '',
    name,
    targetState: stateJson(resource.desiredText),
    liveState,
    normalizedLiveState: liveState,
    predictedLiveState: resource.desiredText === undefined ? 'null' : stateJson(resource.desiredText),
    hook,
    modified: sync === 'OutOfSync' && !resource.requiresPruning,
  };
  if (!states) return shape;
  const json = (object: unknown): string => JSON.stringify(object ?? null);
  return {
    ...shape,
    targetState: json(states.target),
    liveState: json(states.live),
    normalizedLiveState: json(states.normalizedLive),
    predictedLiveState: json(states.predictedLive),
    resourceVersion: states.resourceVersion,
  };
}

function stateJson(text: string | undefined): string {
  return text === undefined ? 'null' : (manifestsJson(text)[0] ?? 'null');
}

/** The tree of an application; what it manages and what is not there is a node without an identity. */
export function resourceTreeShape(
  nodes: readonly ResourceNode[],
  orphans: readonly ResourceNode[],
  managed: readonly ResourceStatus[],
): JsonObject {
  const keyOf = (of: { group?: string; kind: string; namespace?: string | undefined; name: string }) =>
    `${of.group ?? ''}/${of.kind}/${of.namespace ?? ''}/${of.name}`;
  const there = new Set(nodes.map(keyOf));
  const missing = managed
    .filter((resource) => !resource.hook && !there.has(keyOf(resource)))
    .map(({ group, version, kind, namespace, name }) => ({
      ...(group ? { group } : {}),
      version,
      kind,
      ...(namespace ? { namespace } : {}),
      name,
      health: { status: 'Missing', message: 'Resource has not been created' },
    }));
  const byUid = new Map([...nodes, ...orphans].map((node) => [node.uid, node]));
  const shape = (node: ResourceNode): JsonObject => {
    const parent = node.parentUid === undefined ? undefined : byUid.get(node.parentUid);
    return {
      ...identity(node),
      ...(parent ? { parentRefs: [identity(parent)] } : {}),
      ...(node.info && node.info.length > 0 ? { info: node.info } : {}),
      ...(node.networking ? { networkingInfo: node.networking } : {}),
      ...(node.resourceVersion === undefined ? {} : { resourceVersion: node.resourceVersion }),
      ...(node.images.length > 0 ? { images: node.images } : {}),
      ...(node.health ? { health: node.health } : {}),
      ...(node.createdAt === undefined ? {} : { createdAt: node.createdAt }),
    };
  };
  return { nodes: [...nodes.map(shape), ...missing], orphanedNodes: orphans.map(shape), hosts: [] };
}

function identity({ group, version, kind, namespace, name, uid }: ResourceNode): JsonObject {
  return {
    ...(group === '' ? {} : { group }),
    version,
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    uid,
  };
}

/** YAML or JSON text to one JSON text per document, values of Secrets masked. */
export function manifestsJson(text: string): string[] {
  const documents: unknown[] = text.startsWith('{') ? [load(text)] : loadAll(text);
  return documents.filter(isObject).map(manifestText);
}

export function manifestText(manifest: JsonObject): string {
  return JSON.stringify(maskSecret(manifest));
}

/** The values of a Secret never leave, whatever hands it over. */
export function maskSecret(manifest: JsonObject): JsonObject {
  if (manifest['kind'] !== 'Secret') return manifest;
  const masked = { ...manifest };
  for (const field of ['data', 'stringData']) {
    const values = manifest[field];
    if (isObject(values)) masked[field] = Object.fromEntries(Object.keys(values).map((key) => [key, '++++++++']));
  }
  return masked;
}
