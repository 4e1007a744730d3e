import type { ApiResource, DeleteOptions, ListOptions, ObjectRef, WriteOptions } from './port.ts';

export type Query = Record<string, string | number | boolean | undefined>;

/** Path of a collection; of all namespaces when `namespace` is absent. */
export function collectionPath(resource: ApiResource, namespace?: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope = resource.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${resource.plural}`;
}

export function objectPath(resource: ApiResource, ref: ObjectRef, subresource?: string): string {
  const tail = subresource ? `/${subresource}` : '';
  return `${collectionPath(resource, ref.namespace)}/${encodeURIComponent(ref.name)}${tail}`;
}

/** `Deployment web/api`, as messages name an object. */
export function describeRef(resource: { kind: string }, ref: ObjectRef): string {
  return `${resource.kind} ${ref.namespace ? `${ref.namespace}/` : ''}${ref.name}`;
}

export function queryString(query: Query): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) params.set(key, String(value));
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

export function listQuery(options: ListOptions): Query {
  return { labelSelector: options.labelSelector || undefined, fieldSelector: options.fieldSelector || undefined };
}

export function writeQuery(options: WriteOptions): Query {
  return { fieldManager: options.fieldManager, dryRun: options.dryRun ? 'All' : undefined };
}

export function deleteBody(options: DeleteOptions): object {
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    propagationPolicy: options.propagationPolicy,
    gracePeriodSeconds: options.gracePeriodSeconds,
    preconditions: options.preconditions,
  };
}
