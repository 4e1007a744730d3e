import { getArray, getNumber, getObject, getString, isObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { albPrefix, parseAlbAction, useAnnotation } from './alb-action.ts';
import { isCanary, parseCanary, parsePattern } from './canary.ts';
import { type IngressSettings, parseIngressAnnotations } from './ingress-annotations.ts';
import type { Action, PathMatch, Route, Target } from './route.ts';

/** The certificate of a host, as a Secret of the Ingress' namespace. */
export interface HostCertificate {
  host: string;
  namespace: string;
  secret: string;
  /** `namespace/name` of the Ingress or Gateway. */
  owner: string;
}

export interface IngressPlan {
  routes: Route[];
  certificates: HostCertificate[];
  /** What cannot be done as the Ingress says, by its `namespace/name`. */
  problems: Map<string, string[]>;
}

export interface PlanSources {
  service(namespace: string, name: string): ApiObject | undefined;
}

interface IngressPath {
  host: string;
  path: string;
  type: string;
  backend: unknown;
}

interface Scope {
  ingress: ApiObject;
  settings: IngressSettings;
  sources: PlanSources;
  problem: (text: string) => void;
}

/** The routes of Ingresses as ingress-nginx reads them. Older Ingresses win where two claim the same path. */
export function planIngresses(ingresses: readonly ApiObject[], sources: PlanSources): IngressPlan {
  const plan: IngressPlan = { routes: [], certificates: [], problems: new Map() };
  const scopeOf = (ingress: ApiObject): Scope => {
    const problems: string[] = [];
    plan.problems.set(`${ingress.metadata.namespace ?? ''}/${ingress.metadata.name}`, problems);
    const settings = parseIngressAnnotations(ingress.metadata.annotations ?? {});
    problems.push(...settings.problems);
    return { ingress, settings, sources, problem: (text) => problems.push(text) };
  };
  const main = new Map<string, Route>();
  for (const ingress of ingresses.filter((one) => !isCanary(one.metadata.annotations ?? {}))) {
    const scope = scopeOf(ingress);
    plan.certificates.push(...certificatesOf(ingress));
    for (const item of pathsOf(ingress)) {
      const route = routeOf(scope, item);
      if (!route) continue;
      plan.routes.push(route);
      // The first is the oldest: it is the one that answers.
      const key = pathKey(item);
      if (!main.has(key)) main.set(key, route);
    }
  }
  for (const ingress of ingresses.filter((one) => isCanary(one.metadata.annotations ?? {}))) {
    const scope = scopeOf(ingress);
    for (const item of pathsOf(ingress)) addCanary(scope, item, main.get(pathKey(item)));
  }
  return plan;
}

function addCanary(scope: Scope, item: IngressPath, route: Route | undefined): void {
  const where = `${item.host || '*'}${item.path}`;
  const main = route?.action;
  if (main && main.kind !== 'forward') return;
  const target = targetOf(scope, item.backend);
  if (!main) scope.problem(`there is no Ingress for ${where} that this canary could take traffic from`);
  else if (main.canary) scope.problem(`${where} has another canary already; this one gets no traffic`);
  else if (typeof target === 'string') scope.problem(target);
  else {
    const { canary, problems } = parseCanary(scope.ingress.metadata.annotations ?? {}, [target]);
    for (const text of problems) scope.problem(text);
    main.canary = canary;
  }
}

function pathKey({ host, path, type }: IngressPath): string {
  return `${host}|${type}|${path}`;
}

function pathsOf(ingress: ApiObject): IngressPath[] {
  const found: IngressPath[] = [];
  const rules = getArray(ingress, 'spec', 'rules');
  const fallback = getObject(ingress, 'spec')['defaultBackend'];
  for (const rule of rules) {
    const host = (getString(rule, 'host') ?? '').toLowerCase();
    const before = found.length;
    for (const path of getArray(rule, 'http', 'paths'))
      found.push({
        host,
        path: getString(path, 'path') || '/',
        type: getString(path, 'pathType') ?? 'ImplementationSpecific',
        backend: getObject(path, 'backend'),
      });
    const whole = found.slice(before).some(({ path, type }) => path === '/' && type !== 'Exact');
    if (isObject(fallback) && !whole) found.push({ host, path: '/', type: 'Prefix', backend: fallback });
  }
  if (isObject(fallback) && rules.length === 0) found.push({ host: '', path: '/', type: 'Prefix', backend: fallback });
  return found;
}

function routeOf(scope: Scope, item: IngressPath): Route | undefined {
  const { ingress, settings } = scope;
  const { namespace = '', name } = ingress.metadata;
  const path = pathMatch(scope, item);
  if (!path) return undefined;
  return {
    id: `ingress/${namespace}/${name}|${pathKey(item)}`,
    host: item.host,
    ...(settings.aliases.length === 0 ? {} : { aliases: settings.aliases }),
    path,
    headers: [],
    query: [],
    order: `${ingress.metadata.creationTimestamp ?? ''}/${namespace}/${name}`,
    toHttps: settings.ssl === 'always' || (settings.ssl === 'with-certificate' && hasCertificate(ingress, item.host)),
    action: actionOf(scope, item),
  };
}

function pathMatch({ ingress, settings, problem }: Scope, { path, type }: IngressPath): PathMatch | undefined {
  if (settings.regex) {
    const pattern = parsePattern(`^${path}`, 'i');
    if (!pattern) problem(`the path ${path} is not a pattern that can be used`);
    return pattern && { kind: 'pattern', value: path, pattern };
  }
  if (type === 'Exact') return { kind: 'exact', value: path };
  if (type === 'ImplementationSpecific' && isForAlb(ingress) && /[*?]/.test(path))
    return { kind: 'pattern', value: path, pattern: globPattern(path) };
  return { kind: 'prefix', value: path, element: type === 'Prefix' };
}

function isForAlb(ingress: ApiObject): boolean {
  return Object.keys(ingress.metadata.annotations ?? {}).some((name) => name.startsWith(albPrefix));
}

/** AWS' load balancer takes `*` for any number of characters and `?` for one. */
function globPattern(glob: string): RegExp {
  const literal = glob.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}

function actionOf(scope: Scope, item: IngressPath): Action {
  const { redirect, appRoot, forward, rewriteTarget } = scope.settings;
  if (redirect) return { kind: 'redirect', redirect };
  if (getString(item.backend, 'service', 'port', 'name') === useAnnotation) return albActionOf(scope, item.backend);
  const target = targetOf(scope, item.backend);
  if (typeof target === 'string') return refusal(scope, target);
  const options =
    rewriteTarget === undefined ? forward : { ...forward, rewrite: { kind: 'pattern' as const, value: rewriteTarget } };
  return { kind: 'forward', targets: [target], options, ...(appRoot === undefined ? {} : { appRoot }) };
}

function refusal(scope: Scope, why: string): Action {
  scope.problem(why);
  return { kind: 'refuse', status: 503, why };
}

/** The action that an annotation of AWS' load balancer controller gives for the name of the backend's Service. */
function albActionOf(scope: Scope, backend: unknown): Action {
  const { ingress, settings } = scope;
  const name = getString(backend, 'service', 'name') ?? '';
  const action = parseAlbAction(ingress.metadata.annotations ?? {}, name);
  if (typeof action === 'string') return refusal(scope, action);
  if (action.kind !== 'forward') return action;
  const targets: Target[] = [];
  for (const { service, port, weight } of action.groups) {
    const target = portTarget(scope, service, port);
    if (typeof target === 'string') return refusal(scope, target);
    targets.push({ ...target, weight });
  }
  return { kind: 'forward', targets, options: settings.forward };
}

/** Where a backend leads, or why it leads nowhere. */
function targetOf(scope: Scope, backend: unknown): Target | string {
  const name = getString(backend, 'service', 'name');
  if (name === undefined) return 'a backend that is a resource is not supported: only Services are';
  const port = getString(backend, 'service', 'port', 'name') ?? getNumber(backend, 'service', 'port', 'number');
  return portTarget(scope, name, port);
}

function portTarget({ ingress, sources }: Scope, name: string, wanted: string | number | undefined): Target | string {
  const { namespace = '' } = ingress.metadata;
  const service = sources.service(namespace, name);
  if (!service) return `the Service ${namespace}/${name} does not exist`;
  const target = serviceTarget(service, wanted);
  return target ?? `the Service ${namespace}/${name} has no port ${wanted ?? '(none named)'}`;
}

/** The port of a Service by its name or number; undefined when it has none such that speaks TCP. */
export function serviceTarget(service: ApiObject, wanted: string | number | undefined): Target | undefined {
  const { namespace = '', name } = service.metadata;
  const ports = getArray(service, 'spec', 'ports').filter((port) => (getString(port, 'protocol') ?? 'TCP') === 'TCP');
  const port = ports.find((one) => getString(one, 'name') === wanted || getNumber(one, 'port') === wanted);
  const external =
    getString(service, 'spec', 'type') === 'ExternalName' ? getString(service, 'spec', 'externalName') : undefined;
  if (external !== undefined) {
    const number = getNumber(port, 'port') ?? (typeof wanted === 'number' ? wanted : undefined);
    if (number === undefined) return undefined;
    return { namespace, service: name, portName: '', external: { host: external, port: number }, weight: 1 };
  }
  return port === undefined
    ? undefined
    : { namespace, service: name, portName: getString(port, 'name') ?? '', weight: 1 };
}

function certificatesOf(ingress: ApiObject): HostCertificate[] {
  const { namespace = '', name } = ingress.metadata;
  const ruleHosts = getArray(ingress, 'spec', 'rules').map((rule) => getString(rule, 'host') ?? '');
  return getArray(ingress, 'spec', 'tls').flatMap((entry) => {
    const secret = getString(entry, 'secretName');
    if (secret === undefined) return [];
    const hosts = getArray(entry, 'hosts').map(String);
    return (hosts.length > 0 ? hosts : ruleHosts).map((host) => ({
      host: host.toLowerCase(),
      namespace,
      secret,
      owner: `${namespace}/${name}`,
    }));
  });
}

function hasCertificate(ingress: ApiObject, host: string): boolean {
  return getArray(ingress, 'spec', 'tls').some((entry) => {
    const hosts = getArray(entry, 'hosts').map((one) => String(one).toLowerCase());
    return hosts.length === 0 || hosts.includes(host);
  });
}
