import { createHash } from 'node:crypto';
import type { Exchange } from '../protocol/exchange.ts';
import { chooseDiscovery } from '../protocol/negotiation.ts';
import {
  type BuiltinResource,
  measuredGroup,
  measuredResources,
  reviewResources,
  type Subresource,
} from '../resources.ts';
import { apiVersionOf, type ServedResource, type ServedResources } from '../served.ts';

const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

interface SubresourceFacts {
  /** Undefined: the kind of the resource itself. */
  kind?: { group: string; version: string; kind: string };
  verbs: string[];
}

const readWrite = ['get', 'patch', 'update'];

/** Those not listed are known to the server but answered with an error, so discovery does not offer them. */
const subresourceFacts: Partial<Record<Subresource, SubresourceFacts>> = {
  status: { verbs: readWrite },
  scale: { kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' }, verbs: readWrite },
  finalize: { verbs: ['update'] },
  log: { verbs: ['get'] },
  binding: { kind: { group: '', version: '', kind: 'Binding' }, verbs: ['create'] },
  eviction: { kind: { group: 'policy', version: 'v1', kind: 'Eviction' }, verbs: ['create'] },
  approval: { verbs: readWrite },
  ephemeralcontainers: { verbs: readWrite },
};

interface DiscoveredResource extends Omit<BuiltinResource, 'subresources' | 'hasGeneration'> {
  verbs: string[];
  subresources: { name: Subresource; facts: SubresourceFacts }[];
  /** The group, version and kind it is kept as; undefined for what is never stored. */
  storedAs: string | undefined;
}

/** Groups in the order that the real server lists them; those of custom resources follow by name. */
const groupOrder = [
  '',
  'apiregistration.k8s.io',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'node.k8s.io',
  'discovery.k8s.io',
  'flowcontrol.apiserver.k8s.io',
];

function byGroup(a: string, b: string): number {
  const rank = (group: string): number => (groupOrder.includes(group) ? groupOrder.indexOf(group) : groupOrder.length);
  return rank(a) - rank(b) || (a < b ? -1 : 1);
}

function discovered(served: ServedResources): DiscoveredResource[] {
  const stored = served.all().map((resource) => ({
    ...resource,
    verbs: verbsOf(resource),
    subresources: resource.subresources.flatMap((name) => {
      const facts = subresourceFacts[name];
      return facts ? [{ name, facts }] : [];
    }),
    storedAs: storedAs(served, resource),
  }));
  const asked = reviewResources.map((review) => ({
    ...review,
    version: 'v1',
    singular: review.kind.toLowerCase(),
    verbs: ['create'],
    shortNames: [],
    categories: [],
    subresources: [],
    storedAs: undefined,
  }));
  const measured = (served.measured ? measuredResources : []).map((resource) => ({
    ...resource,
    ...measuredGroup,
    singular: '',
    verbs: ['get', 'list'],
    shortNames: [],
    categories: [],
    subresources: [],
    storedAs: undefined,
  }));
  return [...stored, ...asked, ...measured].sort((a, b) => (a.plural < b.plural ? -1 : 1));
}

/** Kinds that are kept in another version or group than they are served in (events, autoscaling/v1) share its hash. */
function storedAs(served: ServedResources, resource: ServedResource): string {
  const { group, version } = served.ofGroupResource(resource.storage) ?? resource;
  return `${group}/${version}/${resource.kind}`;
}

/** In the order that the real server lists them for custom resources. */
const customVerbs = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];

function verbsOf(resource: ServedResource): string[] {
  if (resource.custom) return customVerbs;
  return resource.groupResource === 'namespaces' ? allVerbs.filter((verb) => verb !== 'deletecollection') : allVerbs;
}

/** Discovery in all its forms, computed once for each set of served kinds. */
export class Discovery {
  readonly #served: ServedResources;
  #computedFor = 0;
  #resources: DiscoveredResource[] = [];
  readonly #texts = new Map<string, { text: string; etag: string }>();

  constructor(served: ServedResources) {
    this.#served = served;
  }

  /** `/api`, `/apis`, `/apis/<group>`, `/api/v1` and `/apis/<group>/<version>`; false when the path is none of them. */
  async answer(exchange: Exchange): Promise<boolean> {
    const parts = exchange.url.pathname.split('/').filter((part) => part !== '');
    const [prefix, first, second, ...rest] = parts;
    if ((prefix !== 'api' && prefix !== 'apis') || rest.length > 0) return false;
    if (prefix === 'api' && second !== undefined) return false;
    this.#refresh();
    if (first === undefined) await this.#roots(exchange, prefix);
    else if (prefix === 'api') await this.#resourceList(exchange, '', first);
    else if (second === undefined) await this.#group(exchange, first);
    else await this.#resourceList(exchange, first, second);
    return true;
  }

