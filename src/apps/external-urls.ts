import { getArray, getNumber, getObject, getString, isObject } from '#base/json.ts';
import { type KubeObject, parseApiVersion } from '#kube/port.ts';

const linkPrefix = 'link.argocd.argoproj.io/';
const ignoreDefaultLinks = 'argocd.argoproj.io/ignore-default-links';
const safeSchemes = /^(https?|ftp|mailto|tel):/i;
const ingressGroups: readonly string[] = ['networking.k8s.io', 'extensions'];

/** The address of a load balancer that the cluster gave to an object. */
function ownAddress(object: KubeObject): string | undefined {
  for (const entry of getArray(object, 'status', 'loadBalancer', 'ingress')) {
    const address = getString(entry, 'hostname') || getString(entry, 'ip');
    if (address) return address;
  }
  return undefined;
}

function isSecure(object: KubeObject, host: string): boolean {
  return getArray(object, 'spec', 'tls').some((entry) => {
    if (getString(entry, 'secretName')) return true;
    return getArray(entry, 'hosts').includes(host);
  });
}

function ingressUrls(object: KubeObject): string[] {
  return getArray(object, 'spec', 'rules').flatMap((rule) => {
    const host = getString(rule, 'host') || ownAddress(object);
    if (!host) return [];
    const scheme = isSecure(object, host) ? 'https' : 'http';
    return getArray(rule, 'http', 'paths').map(
      (path) => `${scheme}://${host}${(getString(path, 'path') ?? '').replace(/\*$/, '')}`,
    );
  });
}

function gatewayUrls(object: KubeObject): string[] {
  const addresses = getArray(object, 'status', 'addresses').flatMap((entry) => getString(entry, 'value') || []);
  return getArray(object, 'spec', 'listeners').flatMap((listener) => {
    const hostname = getString(listener, 'hostname');
    const secure = ['HTTPS', 'TLS'].includes(getString(listener, 'protocol') ?? '');
    const port = getNumber(listener, 'port') ?? (secure ? 443 : 80);
    const suffix = port === (secure ? 443 : 80) ? '' : `:${port}`;
    const hosts = hostname && hostname !== '*' ? [hostname] : addresses;
    return hosts.map((host) => `${secure ? 'https' : 'http'}://${host}${suffix}`);
  });
}

function defaultUrls(object: KubeObject): string[] {
  const { group } = parseApiVersion(object.apiVersion);
  if (object.metadata.annotations?.[ignoreDefaultLinks] === 'true') return [];
  if (object.kind === 'Ingress' && ingressGroups.includes(group)) return ingressUrls(object);
  if (object.kind === 'Gateway' && group === 'gateway.networking.k8s.io') return gatewayUrls(object);
  return [];
}

/** The links that annotations give, `title|url` or the bare address; only with schemes that a page may link to. */
export function linksOf(annotations: Readonly<Record<string, string>> | undefined): string[] {
  return Object.entries(annotations ?? {}).flatMap(([key, value]) => {
    if (!key.startsWith(linkPrefix)) return [];
    const url = value.slice(value.indexOf('|') + 1);
    return safeSchemes.test(url) ? [value] : [];
  });
}

/** Where people reach what an object serves: its links, and the addresses of an Ingress or a Gateway. */
export function externalUrlsOf(object: KubeObject | undefined): string[] {
  if (!isObject(object) || !getObject(object, 'metadata')) return [];
  return [...new Set([...linksOf(object.metadata.annotations), ...defaultUrls(object)])];
}
