import type { JsonObject } from '#base/json.ts';
import { hasSubresource, type ServedResource } from '../served.ts';

interface SchemaNames {
  schema: string | undefined;
  listSchema: string | undefined;
}

const writeParameters = ['dryRun', 'fieldManager', 'fieldValidation'];
const listParameters = [
  'allowWatchBookmarks',
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'timeoutSeconds',
  'watch',
];
const deleteParameters = ['dryRun', 'gracePeriodSeconds', 'orphanDependents', 'propagationPolicy'];
const types: Record<string, string> = {
  allowWatchBookmarks: 'boolean',
  force: 'boolean',
  gracePeriodSeconds: 'integer',
  limit: 'integer',
  orphanDependents: 'boolean',
  sendInitialEvents: 'boolean',
  timeoutSeconds: 'integer',
  watch: 'boolean',
};
const patchTypes = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];

/** The paths of one kind, with the parameters that clients look up before they use them. */
export function resourcePaths(resource: ServedResource, names: SchemaNames): JsonObject {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const collection = resource.namespaced
    ? `${root}/namespaces/{namespace}/${resource.plural}`
    : `${root}/${resource.plural}`;
  const paths: JsonObject = {
    [collection]: collectionItem(resource, names),
    [`${collection}/{name}`]: objectItem(resource, names.schema),
  };
  if (resource.namespaced)
    paths[`${root}/${resource.plural}`] = {
      get: operation(resource, { action: 'list', parameters: listParameters, schema: names.listSchema }),
      parameters: [],
    };
  if (hasSubresource(resource, 'status'))
    paths[`${collection}/{name}/status`] = objectItem(resource, names.schema, ['get', 'put', 'patch']);
  return paths;
}

function collectionItem(resource: ServedResource, { schema, listSchema }: SchemaNames): JsonObject {
  return {
    get: operation(resource, { action: 'list', parameters: listParameters, schema: listSchema }),
    post: operation(resource, { action: 'post', parameters: writeParameters, schema, body: ['*/*'] }),
    ...(resource.groupResource === 'namespaces'
      ? {}
      : {
          delete: operation(resource, {
            action: 'deletecollection',
            parameters: [...listParameters, ...deleteParameters],
          }),
        }),
    parameters: resource.namespaced ? [pathParameter('namespace')] : [],
  };
}

function objectItem(
  resource: ServedResource,
  schema: string | undefined,
  verbs = ['get', 'put', 'patch', 'delete'],
): JsonObject {
  const bodies = resource.custom ? patchTypes.slice(0, 3) : patchTypes;
  const operations: JsonObject = {
    get: operation(resource, { action: 'get', parameters: ['resourceVersion'], schema }),
    put: operation(resource, { action: 'put', parameters: writeParameters, schema, body: ['*/*'] }),
    patch: operation(resource, { action: 'patch', parameters: [...writeParameters, 'force'], schema, body: bodies }),
    delete: operation(resource, { action: 'delete', parameters: deleteParameters }),
  };
  return {
    ...Object.fromEntries(verbs.map((verb) => [verb, operations[verb]])),
    parameters: [pathParameter('name'), ...(resource.namespaced ? [pathParameter('namespace')] : [])],
  };
}

function operation(
  resource: ServedResource,
  {
    action,
    parameters,
    schema,
    body,
  }: { action: string; parameters: string[]; schema?: string | undefined; body?: string[] },
): JsonObject {
  const { group, version, kind } = resource;
  const shown = { schema: schema === undefined ? { type: 'object' } : { $ref: `#/components/schemas/${schema}` } };
  const responses = { '200': { description: 'OK', content: { 'application/json': shown } } };
  const anything = { schema: { type: 'object' } };
  const requestBody = body && {
    required: true,
    content: Object.fromEntries(body.map((type) => [type, action === 'patch' ? anything : shown])),
  };
  return {
    parameters: parameters.map((name) => ({
      name,
      in: 'query',
      schema: { type: types[name] ?? 'string', uniqueItems: true },
    })),
    ...(requestBody ? { requestBody } : {}),
    responses,
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group, version, kind },
  };
}

function pathParameter(name: string): JsonObject {
  return { name, in: 'path', required: true, schema: { type: 'string', uniqueItems: true } };
}
