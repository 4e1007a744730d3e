import { getArray, getNumber, getObject, getPath, getString } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { matchesSelector, parseLabelSelector } from '../controllers/selector.ts';
import type { HostCertificate } from './ingress-plan.ts';
import { matchesWildcardHost } from './route-table.ts';

export const gatewayGroup = 'gateway.networking.k8s.io';

/** A condition without the times, which whoever writes it knows. */
export interface PlannedCondition {
  type: string;
  status: 'True' | 'False';
  reason: string;
  message: string;
}

export interface PlannedListener {
  name: string;
  port: number;
  hostname: string;
  secure: boolean;
  /** Takes routes: nothing about it is wrong. */
  usable: boolean;
  conditions: PlannedCondition[];
  supportedKinds: { group: string; kind: string }[];
  takesFrom: (namespace: string) => boolean;
}

export interface PlannedGateway {
  object: ApiObject;
  conditions: PlannedCondition[];
  listeners: PlannedListener[];
}

export interface GatewaySources {
  service(namespace: string, name: string): ApiObject | undefined;
  /** Why the Secret is no certificate; undefined when it is one. */
  certificateProblem(namespace: string, name: string): string | undefined;
  namespaceLabels(name: string): Record<string, string>;
  grants: readonly ApiObject[];
  ports: { http: number; https: number };
}

export function planGateway(
  gateway: ApiObject,
  sources: GatewaySources,
): { gateway: PlannedGateway; certificates: HostCertificate[] } {
  const entries = getArray(gateway, 'spec', 'listeners');
  const listeners = entries.map((entry) => planListener(gateway, entry, sources));
  markConflicts(listeners, entries);
  const certificates = entries.flatMap((entry, index) =>
    listeners[index]?.usable && listeners[index].secure ? certificatesOf(gateway, entry) : [],
  );
  const broken = listeners.filter(({ usable }) => !usable).map(({ name }) => name);
  const { http, https } = sources.ports;
  const served = listeners.filter(({ usable }) => usable);
  const where = served.map(({ port, secure }) => `${port} on 127.0.0.1:${secure ? https : http}`);
  const invalid = served.length === 0;
  const wrong = `these listeners are not valid: ${broken.join(', ')}`;
  const conditions: PlannedCondition[] = [
    invalid
      ? { type: 'Accepted', status: 'False', reason: 'ListenersNotValid', message: wrong }
      : {
          type: 'Accepted',
          status: 'True',
          reason: broken.length > 0 ? 'ListenersNotValid' : 'Accepted',
          message: broken.length > 0 ? wrong : 'The Gateway is accepted.',
        },
    invalid
      ? { type: 'Programmed', status: 'False', reason: 'Invalid', message: wrong }
      : {
          type: 'Programmed',
          status: 'True',
          reason: 'Programmed',
          message: `Port ${[...new Set(where)].join(', port ')}.`,
        },
  ];
  return { gateway: { object: gateway, conditions, listeners }, certificates };
}

function planListener(gateway: ApiObject, entry: unknown, sources: GatewaySources): PlannedListener {
  const protocol = getString(entry, 'protocol') ?? '';
  const secure = protocol === 'HTTPS';
  const supported = protocol === 'HTTP' || secure;
  const kinds = getArray(entry, 'allowedRoutes', 'kinds');
  const known = kinds.filter(
    (kind) => getString(kind, 'kind') === 'HTTPRoute' && (getString(kind, 'group') ?? gatewayGroup) === gatewayGroup,
  );
  const reference =
    supported && kinds.length > known.length
      ? { reason: 'InvalidRouteKinds', message: 'Only HTTPRoutes are supported.' }
      : secure
        ? certificateProblem(gateway, entry, sources)
        : undefined;
  const accepts = supported && (kinds.length === 0 || known.length > 0);
  const usable = accepts && (reference === undefined || reference.reason === 'InvalidRouteKinds');
  const message = supported
    ? 'The listener is accepted.'
    : `Protocol ${protocol} is not supported: HTTP and HTTPS are.`;
  return {
    name: getString(entry, 'name') ?? '',
    port: getNumber(entry, 'port') ?? 0,
    hostname: (getString(entry, 'hostname') ?? '').toLowerCase(),
    secure,
    usable,
    supportedKinds: accepts ? [{ group: gatewayGroup, kind: 'HTTPRoute' }] : [],
    takesFrom: namespaceRule(gateway, entry, sources),
    conditions: [
      supported
        ? { type: 'Accepted', status: 'True', reason: 'Accepted', message }
        : { type: 'Accepted', status: 'False', reason: 'UnsupportedProtocol', message },
      reference
        ? { type: 'ResolvedRefs', status: 'False', ...reference }
        : { type: 'ResolvedRefs', status: 'True', reason: 'ResolvedRefs', message: 'All references are good.' },
      usable
        ? { type: 'Programmed', status: 'True', reason: 'Programmed', message: 'The listener is served.' }
        : { type: 'Programmed', status: 'False', reason: 'Invalid', message: reference?.message ?? message },
      { type: 'Conflicted', status: 'False', reason: 'NoConflicts', message: 'No other listener wants the same.' },
    ],
  };
}

