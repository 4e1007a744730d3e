import type { JsonObject } from '#base/json.ts';
import { ApiError } from '../port.ts';
import type { Exchange } from '../protocol/exchange.ts';
import { isTrue, queryInteger } from '../protocol/query-flag.ts';
import { parseBody } from '../protocol/request-body.ts';
import { methodNotAllowed, successStatus } from '../protocol/status-error.ts';
import { deleteObject, parseDeleteOptions } from '../write/delete.ts';
import type { WriteDeps } from '../write/write.ts';
import { matches, type ObjectFilter, parseFilter } from './list.ts';
import { listPieces } from './present.ts';
import type { NamedTarget, ResourceTarget } from './resource-requests.ts';
import { faceOf, showObject } from './show-object.ts';

async function deleteOptionsOf(exchange: Exchange): Promise<ReturnType<typeof parseDeleteOptions>> {
  const bytes = await exchange.body();
  const fromBody: JsonObject =
    bytes.length === 0 ? {} : parseBody(bytes, exchange.header('content-type'), 'DeleteOptions').value;
  const fromQuery: JsonObject = {};
  for (const field of ['propagationPolicy', 'orphanDependents', 'gracePeriodSeconds']) {
    const value = exchange.query.get(field);
    if (value === null) continue;
    if (field === 'gracePeriodSeconds') fromQuery[field] = queryInteger(value);
    else fromQuery[field] = field === 'orphanDependents' ? isTrue(value) : value;
  }
  const { dryRun } = exchange;
  const parsed = parseDeleteOptions({ ...fromQuery, ...(dryRun ? { dryRun } : {}), ...fromBody });
  exchange.dryRunInBody = parsed.dryRun;
  return parsed;
}

/** Kinds whose deletion answers with the object instead of a Status. */
const returnsDeleted = new Set([
  'namespaces',
  'persistentvolumeclaims',
  'persistentvolumes',
  'pods',
  'podtemplates',
  'resourcequotas',
  'serviceaccounts',
  'services',
]);

/** DELETE of one object: a Status when it is gone, else the object with the time it was marked at. */
export async function deleteOne(deps: WriteDeps, exchange: Exchange, target: NamedTarget): Promise<void> {
  const { resource, namespace, name } = target;
  const face = faceOf(exchange, resource);
  const { options, dryRun } = await deleteOptionsOf(exchange);
  const result = await deleteObject(deps, { resource, namespace, name, options, dryRun });
  for (const warning of result.warnings) exchange.warn(warning);
  if (!result.gone || returnsDeleted.has(resource.groupResource))
    return showObject(deps, exchange, { resource, object: result.object, code: 200, face });
  const { uid } = result.object.metadata;
  const group = resource.group === '' ? {} : { group: resource.group };
  await exchange.json(200, successStatus({ name, ...group, kind: resource.plural, uid }));
}

/** DELETE of a collection: the list of what was in it. */
export async function deleteCollection(deps: WriteDeps, exchange: Exchange, target: ResourceTarget): Promise<void> {
  const { resource, namespace } = target;
  if (resource.custom && resource.namespaced && namespace === undefined)
    return exchange.text(404, '404 page not found\n', 'text/plain; charset=utf-8');
  // Upstream serves no deletion of all namespaces or of all Services of all namespaces at once.
  if (resource.groupResource === 'namespaces') throw methodNotAllowed();
  if (resource.namespaced && namespace === undefined) throw methodNotAllowed();
  const filter: ObjectFilter = parseFilter(resource, namespace, exchange.query);
  const { options, dryRun } = await deleteOptionsOf(exchange);
  const found = deps.store
    .scan(resource.storage, namespace === undefined ? '' : `${namespace}/`)
    .filter(({ object }) => matches(filter, object));
  for (const { object } of found) {
    const { name } = object.metadata;
    try {
      await deleteObject(deps, { resource, namespace: object.metadata.namespace, name, options, dryRun });
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 404) throw error;
    }
  }
  const meta = { revision: deps.store.revision, continueToken: undefined, remainingItemCount: undefined };
  await exchange.pieces(200, listPieces(resource, found, meta));
}
