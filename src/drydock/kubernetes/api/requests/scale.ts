import { cloneJson, getNumber, getPath, getString, isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject, ObjectScale } from '../port.ts';
import { isDryRun } from '../protocol/dry-run.ts';
import type { Exchange } from '../protocol/exchange.ts';
import { matchesLabels, parseLabelSelector } from '../protocol/label-selector.ts';
import { parseBody } from '../protocol/request-body.ts';
import { selectorText } from '../protocol/selector-text.ts';
import { badRequest, invalid, methodNotAllowed, notFound } from '../protocol/status-error.ts';
import { hasSubresource, objectKey, type ServedResource } from '../served.ts';
import { updateObject, type WriteDeps } from '../write/write.ts';
import { fieldManager, parsePatchType } from './patch.ts';
import type { SubresourceTarget } from './subresource-requests.ts';

const scaleKind = { group: 'autoscaling', kind: 'Scale' };

/** GET, PUT and PATCH of `/scale`: an autoscaling/v1 Scale over the replicas of another kind. */
export async function handleScale(deps: WriteDeps, exchange: Exchange, target: SubresourceTarget): Promise<void> {
  const { resource, namespace, name } = target;
  const stored = deps.store.get(resource.storage, objectKey(resource, namespace, name));
  if (!stored) throw notFound(resource, name);
  switch (exchange.method) {
    case 'GET':
      return exchange.json(200, scaleOf(resource, stored.object));
    case 'PUT':
    case 'PATCH':
      return writeScale(deps, exchange, target);
    default:
      throw methodNotAllowed();
  }
}

async function writeScale(deps: WriteDeps, exchange: Exchange, target: SubresourceTarget): Promise<void> {
  const { resource, name } = target;
  const change = await parseChange(deps, exchange, resource);
  const optionsKind = exchange.method === 'PUT' ? 'UpdateOptions' : 'PatchOptions';
  const result = await updateObject(deps, {
    ...target,
    options: {
      manager: fieldManager(exchange.query, exchange.header('user-agent'), optionsKind),
      dryRun: isDryRun(optionsKind, exchange.dryRun),
    },
    subresource: 'scale',
    produce: (live) => {
      const wanted = change(scaleOf(resource, live));
      const version = getString(wanted, 'metadata', 'resourceVersion') ?? '';
      const object = withReplicas(resource, live, wantedReplicas(wanted, name));
      return {
        object: { ...object, metadata: { ...object.metadata, resourceVersion: version } },
        managed: false,
      };
    },
  });
  await exchange.json(200, scaleOf(resource, result.object));
}

/** The same for who is in this process. Undefined when the kind has no scale. */
export function readScale(resource: ServedResource, object: ApiObject): ObjectScale | undefined {
  if (!hasSubresource(resource, 'scale')) return undefined;
  const scale = scaleOf(resource, object);
  const selector = getString(scale, 'status', 'selector') ?? '';
  const requirements = parseLabelSelector(selector);
  return {
    wanted: getNumber(scale, 'spec', 'replicas') ?? 0,
    current: getNumber(scale, 'status', 'replicas') ?? 0,
    selects: (labels) => selector !== '' && matchesLabels(requirements, labels),
  };
}

export async function writeReplicas(
  deps: WriteDeps,
  target: SubresourceTarget,
  { replicas, manager }: { replicas: number; manager: string },
): Promise<void> {
  const { resource } = target;
  await updateObject(deps, {
    ...target,
    options: { manager, dryRun: false },
    subresource: 'scale',
    produce: (live) => ({ object: withReplicas(resource, live, replicas), managed: false }),
  });
}

async function parseChange(
  deps: WriteDeps,
  exchange: Exchange,
  resource: ServedResource,
): Promise<(scale: JsonObject) => JsonObject> {
  if (exchange.method === 'PUT') {
    const { value } = parseBody(await exchange.body(), exchange.header('content-type'), 'Scale');
    return () => value;
  }
  const type = parsePatchType(resource, exchange.header('content-type'));
  const bytes = await exchange.body();
  let patch: unknown;
  try {
    patch = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw badRequest(`error decoding patch: ${error instanceof Error ? error.message : String(error)}`);
  }
  // A Scale holds no lists, so that strategic merge and apply come to the same as a merge patch.
  return type === 'json'
    ? (scale) => deps.types.jsonPatch(scale, patch)
    : (scale) => deps.types.mergePatch(scale, patch);
}

function wantedReplicas(scale: JsonObject, name: string): number {
  const replicas = getPath(scale, 'spec', 'replicas') ?? 0;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas))
    throw badRequest(
      `Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal ${typeof replicas} into Go struct field ScaleSpec.spec.replicas of type int32`,
    );
  if (replicas >= 0) return replicas;
  throw invalid(scaleKind, name, [
    {
      field: 'spec.replicas',
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${replicas}: must be greater than or equal to 0`,
    },
  ]);
}

function withReplicas(resource: ServedResource, live: ApiObject, replicas: number): ApiObject {
  const object = cloneJson(live);
  const path = pathParts(resource.custom?.scale?.specReplicasPath ?? '.spec.replicas');
  const last = path.pop() ?? 'replicas';
  let at: JsonObject = object;
  for (const step of path) {
    const next = at[step];
    const inner: JsonObject = isObject(next) ? next : {};
    at[step] = inner;
    at = inner;
  }
  at[last] = replicas;
  return object;
}

/** The object as a Scale; `status.selector` is text. */
function scaleOf(resource: ServedResource, object: ApiObject): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const scale = resource.custom?.scale;
  const replicas = getNumber(object, ...pathParts(scale?.specReplicasPath ?? '.spec.replicas')) ?? 0;
  const current = getNumber(object, ...pathParts(scale?.statusReplicasPath ?? '.status.replicas')) ?? 0;
  const selector = scale
    ? scale.labelSelectorPath === undefined
      ? ''
      : (getString(object, ...pathParts(scale.labelSelectorPath)) ?? '')
    : selectorText(getPath(object, 'spec', 'selector'));
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: current, ...(selector === '' ? {} : { selector }) },
  };
}

function pathParts(path: string): string[] {
  return path.split('.').filter((part) => part !== '');
}
