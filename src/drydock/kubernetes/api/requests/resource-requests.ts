import { ApiError, type ApiObject } from '../port.ts';
import { isDryRun } from '../protocol/dry-run.ts';
import type { Exchange } from '../protocol/exchange.ts';
import { chooseFace } from '../protocol/negotiation.ts';
import { isTrue } from '../protocol/query-flag.ts';
import { decodeObject, parseBody, parseFieldValidation, reportProblems } from '../protocol/request-body.ts';
import { badRequest, methodNotAllowed, notFound, verbNotSupported } from '../protocol/status-error.ts';
import type { Subresource } from '../resources.ts';
import { objectKey, type ServedResource } from '../served.ts';
import type { StoredObject } from '../store/stored.ts';
import { columnsJson, tablePieces, tableRowJson } from '../table/table.ts';
import { fromStorage } from '../write/conversion.ts';
import { createObject, updateObject, type WriteDeps } from '../write/write.ts';
import { deleteCollection, deleteOne } from './delete-requests.ts';
import { listPage, parseFilter, reachedRevision } from './list.ts';
import {
  fieldManager,
  type PatchInput,
  parseForce,
  parsePatchType,
  patchedObject,
  requireFieldManager,
} from './patch.ts';
import { bookmarkObject, listPieces, objectJson, partialListPieces, partialObject } from './present.ts';
import { createdByReplace, requireVersion } from './replace-rules.ts';
import { faceOf, includeOf, showObject } from './show-object.ts';
import { streamWatch } from './watch-stream.ts';

export interface ResourceTarget {
  resource: ServedResource;
  namespace: string | undefined;
  name: string | undefined;
  subresource: 'status' | 'approval' | 'ephemeralcontainers' | undefined;
  /** The deprecated watch path. */
  watch: boolean;
}

/** Requests on a kind's collection, its objects, and their `status`. */
export async function handleResource(deps: WriteDeps, exchange: Exchange, target: ResourceTarget): Promise<void> {
  const { resource, namespace, name, subresource } = target;
  // A single object is not watched: there `watch` counts for nothing.
  const watching = target.watch || (name === undefined && isTrue(exchange.query.get('watch')));
  switch (exchange.method) {
    case 'GET':
    case 'HEAD':
      if (subresource === undefined && (watching || name === undefined))
        return watching ? watchObjects(deps, exchange, target) : listObjects(deps, exchange, target);
      return getObjectRequest(deps, exchange, { ...target, name: name ?? '' });
    case 'POST':
      if (name !== undefined || (resource.namespaced && namespace === undefined)) throw unsupported(resource, 'create');
      return create(deps, exchange, target);
    case 'PUT':
      if (name === undefined) throw unnamed(resource);
      return replace(deps, exchange, { ...target, name });
    case 'PATCH':
      if (name === undefined) throw unnamed(resource);
      return patch(deps, exchange, { ...target, name });
    case 'DELETE':
      if (subresource !== undefined) throw unsupported(resource, 'delete');
      if (name === undefined) return deleteCollection(deps, exchange, target);
      return deleteOne(deps, exchange, { ...target, name });
    default:
      throw unsupported(resource, '');
  }
}

function unsupported(resource: ServedResource, verb: string): ApiError {
  return resource.custom ? verbNotSupported(resource, verb) : methodNotAllowed();
}

function unnamed(resource: ServedResource): ApiError {
  return resource.custom ? badRequest('name must be provided') : methodNotAllowed();
}

export type NamedTarget = ResourceTarget & { name: string };

async function getObjectRequest(deps: WriteDeps, exchange: Exchange, target: NamedTarget): Promise<void> {
  const { resource, namespace, name } = target;
  reachedRevision(deps.store, exchange.query.get('resourceVersion') ?? '');
  const stored = deps.store.getPublished(resource.storage, objectKey(resource, namespace, name));
  if (!stored) throw notFound(resource, name);
  const face = faceOf(exchange, resource);
  if (face === 'object') return exchange.text(200, `${objectJson(resource, stored)}\n`, 'application/json');
  await showObject(deps, exchange, { resource, object: stored.object, code: 200, face });
}

async function listObjects(deps: WriteDeps, exchange: Exchange, target: ResourceTarget): Promise<void> {
  const { resource, namespace } = target;
  const face = faceOf(exchange, resource);
  const filter = parseFilter(resource, namespace, exchange.query);
  const page = await listPage(deps.store, resource, { filter, query: exchange.query });
  switch (face) {
    case 'object':
      return exchange.pieces(200, listPieces(resource, page.items, page));
    case 'partial':
      return exchange.pieces(200, partialListPieces(page.items, page));
    case 'table': {
      const objects = Iterator.from(page.items).map(({ object }) => fromStorage(resource, object));
      const options = { meta: page, now: deps.clock.now(), include: includeOf(exchange) };
      return exchange.pieces(200, tablePieces(resource, objects, options));
    }
  }
}