  groupVersions(): { group: string; version: string }[] {
    this.#refresh();
    const seen = new Map<string, { group: string; version: string }>();
    for (const { group, version } of this.#resources) seen.set(`${group}/${version}`, { group, version });
    return [...seen.values()];
  }

  #refresh(): void {
    if (this.#computedFor === this.#served.generation) return;
    this.#computedFor = this.#served.generation;
    this.#resources = discovered(this.#served);
    this.#texts.clear();
  }

  async #roots(exchange: Exchange, prefix: 'api' | 'apis'): Promise<void> {
    const aggregated = chooseDiscovery(exchange.header('accept'));
    exchange.response.setHeader('Vary', 'Accept');
    if (aggregated === undefined) {
      await exchange.json(200, prefix === 'api' ? legacyVersions(exchange) : this.#groupList());
      return;
    }
    const { text, etag } = this.#aggregated(prefix, aggregated);
    exchange.response.setHeader('ETag', etag);
    exchange.response.setHeader('Cache-Control', 'public');
    if (exchange.header('if-none-match') === etag) {
      exchange.response.writeHead(304);
      exchange.response.end();
      return;
    }
    const type = `application/json;g=apidiscovery.k8s.io;v=${aggregated};as=APIGroupDiscoveryList`;
    await exchange.text(200, text, type);
  }

  #aggregated(prefix: 'api' | 'apis', version: 'v2' | 'v2beta1'): { text: string; etag: string } {
    const key = `${prefix}/${version}`;
    let made = this.#texts.get(key);
    if (!made) {
      const groups = this.#groups().filter(({ group }) => (prefix === 'api') === (group === ''));
      const text = `${JSON.stringify({
        kind: 'APIGroupDiscoveryList',
        apiVersion: `apidiscovery.k8s.io/${version}`,
        metadata: {},
        items: groups.map(({ group, versions }) => this.#aggregatedGroup(group, versions)),
      })}\n`;
      made = { text, etag: `"${createHash('sha512').update(text).digest('hex').toUpperCase()}"` };
      this.#texts.set(key, made);
    }
    return made;
  }

  #aggregatedGroup(group: string, versions: string[]): Record<string, unknown> {
    return {
      metadata: { ...(group === '' ? {} : { name: group }), creationTimestamp: null },
      versions: versions.map((version) => ({
        version,
        resources: this.#of(group, version).map(aggregatedResource),
        freshness: 'Current',
      })),
    };
  }

  #of(group: string, version: string): DiscoveredResource[] {
    return this.#resources.filter((resource) => resource.group === group && resource.version === version);
  }

  #groups(): { group: string; versions: string[] }[] {
    const groups = new Map<string, string[]>();
    for (const { group, version } of this.groupVersions()) groups.set(group, [...(groups.get(group) ?? []), version]);
    return [...groups]
      .map(([group, versions]) => ({ group, versions: versions.sort(byPreference) }))
      .sort((a, b) => byGroup(a.group, b.group));
  }

  #groupList(): Record<string, unknown> {
    const groups = this.#groups().filter(({ group }) => group !== '');
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(legacyGroup) };
  }

  async #group(exchange: Exchange, name: string): Promise<void> {
    const found = this.#groups().find(({ group }) => group === name);
    if (!found) return exchange.text(404, '404 page not found\n', 'text/plain; charset=utf-8');
    await exchange.json(200, { kind: 'APIGroup', apiVersion: 'v1', ...legacyGroup(found) });
  }

  async #resourceList(exchange: Exchange, group: string, version: string): Promise<void> {
    const resources = this.#of(group, version);
    if (resources.length === 0) return exchange.text(404, '404 page not found\n', 'text/plain; charset=utf-8');
    await exchange.json(200, {
      kind: 'APIResourceList',
      ...(group === '' ? {} : { apiVersion: 'v1' }),
      groupVersion: apiVersionOf({ group, version }),
      resources: resources.flatMap(legacyResources),
    });
  }
}

function legacyVersions(exchange: Exchange): Record<string, unknown> {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [
      { clientCIDR: '0.0.0.0/0', serverAddress: `127.0.0.1:${exchange.request.socket.localPort ?? 443}` },
    ],
  };
}

function legacyGroup({ group, versions }: { group: string; versions: string[] }): Record<string, unknown> {
  const entries = versions.map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions: entries, preferredVersion: entries[0] };
}

function legacyResources(resource: DiscoveredResource): Record<string, unknown>[] {
  const main = {
    name: resource.plural,
    singularName: resource.singular,
    namespaced: resource.namespaced,
    kind: resource.kind,
    verbs: resource.verbs,
    ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
    ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
    ...(resource.storedAs === undefined ? {} : { storageVersionHash: storageVersionHash(resource.storedAs) }),
  };
  const parts = resource.subresources.map(({ name, facts }) => ({
    name: `${resource.plural}/${name}`,
    singularName: '',
    namespaced: resource.namespaced,
    ...(facts.kind && facts.kind.group !== '' ? { group: facts.kind.group, version: facts.kind.version } : {}),
    kind: facts.kind?.kind ?? resource.kind,
    verbs: facts.verbs,
  }));
  return [main, ...parts];
}

/** The first eight bytes of the SHA-256 of `group/version/kind`: equal hashes tell clients that objects are stored alike. */
function storageVersionHash(storedAs: string): string {
  return createHash('sha256').update(storedAs).digest().subarray(0, 8).toString('base64');
}

/** Upstream names group and version of a response only where they are others than the resource's. */
function aggregatedResource(resource: DiscoveredResource): Record<string, unknown> {
  const own = { group: '', version: '', kind: resource.kind };
  return {
    resource: resource.plural,
    responseKind: own,
    scope: resource.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: resource.singular,
    verbs: resource.verbs,
    ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
    ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
    ...(resource.subresources.length > 0
      ? {
          subresources: resource.subresources.map(({ name, facts }) => ({
            subresource: name,
            responseKind: facts.kind ?? own,
            verbs: facts.verbs,
          })),
        }
      : {}),
  };
}

/** GA before beta before alpha, then the higher number: `v2, v1, v1beta1, v1alpha1`. */
export function byPreference(a: string, b: string): number {
  const rank = (version: string): [number, number, number] => {
    const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
    if (!match) return [3, 0, 0];
    const stage = match[2] === undefined ? 0 : match[2] === 'beta' ? 1 : 2;
    return [stage, -Number(match[1]), -Number(match[3] ?? 0)];
  };
  const [x, y] = [rank(a), rank(b)];
  return x[0] - y[0] || x[1] - y[1] || x[2] - y[2] || (a < b ? -1 : 1);
}
