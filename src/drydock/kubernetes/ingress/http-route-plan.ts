import { getArray, getNumber, getString } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import {
  commonHosts,
  type GatewaySources,
  gatewayGroup,
  isGranted,
  type PlannedCondition,
  type PlannedGateway,
  type PlannedListener,
} from './gateway-plan.ts';
import { ruleAction, ruleMatches, Unsupported } from './http-route-rules.ts';
import { serviceTarget } from './ingress-plan.ts';
import type { Route, Target } from './route.ts';

export interface PlannedParent {
  parentRef: unknown;
  conditions: PlannedCondition[];
}

export interface PlannedRoute {
  object: ApiObject;
  /** One for each of our Gateways that the route names. */
  parents: PlannedParent[];
  routes: Route[];
  /** The listeners that took it, as `namespace/gateway/listener`. */
  attached: string[];
}

type Attachment = { kind: 'attached'; listeners: { listener: PlannedListener; hosts: string[] }[] } | PlannedCondition;

/** Where an HTTPRoute is attached, what it routes there, and what of it is wrong. */
export function planHttpRoute(
  route: ApiObject,
  gateways: ReadonlyMap<string, PlannedGateway>,
  sources: GatewaySources,
): PlannedRoute {
  const plan: PlannedRoute = { object: route, parents: [], routes: [], attached: [] };
  const references: PlannedCondition[] = [];
  const rules = readRules(route, sources, references);
  const resolved: PlannedCondition = references[0] ?? {
    type: 'ResolvedRefs',
    status: 'True',
    reason: 'ResolvedRefs',
    message: 'All references are good.',
  };
  for (const parentRef of getArray(route, 'spec', 'parentRefs')) {
    const key = gatewayKey(route, parentRef);
    const gateway = key === undefined ? undefined : gateways.get(key);
    if (!gateway) continue;
    const attachment = attach(route, parentRef, gateway);
    if ('type' in attachment || typeof rules === 'string') {
      const refused =
        'type' in attachment ? attachment : notAccepted('UnsupportedValue', `Not supported: ${String(rules)}.`);
      plan.parents.push({ parentRef, conditions: [refused, resolved] });
      continue;
    }
    const message = 'The route is accepted.';
    const accepted: PlannedCondition = { type: 'Accepted', status: 'True', reason: 'Accepted', message };
    plan.parents.push({ parentRef, conditions: [accepted, resolved] });
    for (const { listener, hosts } of attachment.listeners) {
      plan.attached.push(`${key}/${listener.name}`);
      for (const host of hosts) plan.routes.push(...rules(host, listener.secure ? 'https' : 'http'));
    }
  }
  return plan;
}

function gatewayKey(route: ApiObject, parentRef: unknown): string | undefined {
  if ((getString(parentRef, 'group') ?? gatewayGroup) !== gatewayGroup) return undefined;
  if ((getString(parentRef, 'kind') ?? 'Gateway') !== 'Gateway') return undefined;
  return `${getString(parentRef, 'namespace') ?? route.metadata.namespace ?? ''}/${getString(parentRef, 'name') ?? ''}`;
}

function attach(route: ApiObject, parentRef: unknown, gateway: PlannedGateway): Attachment {
  const section = getString(parentRef, 'sectionName');
  const port = getNumber(parentRef, 'port');
  const named = gateway.listeners.filter(
    (listener) =>
      (section === undefined || listener.name === section) && (port === undefined || listener.port === port),
  );
  if (named.length === 0) return notAccepted('NoMatchingParent', 'The Gateway has no such listener.');
  const open = named.filter(
    (listener) => listener.supportedKinds.length > 0 && listener.takesFrom(route.metadata.namespace ?? ''),
  );
  if (open.length === 0) return notAccepted('NotAllowedByListeners', 'No listener takes HTTPRoutes of this namespace.');
  const wanted = getArray(route, 'spec', 'hostnames').map((host) => String(host).toLowerCase());
  const listeners = open
    .map((listener) => ({ listener, hosts: commonHosts(listener.hostname, wanted) }))
    .filter(({ hosts }) => hosts.length > 0);
  if (listeners.length === 0)
    return notAccepted('NoMatchingListenerHostname', 'No listener has a host name of the route.');
  return { kind: 'attached', listeners: listeners.filter(({ listener }) => listener.usable) };
}

function notAccepted(reason: string, message: string): PlannedCondition {
  return { type: 'Accepted', status: 'False', reason, message };
}

type RoutesFor = (host: string, only: 'http' | 'https') => Route[];

/** The routes of all rules for a host, or what of them is not supported. */
function readRules(route: ApiObject, sources: GatewaySources, wrong: PlannedCondition[]): RoutesFor | string {
  const { namespace = '', name, creationTimestamp = '' } = route.metadata;
  try {
    const rules = getArray(route, 'spec', 'rules').map((rule, index) => ({
      id: `httproute/${namespace}/${name}/${index}`,
      order: `${creationTimestamp}/${namespace}/${name}/${String(index).padStart(4, '0')}`,
      action: ruleAction(rule, (reference) => backendTarget(route, reference, { sources, wrong })),
      matches: ruleMatches(rule),
    }));
    return (host, only) =>
      rules.flatMap(({ matches, ...rule }) => matches.map((match) => ({ ...rule, ...match, host, only })));
  } catch (error) {
    if (error instanceof Unsupported) return error.message;
    throw error;
  }
}

/** A reference that leads nowhere takes its share of the requests and answers them with 500, as Gateway API says. */
function backendTarget(
  route: ApiObject,
  reference: unknown,
  { sources, wrong }: { sources: GatewaySources; wrong: PlannedCondition[] },
): Target {
  const own = route.metadata.namespace ?? '';
  const namespace = getString(reference, 'namespace') ?? own;
  const name = getString(reference, 'name') ?? '';
  const kind = getString(reference, 'kind') ?? 'Service';
  const lost = (reason: string, message: string): Target => {
    wrong.push({ type: 'ResolvedRefs', status: 'False', reason, message });
    return { namespace, service: name, portName: '', weight: 1, refuse: 500 };
  };
  if (kind !== 'Service' || (getString(reference, 'group') ?? '') !== '')
    return lost('InvalidKind', `A backend of kind ${kind} is not supported: Services are.`);
  if (!isGranted(sources.grants, { kind: 'HTTPRoute', namespace: own }, { kind, namespace, name }))
    return lost('RefNotPermitted', `No ReferenceGrant allows the Service ${namespace}/${name}.`);
  const service = sources.service(namespace, name);
  if (!service) return lost('BackendNotFound', `The Service ${namespace}/${name} does not exist.`);
  const port = getNumber(reference, 'port');
  const target = serviceTarget(service, port);
  return target ?? lost('BackendNotFound', `The Service ${namespace}/${name} has no port ${port ?? '(none named)'}.`);
}
