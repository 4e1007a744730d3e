import { type Clock, timestamp } from '#base/clock.ts';
import { getArray, getObject, getString, isObject, type JsonObject, jsonEqual } from '#base/json.ts';
import type { Outcome } from '#base/outcome.ts';
import type { ApiObject, ApiServer } from '../api/port.ts';
import { findCondition, parseConditions } from '../controllers/condition.ts';
import { keyOf, splitKey } from '../controllers/key.ts';
import { type Controller, isAlreadyExists } from '../controllers/loop.ts';
import { gatewayClasses, isOwnGatewayClass, ownGatewayClass, ownGatewayController } from './gateway-class.ts';
import type { PlannedCondition, PlannedGateway } from './gateway-plan.ts';
import type { PlannedRoute } from './http-route-plan.ts';
import { type RouteState, routeSources } from './route-state.ts';

const manager = 'drydock-gateway';
const gateways = 'gateways.gateway.networking.k8s.io';
const httpRoutes = 'httproutes.gateway.networking.k8s.io';

interface ReporterDeps {
  api: ApiServer;
  clock: Clock;
}

/**
 * Tells GatewayClasses, Gateways and HTTPRoutes by their conditions what is served of them. Offers the class `drydock`
 * as soon as Gateway API's definitions are installed.
 */
export function gatewayReporter(deps: ReporterDeps, routes: RouteState): Controller {
  const { api } = deps;
  const all = (): string[] =>
    [gatewayClasses, gateways, httpRoutes].flatMap((resource) =>
      api.list(resource).map((one) => `${resource}|${keyOf(one)}`),
    );
  return {
    name: 'gateway',
    watches: [
      ...routeSources
        .filter((resource) => !resource.startsWith('ingress'))
        .map((resource) => ({ resource, names: (one: ApiObject) => (isCommonSecret(one) ? [] : all()) })),
      {
        resource: 'customresourcedefinitions.apiextensions.k8s.io',
        names: (definition) => (definition.metadata.name === gatewayClasses ? ['offer|'] : []),
      },
    ],
    tick: async (name): Promise<Outcome> => {
      const bar = name.indexOf('|');
      const at = splitKey(name.slice(bar + 1));
      const resource = name.slice(0, bar);
      if (resource === 'offer') return await offerClass(api);
      const object = api.get(resource, at.namespace, at.name);
      if (!object || object.metadata.deletionTimestamp !== undefined) return { kind: 'done' };
      const status = statusOf(deps, routes, { resource, object });
      if (status && !jsonEqual(getObject(object, 'status'), status))
        await api.updateStatus({ ...object, status }, manager);
      return { kind: 'done' };
    },
  };
}

function isCommonSecret(object: ApiObject): boolean {
  return object.kind === 'Secret' && object['type'] !== 'kubernetes.io/tls';
}

async function offerClass(api: ApiServer): Promise<Outcome> {
  const object = ownGatewayClass();
  const served = api
    .resources()
    .some(({ resource, gvk }) => resource === gatewayClasses && `${gvk.group}/${gvk.version}` === object.apiVersion);
  if (!served) return { kind: 'done' };
  if (api.get(gatewayClasses, undefined, object.metadata.name)) return { kind: 'done' };
  try {
    await api.create(object, manager);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  return { kind: 'done' };
}

/** The whole status; undefined for what is none of ours. */
function statusOf(
  deps: ReporterDeps,
  routes: RouteState,
  { resource, object }: { resource: string; object: ApiObject },
): JsonObject | undefined {
  if (resource === gatewayClasses) return isOwnGatewayClass(object) ? classStatus(deps, object) : undefined;
  const { current } = routes;
  if (resource === gateways) {
    const plan = current.gateways.get(keyOf(object));
    return plan && gatewayStatus(deps, plan, attachedTo(current.httpRoutes.values()));
  }
  const plan = current.httpRoutes.get(keyOf(object));
  return plan && routeStatus(deps, plan);
}

function classStatus(deps: ReporterDeps, object: ApiObject): JsonObject {
  const message = 'HTTP and HTTPS listeners and HTTPRoutes are served on loopback.';
  const accepted: PlannedCondition = { type: 'Accepted', status: 'True', reason: 'Accepted', message };
  const status = getObject(object, 'status');
  return { ...status, conditions: stamp(deps, [accepted], { before: status, object }) };
}

/** How many routes each `namespace/gateway/listener` has. */
function attachedTo(plans: Iterable<PlannedRoute>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { attached } of plans) for (const key of new Set(attached)) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

function gatewayStatus(deps: ReporterDeps, plan: PlannedGateway, attached: Map<string, number>): JsonObject {
  const { object } = plan;
  const before = getObject(object, 'status');
  const listenersBefore = getArray(before, 'listeners');
  return {
    ...before,
    addresses: [{ type: 'IPAddress', value: '127.0.0.1' }],
    conditions: stamp(deps, plan.conditions, { before, object }),
    listeners: plan.listeners.map((listener) => ({
      name: listener.name,
      supportedKinds: listener.supportedKinds,
      attachedRoutes: attached.get(`${keyOf(object)}/${listener.name}`) ?? 0,
      conditions: stamp(deps, listener.conditions, {
        before: listenersBefore.find((one) => getString(one, 'name') === listener.name),
        object,
      }),
    })),
  };
}

function routeStatus(deps: ReporterDeps, { object, parents }: PlannedRoute): JsonObject | undefined {
  const before = getArray(object, 'status', 'parents');
  const theirs = before.filter((entry) => getString(entry, 'controllerName') !== ownGatewayController);
  if (parents.length === 0 && theirs.length === before.length) return undefined;
  const ours = parents.map(({ parentRef, conditions }) => ({
    parentRef,
    controllerName: ownGatewayController,
    conditions: stamp(deps, conditions, {
      before: before.find((entry) => isObject(entry) && jsonEqual(entry['parentRef'], parentRef)),
      object,
    }),
  }));
  return { ...getObject(object, 'status'), parents: [...theirs, ...ours] };
}

/** With generation and time; the time stays as long as the status does. */
function stamp(
  { clock }: ReporterDeps,
  planned: readonly PlannedCondition[],
  { before, object }: { before: unknown; object: ApiObject },
): JsonObject[] {
  const known = parseConditions(before);
  return planned.map((condition) => {
    const old = findCondition(known, condition.type);
    const kept = old?.status === condition.status ? old.lastTransitionTime : undefined;
    return {
      ...condition,
      observedGeneration: object.metadata.generation ?? 0,
      lastTransitionTime: kept ?? timestamp(clock.now()),
    };
  });
}