function certificateProblem(
  gateway: ApiObject,
  entry: unknown,
  sources: GatewaySources,
): { reason: string; message: string } | undefined {
  if ((getString(entry, 'tls', 'mode') ?? 'Terminate') !== 'Terminate')
    return { reason: 'InvalidCertificateRef', message: 'TLS passthrough is not supported: only mode Terminate is.' };
  const references = getArray(entry, 'tls', 'certificateRefs');
  if (references.length === 0)
    return { reason: 'InvalidCertificateRef', message: 'tls.certificateRefs names no certificate.' };
  const own = gateway.metadata.namespace ?? '';
  for (const reference of references) {
    const kind = getString(reference, 'kind') ?? 'Secret';
    const name = getString(reference, 'name') ?? '';
    const namespace = getString(reference, 'namespace') ?? own;
    if (kind !== 'Secret' || (getString(reference, 'group') ?? '') !== '')
      return {
        reason: 'InvalidCertificateRef',
        message: `A certificate of kind ${kind} is not supported: Secrets are.`,
      };
    const to = { kind: 'Secret', namespace, name };
    if (!isGranted(sources.grants, { kind: 'Gateway', namespace: own }, to))
      return { reason: 'RefNotPermitted', message: `No ReferenceGrant allows the Secret ${namespace}/${name}.` };
    const problem = sources.certificateProblem(namespace, name);
    if (problem !== undefined)
      return { reason: 'InvalidCertificateRef', message: `The Secret ${namespace}/${name} ${problem}.` };
  }
  return undefined;
}

function certificatesOf(gateway: ApiObject, entry: unknown): HostCertificate[] {
  const own = gateway.metadata.namespace ?? '';
  const host = (getString(entry, 'hostname') ?? '').toLowerCase();
  const [first] = getArray(entry, 'tls', 'certificateRefs');
  const namespace = getString(first, 'namespace') ?? own;
  const secret = getString(first, 'name') ?? '';
  return [{ host: wildcardOf(host), namespace, secret, owner: `${own}/${gateway.metadata.name}` }];
}

/** `*.x` of a Gateway covers any number of labels. */
export function wildcardOf(host: string): string {
  return host.startsWith('*.') ? `*${host}` : host;
}

function namespaceRule(gateway: ApiObject, entry: unknown, sources: GatewaySources): (namespace: string) => boolean {
  const rule = getObject(entry, 'allowedRoutes', 'namespaces');
  switch (getString(rule, 'from') ?? 'Same') {
    case 'All':
      return () => true;
    case 'Selector': {
      const selector = parseLabelSelector(rule['selector']);
      return (namespace) => matchesSelector(selector, sources.namespaceLabels(namespace));
    }
    default:
      return (namespace) => namespace === gateway.metadata.namespace;
  }
}

/** Listeners of one port must speak one protocol, each for another host name. */
function markConflicts(listeners: PlannedListener[], entries: readonly unknown[]): void {
  for (const [index, listener] of listeners.entries()) {
    const protocol = getString(entries[index], 'protocol');
    const others = listeners.flatMap((other, at) => (at !== index && other.port === listener.port ? [at] : []));
    const otherProtocol = others.some((at) => getString(entries[at], 'protocol') !== protocol);
    const sameHost = others.some((at) => listeners[at]?.hostname === listener.hostname);
    if (!otherProtocol && !sameHost) continue;
    const reason = otherProtocol ? 'ProtocolConflict' : 'HostnameConflict';
    const message = `Another listener wants port ${listener.port} ${otherProtocol ? 'with another protocol' : 'for the same host name'}.`;
    const failed = new Map<string, PlannedCondition>([
      ['Conflicted', { type: 'Conflicted', status: 'True', reason, message }],
      ['Accepted', { type: 'Accepted', status: 'False', reason, message }],
      ['Programmed', { type: 'Programmed', status: 'False', reason: 'Invalid', message }],
    ]);
    listener.usable = false;
    listener.conditions = listener.conditions.map((condition) => failed.get(condition.type) ?? condition);
  }
}

/** Whether an object may refer to one of another namespace: in its own always, else by a ReferenceGrant there. */
export function isGranted(
  grants: readonly ApiObject[],
  from: { kind: string; namespace: string },
  to: { kind: string; namespace: string; name: string },
): boolean {
  if (from.namespace === to.namespace) return true;
  return grants.some((grant) => {
    if (grant.metadata.namespace !== to.namespace) return false;
    const trusted = getArray(grant, 'spec', 'from').some(
      (entry) =>
        getString(entry, 'group') === gatewayGroup &&
        getString(entry, 'kind') === from.kind &&
        getString(entry, 'namespace') === from.namespace,
    );
    const named = getArray(grant, 'spec', 'to').some(
      (entry) =>
        (getString(entry, 'group') ?? '') === '' &&
        getString(entry, 'kind') === to.kind &&
        (getPath(entry, 'name') === undefined || getString(entry, 'name') === to.name),
    );
    return trusted && named;
  });
}

/** The host names that a listener and a route both mean; '' stands for every one. */
export function commonHosts(listener: string, route: readonly string[]): string[] {
  if (route.length === 0) return [wildcardOf(listener)];
  const found: string[] = [];
  for (const host of route) {
    if (listener === '' || listener === host || covers(listener, host)) found.push(wildcardOf(host));
    else if (covers(host, listener)) found.push(wildcardOf(listener));
  }
  return found;
}

function covers(pattern: string, host: string): boolean {
  return pattern.startsWith('*.') && matchesWildcardHost(wildcardOf(pattern), host.replace(/^\*(?=\.)/, 'x'));
}