async function watchObjects(deps: WriteDeps, exchange: Exchange, target: ResourceTarget): Promise<void> {
  const { resource, namespace, name } = target;
  const face = chooseFace(exchange.header('accept'), { stream: true, custom: resource.custom !== undefined });
  const filter = parseFilter(resource, namespace, exchange.query);
  if (name !== undefined) filter.fields.push({ path: 'metadata.name', equal: true, value: name });
  const include = includeOf(exchange);
  const renderRow = (stored: StoredObject): string =>
    tableRowJson(resource, fromStorage(resource, stored.object), { now: deps.clock.now(), include });
  const render = {
    object: (stored: StoredObject) => objectJson(resource, stored),
    partial: (stored: StoredObject) => JSON.stringify(partialObject(stored.object)),
    table: renderRow,
  }[face];
  await streamWatch(deps, exchange, {
    resource,
    filter,
    render,
    view: JSON.stringify([resource.groupResource, resource.version, filter, face, include]),
    columns: face === 'table' ? columnsJson(resource) : undefined,
    bookmark: (revision, initialEventsEnd) =>
      JSON.stringify(bookmarkObject(resource, face, { revision, initialEventsEnd })),
  });
}

/** Kinds that are kept but that nothing here acts on. */
const storedOnly: Record<string, string> = {
  resourcequotas: 'this server stores ResourceQuotas but does not enforce them',
  limitranges: 'this server stores LimitRanges but does not apply them',
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': 'this server stores webhooks but does not call them',
  'validatingwebhookconfigurations.admissionregistration.k8s.io': 'this server stores webhooks but does not call them',
  'validatingadmissionpolicies.admissionregistration.k8s.io':
    'this server stores ValidatingAdmissionPolicies but does not evaluate them',
  'validatingadmissionpolicybindings.admissionregistration.k8s.io':
    'this server stores ValidatingAdmissionPolicyBindings but does not evaluate them',
  'flowschemas.flowcontrol.apiserver.k8s.io': 'this server stores FlowSchemas but does not queue by them',
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io':
    'this server stores PriorityLevelConfigurations but does not queue by them',
  'networkpolicies.networking.k8s.io': 'this server stores NetworkPolicies but does not enforce them',
};

/** Finalizers that the server itself knows what to do with. */
const ownFinalizers = new Set(['foregroundDeletion', 'kubernetes', 'orphan']);

function warnOfCreated(exchange: Exchange, resource: ServedResource, { metadata }: ApiObject): void {
  const warning = storedOnly[resource.groupResource];
  if (warning !== undefined) exchange.warn(warning);
  if (!resource.custom) return;
  for (const finalizer of metadata.finalizers ?? []) {
    if (finalizer.includes('/') || ownFinalizers.has(finalizer)) continue;
    const path = finalizer.includes('.') ? ' including a path (/)' : '';
    exchange.warn(
      `metadata.finalizers: ${JSON.stringify(finalizer)}: prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`,
    );
  }
}

async function create(deps: WriteDeps, exchange: Exchange, target: ResourceTarget): Promise<void> {
  const { resource, namespace } = target;
  const face = faceOf(exchange, resource);
  const dryRun = isDryRun('CreateOptions', exchange.dryRun);
  const manager = fieldManager(exchange.query, exchange.header('user-agent'), 'CreateOptions');
  const validation = parseFieldValidation(exchange.query, 'CreateOptions');
  const body = parseBody(await exchange.body(), exchange.header('content-type'), resource.kind);
  const { object, problems } = decodeObject(resource, body);
  reportProblems(resource, problems, { validation, warn: (message) => exchange.warn(message) });
  const home = namespaceOf(resource, namespace, object);
  if ((object.metadata.resourceVersion ?? '') !== '')
    throw new ApiError(500, '', 'resourceVersion should not be set on objects to be created');
  const created = await createObject(deps, {
    resource,
    namespace: home,
    object,
    options: { manager, dryRun, user: exchange.user },
  });
  exchange.createdName = created.metadata.name;
  warnOfCreated(exchange, resource, created);
  await showObject(deps, exchange, { resource, object: created, code: 201, face });
}

