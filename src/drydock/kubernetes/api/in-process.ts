import { cloneJson, getString, type JsonObject } from '#base/json.ts';
import { ApiError, type ApiObject, type ApiServer, type GroupResource, type UsageReport } from './port.ts';
import { badRequest } from './protocol/status-error.ts';
import { readScale, writeReplicas } from './requests/scale.ts';
import { assignNode } from './requests/subresource-requests.ts';
import type { Subresource } from './resources.ts';
import { apiVersionOf, objectKey, type ServedResource } from './served.ts';
import { fromStorage } from './write/conversion.ts';
import { deleteObject } from './write/delete.ts';
import { asVersion } from './write/metadata.ts';
import { createObject, updateObject, type WriteDeps } from './write/write.ts';

/** The API server for the controllers of its own process: same write path as HTTP, reads straight from the store. */
export function inProcessApi(deps: WriteDeps, usage: () => Promise<UsageReport> | undefined): ApiServer {
  const { store, served } = deps;
  return {
    get(resource, namespace, name) {
      return store.get(resource, storeKey(namespace, name))?.object;
    },
    list(resource, { namespace, labels } = {}) {
      const all = store.scan(resource, namespace === undefined ? '' : `${namespace}/`).map(({ object }) => object);
      return labels === undefined ? all : all.filter((object) => hasLabels(object, labels));
    },
    ownedBy: (uid) => store.ownedBy(uid).map(({ object }) => object),
    resources: () =>
      served.all().map(({ groupResource, group, version, kind, namespaced }) => ({
        resource: groupResource,
        gvk: { group, version, kind },
        namespaced,
      })),
    onChange: (resource, listener) =>
      store.subscribe(resource, ({ type, object, old }) => listener({ type, object: object.object, old: old?.object })),
    async create(object, manager) {
      const resource = resourceOf(deps, object);
      const { namespace } = object.metadata;
      const decoded = canonical(resource, object);
      return createObject(deps, { resource, namespace, object: decoded, options: { manager, dryRun: false } });
    },
    update: (object, manager) => replace(deps, { object, manager, subresource: undefined }),
    updateStatus: (object, manager) => replace(deps, { object, manager, subresource: 'status' }),
    async mergePatch(name, namespace, objectName, patch, { manager, subresource }) {
      const resource = named(deps, name);
      if (subresource === 'binding') {
        const node = getString(patch, 'target', 'name') ?? '';
        return assignNode(deps, { resource, namespace, name: objectName }, { node, manager, dryRun: false });
      }
      const part = parseSubresource(subresource);
      const result = await updateObject(deps, {
        resource,
        namespace,
        name: objectName,
        options: { manager, dryRun: false },
        subresource: part,
        produce: (live) => ({
          object: canonical(resource, deps.types.mergePatch(live as unknown as JsonObject, patch)),
          managed: false,
        }),
      });
      return result.object;
    },
    async delete(name, namespace, objectName, options = {}) {
      await deleteObject(deps, { resource: named(deps, name), namespace, name: objectName, options, dryRun: false });
    },
    scale(name, namespace, objectName) {
      const resource = named(deps, name);
      const stored = store.get(resource.storage, objectKey(resource, namespace, objectName));
      return stored && readScale(resource, fromStorage(resource, stored.object));
    },
    setScale(name, namespace, objectName, options) {
      return writeReplicas(deps, { resource: named(deps, name), namespace, name: objectName }, options);
    },
    usage: async () => usage(),
  };
}

async function replace(
  deps: WriteDeps,
  { object, manager, subresource }: { object: ApiObject; manager: string; subresource: Subresource | undefined },
): Promise<ApiObject> {
  const resource = resourceOf(deps, object);
  const wanted = canonical(resource, object);
  const result = await updateObject(deps, {
    resource,
    namespace: object.metadata.namespace,
    name: object.metadata.name,
    options: { manager, dryRun: false },
    subresource,
    uid: wanted.metadata.uid,
    produce: () => ({ object: wanted, managed: false }),
  });
  return result.object;
}

function canonical(resource: ServedResource, raw: ApiObject | JsonObject): ApiObject {
  const { object } = resource.type.decode(cloneJson(raw) as JsonObject);
  return asVersion(object, apiVersionOf(resource));
}

function resourceOf(deps: WriteDeps, object: ApiObject): ServedResource {
  const slash = object.apiVersion.indexOf('/');
  const group = slash < 0 ? '' : object.apiVersion.slice(0, slash);
  const version = object.apiVersion.slice(slash + 1);
  const found = deps.served.ofKind({ group, version, kind: object.kind });
  if (!found) throw badRequest(`no matches for kind "${object.kind}" in version "${object.apiVersion}"`);
  return found;
}

function named(deps: WriteDeps, name: GroupResource): ServedResource {
  const found = deps.served.ofGroupResource(name);
  if (!found) throw new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
  return found;
}

function parseSubresource(name: string | undefined): Subresource | undefined {
  if (name === undefined || name === 'status' || name === 'finalize') return name;
  throw badRequest(`a merge patch of subresource ${name} is not offered to controllers`);
}

function storeKey(namespace: string | undefined, name: string): string {
  return objectKey({ namespaced: namespace !== undefined && namespace !== '' }, namespace, name);
}

function hasLabels(object: ApiObject, labels: Record<string, string>): boolean {
  return Object.entries(labels).every(([key, value]) => object.metadata.labels?.[key] === value);
}
