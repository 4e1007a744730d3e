import { parseAllDocuments } from 'yaml';
import type { ManagedResource, ResourceNode } from '#apps/port.ts';
import { isObject, type JsonObject } from '#base/json.ts';

/** The answers of Argo CD's REST API, as its clients read them. */
export function managedResourceShape(resource: ManagedResource): JsonObject {
  const { group, kind, namespace, name, sync, hook } = resource;
  const liveState = stateJson(resource.liveText);
  return {
    group,
    kind,
    namespace: namespace ?? '',
    name,
    targetState: stateJson(resource.desiredText),
    liveState,
    normalizedLiveState: liveState,
    predictedLiveState: resource.desiredText === undefined ? 'null' : stateJson(resource.desiredText),
    hook,
    modified: sync === 'OutOfSync',
  };
}

function stateJson(text: string | undefined): string {
  return text === undefined ? 'null' : (manifestsJson(text)[0] ?? 'null');
}

export function resourceTreeShape(nodes: ResourceNode[]): JsonObject {
  const byUid = new Map(nodes.map((node) => [node.uid, node]));
  return {
    nodes: nodes.map((node) => {
      const parent = node.parentUid === undefined ? undefined : byUid.get(node.parentUid);
      return {
        ...identity(node),
        parentRefs: parent ? [identity(parent)] : [],
        images: node.images,
        health: node.health,
        createdAt: node.createdAt,
      };
    }),
    orphanedNodes: [],
    hosts: [],
  };
}

function identity({ group, version, kind, namespace, name, uid }: ResourceNode): JsonObject {
  return { group, version, kind, namespace, name, uid };
}

/** YAML or JSON text to one JSON text per document, values of Secrets masked. */
export function manifestsJson(text: string): string[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS({ maxAliasCount: 100 }) as unknown)
    .filter(isObject)
    .map((manifest) => JSON.stringify(maskSecret(manifest)));
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