function namespaceOf(resource: ServedResource, namespace: string | undefined, object: ApiObject): string | undefined {
  if (!resource.namespaced) return undefined;
  const own = object.metadata.namespace;
  if (own !== undefined && own !== '' && own !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  return namespace;
}

async function replace(deps: WriteDeps, exchange: Exchange, target: NamedTarget): Promise<void> {
  const { resource, namespace, name, subresource } = target;
  const face = faceOf(exchange, resource);
  const dryRun = isDryRun('UpdateOptions', exchange.dryRun);
  const manager = fieldManager(exchange.query, exchange.header('user-agent'), 'UpdateOptions');
  const validation = parseFieldValidation(exchange.query, 'UpdateOptions');
  const body = parseBody(await exchange.body(), exchange.header('content-type'), resource.kind);
  const { object, problems } = decodeObject(resource, body);
  reportProblems(resource, problems, { validation, warn: (message) => exchange.warn(message) });
  requireSameName(object, name);
  namespaceOf(resource, namespace, object);
  const exists = deps.store.get(resource.storage, objectKey(resource, namespace, name)) !== undefined;
  if (!exists && subresource === undefined && createdByReplace.has(resource.groupResource)) {
    requireCreation(deps, exchange, target);
    const options = { manager, dryRun, user: exchange.user };
    const created = await createObject(deps, { resource, namespace, object, options });
    return showObject(deps, exchange, { resource, object: created, code: 201, face });
  }
  if (exists) requireVersion(resource, object);
  const result = await updateObject(deps, {
    resource,
    namespace,
    name,
    options: { manager, dryRun, user: exchange.user },
    subresource,
    uid: object.metadata.uid,
    produce: () => ({ object, managed: false }),
  });
  await showObject(deps, exchange, { resource, object: result.object, code: 200, face });
}

function requireSameName(object: ApiObject, name: string): void {
  const own = object.metadata.name;
  if (own === undefined || own === '') throw badRequest('name must be provided');
  if (own !== name) throw badRequest(`the name of the object (${own}) does not match the name on the URL (${name})`);
}

async function patch(deps: WriteDeps, exchange: Exchange, target: NamedTarget): Promise<void> {
  const { resource, namespace, name, subresource } = target;
  const face = faceOf(exchange, resource);
  const { input, dryRun } = await parsePatchRequest(exchange, resource, subresource);
  const options = { manager: input.manager, dryRun, user: exchange.user };
  const exists = deps.store.get(resource.storage, objectKey(resource, namespace, name)) !== undefined;
  if (!exists && input.type === 'apply' && subresource === undefined) {
    requireCreation(deps, exchange, target);
    const { object } = patchedObject(deps, input, undefined);
    checkPatchedIdentity(object, name, namespace);
    object.metadata.name = name;
    const created = await createObject(deps, { resource, namespace, object, options, managed: true });
    warnOfCreated(exchange, resource, created);
    return showObject(deps, exchange, { resource, object: created, code: 201, face });
  }
  const result = await updateObject(deps, {
    resource,
    namespace,
    name,
    options,
    subresource,
    produce: (live) => {
      const patched = patchedObject(deps, input, live);
      checkPatchedIdentity(patched.object, name, namespace);
      requireVersion(resource, patched.object);
      return patched;
    },
  });
  await showObject(deps, exchange, { resource, object: result.object, code: 200, face });
}

/** A patch that creates needs the right to create as well. */
function requireCreation(deps: WriteDeps, exchange: Exchange, { resource, namespace, name }: NamedTarget): void {
  deps.authorizer.require(exchange.user, {
    kind: 'resource',
    verb: 'create',
    group: resource.group,
    version: resource.version,
    resource: resource.plural,
    subresource: '',
    namespace: namespace ?? '',
    name,
  });
}

function checkPatchedIdentity(object: ApiObject, name: string, namespace: string | undefined): void {
  const own = object.metadata.name;
  if (own !== undefined && own !== '' && own !== name)
    throw badRequest(`the name of the object (${own}) does not match the name on the URL (${name})`);
  const home = object.metadata.namespace;
  if (namespace !== undefined && home !== undefined && home !== '' && home !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

/** The patch in a request, ready to be applied to a live object. */
async function parsePatchRequest(
  exchange: Exchange,
  resource: ServedResource,
  subresource: Subresource | undefined,
): Promise<{ input: PatchInput; dryRun: boolean }> {
  const { query } = exchange;
  const type = parsePatchType(resource, exchange.header('content-type'));
  const manager =
    type === 'apply' ? requireFieldManager(query) : fieldManager(query, exchange.header('user-agent'), 'PatchOptions');
  const dryRun = isDryRun('PatchOptions', exchange.dryRun);
  const validation = parseFieldValidation(query, 'PatchOptions');
  const body = await exchange.body();
  const warned = new Set<string>();
  const warn = (message: string): void => {
    if (warned.has(message)) return;
    warned.add(message);
    exchange.warn(message);
  };
  return {
    input: { resource, type, body, manager, force: parseForce(query, type), subresource, validation, warn },
    dryRun,
  };
}
