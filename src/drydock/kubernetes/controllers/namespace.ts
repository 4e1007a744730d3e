import { getArray, jsonEqual } from '#base/json.ts';
import type { Outcome } from '#base/outcome.ts';
import type { ApiObject } from '../api/port.ts';
import { type Controller, type ControllerDeps, deleteIfPresent, isAlreadyExists, isNotFound } from './loop.ts';
import { planNamespaceDeletion } from './namespace-plan.ts';

const manager = 'namespace-controller';

/** Gives each namespace its service account and certificate, and empties those that are deleted. */
export function namespaceController(deps: ControllerDeps, caCertificate: string): Controller {
  const { api } = deps;
  const deleting = (namespace: string | undefined): string[] =>
    namespace !== undefined && api.get('namespaces', undefined, namespace)?.metadata.deletionTimestamp !== undefined
      ? [namespace]
      : [];
  return {
    name: 'namespace',
    watches: [
      { resource: 'namespaces', names: (namespace) => [namespace.metadata.name] },
      {
        resource: '*',
        names: (object) =>
          object.kind === 'ServiceAccount' || object.kind === 'ConfigMap'
            ? ownContent(object)
            : deleting(object.metadata.namespace),
      },
    ],
    tick: (name) => tick(deps, name, caCertificate),
  };
}

/** The two objects every namespace has come back when they are deleted; all of them matter in a deletion. */
function ownContent(object: ApiObject): string[] {
  return object.metadata.namespace === undefined ? [] : [object.metadata.namespace];
}

async function tick(deps: ControllerDeps, name: string, caCertificate: string): Promise<Outcome> {
  const namespace = deps.api.get('namespaces', undefined, name);
  if (!namespace) return { kind: 'done' };
  if (namespace.metadata.deletionTimestamp !== undefined) return empty(deps, namespace);
  try {
    await createOwnContent(deps, name, caCertificate);
  } catch (error) {
    // Deleted meanwhile: the change brings us back here.
    if (!isAlreadyExists(error) && !isNotFound(error)) throw error;
  }
  return { kind: 'done' };
}

async function createOwnContent(deps: ControllerDeps, namespace: string, caCertificate: string): Promise<void> {
  const { api } = deps;
  if (!api.get('serviceaccounts', namespace, 'default'))
    await api.create(
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } },
      'service-account-controller',
    );
  const stored = api.get('configmaps', namespace, 'kube-root-ca.crt');
  const data = { 'ca.crt': caCertificate };
  if (!stored)
    await api.create(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kube-root-ca.crt', namespace }, data },
      'root-ca-cert-publisher',
    );
  else if (!jsonEqual(stored['data'], data)) await api.update({ ...stored, data }, 'root-ca-cert-publisher');
}

async function empty(deps: ControllerDeps, namespace: ApiObject): Promise<Outcome> {
  const { api, clock } = deps;
  const name = namespace.metadata.name;
  // A kind that is served in several versions is one content.
  const kinds = new Set(api.resources().flatMap(({ resource, namespaced }) => (namespaced ? [resource] : [])));
  const content = [...kinds].map((resource) => ({ resource, objects: api.list(resource, { namespace: name }) }));
  const plan = planNamespaceDeletion(namespace, content, clock.now());
  let latest = namespace;
  if (!jsonEqual(latest['status'], plan.status))
    latest = await api.updateStatus({ ...latest, status: plan.status }, manager);
  for (const { resource, objects } of plan.remove)
    for (const object of objects) await deleteIfPresent(api, resource, object, { propagationPolicy: 'Background' });
  if (plan.finalize) {
    const finalizers = getArray(latest, 'spec', 'finalizers').filter((finalizer) => finalizer !== 'kubernetes');
    const options = { manager, subresource: 'finalize' };
    await api.mergePatch('namespaces', undefined, name, { spec: { finalizers } }, options);
  }
  return { kind: 'done' };
}
