import { abortable } from '#base/abortable.ts';
import type { Clock } from '#base/clock.ts';
import { isAppError } from '#base/errors.ts';
import { getArray, getString, isObject } from '#base/json.ts';
import type { KubeHttp } from './http.ts';
import type { ApiResource, GroupVersionKind, KubeDiscovery } from './port.ts';

const aggregated =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';
const lookAgainAfterMs = 1000;

interface Known {
  resources: ApiResource[];
  byKind: Map<string, ApiResource>;
  at: number;
}

/** What the cluster serves, kept until something unknown is asked for; then asked again, at most once a second. */
export class Discovery implements KubeDiscovery {
  readonly #http: KubeHttp;
  readonly #clock: Clock;
  readonly #life: AbortSignal;
  #known: Known | undefined;
  #loading: Promise<Known> | undefined;

  /** `life` ends its requests: they are shared, so no single caller's signal may. */
  constructor(http: KubeHttp, clock: Clock, life: AbortSignal) {
    this.#http = http;
    this.#clock = clock;
    this.#life = life;
  }

  async find(kind: GroupVersionKind, signal: AbortSignal): Promise<ApiResource | undefined> {
    const key = kindKey(kind);
    const before = this.#known;
    const found = before?.byKind.get(key);
    if (found) return found;
    if (before && this.#clock.now() - before.at < lookAgainAfterMs) return undefined;
    return (await abortable(this.#load(), signal)).byKind.get(key);
  }

  async all(signal: AbortSignal): Promise<ApiResource[]> {
    return (this.#known ?? (await abortable(this.#load(), signal))).resources;
  }

  invalidate(): void {
    this.#known = undefined;
    this.#loading = undefined;
  }

  #load(): Promise<Known> {
    if (this.#loading) return this.#loading;
    const loading = this.#read(this.#life).then(
      (known) => {
        // Invalidated meanwhile: what was read may be older than that.
        if (this.#loading === loading) {
          this.#known = known;
          this.#loading = undefined;
        }
        return known;
      },
      (error: unknown) => {
        if (this.#loading === loading) this.#loading = undefined;
        throw error;
      },
    );
    this.#loading = loading;
    return loading;
  }

  async #read(signal: AbortSignal): Promise<Known> {
    const at = this.#clock.now();
    const [core, groups] = await Promise.all([this.#tree('/api', signal), this.#tree('/apis', signal)]);
    const resources = [...core, ...groups];
    const byKind = new Map<string, ApiResource>();
    for (const resource of resources) {
      const key = kindKey(resource);
      if (!byKind.has(key)) byKind.set(key, resource);
    }
    return { resources, byKind, at };
  }

  async #tree(path: '/api' | '/apis', signal: AbortSignal): Promise<ApiResource[]> {
    const request = { method: 'GET', path, what: `read the API's index ${path}`, accept: aggregated } as const;
    const { body, contentType } = await this.#http.json(request, signal);
    if (/as=APIGroupDiscoveryList/.test(contentType)) return parseAggregated(body);
    const paths =
      path === '/api'
        ? getArray(body, 'versions').map((version) => `/api/${version}`)
        : getArray(body, 'groups').flatMap((group) =>
            getArray(group, 'versions').map((version) => `/apis/${getString(version, 'groupVersion')}`),
          );
    const lists = await Promise.all(paths.map((at) => this.#legacy(at, signal)));
    return lists.flat();
  }

  /** An aggregated API whose backend is down must not hide the others. */
  async #legacy(path: string, signal: AbortSignal): Promise<ApiResource[]> {
    try {
      const { body } = await this.#http.json({ method: 'GET', path, what: `read the API's index ${path}` }, signal);
      return parseLegacy(body);
    } catch (error) {
      if (isAppError(error, 'unavailable') || isAppError(error, 'not-found')) return [];
      throw error;
    }
  }
}

function kindKey(kind: GroupVersionKind): string {
  return `${kind.group}/${kind.version}/${kind.kind}`;
}

/** An APIGroupDiscoveryList. Groups and versions keep the server's order, which is its order of preference. */
export function parseAggregated(body: unknown): ApiResource[] {
  const found: ApiResource[] = [];
  for (const group of getArray(body, 'items')) {
    for (const version of getArray(group, 'versions')) {
      for (const resource of getArray(version, 'resources')) {
        const kind = getString(resource, 'responseKind', 'kind') ?? '';
        const plural = getString(resource, 'resource');
        if (!plural || !kind) continue;
        found.push({
          group: getString(group, 'metadata', 'name') ?? '',
          version: getString(version, 'version') ?? '',
          kind,
          plural,
          namespaced: getString(resource, 'scope') === 'Namespaced',
          verbs: strings(getArray(resource, 'verbs')),
          subresources: getArray(resource, 'subresources').flatMap((sub) => getString(sub, 'subresource') ?? []),
        });
      }
    }
  }
  return found;
}

/** An APIResourceList, in which subresources are entries named `deployments/scale`. */
export function parseLegacy(body: unknown): ApiResource[] {
  const groupVersion = getString(body, 'groupVersion') ?? 'v1';
  const slash = groupVersion.indexOf('/');
  const group = slash < 0 ? '' : groupVersion.slice(0, slash);
  const version = groupVersion.slice(slash + 1);
  const found = new Map<string, ApiResource>();
  const entries = getArray(body, 'resources').filter(isObject);
  for (const entry of entries) {
    const name = getString(entry, 'name') ?? '';
    const kind = getString(entry, 'kind') ?? '';
    if (name === '' || kind === '' || name.includes('/')) continue;
    const namespaced = entry['namespaced'] === true;
    const verbs = strings(getArray(entry, 'verbs'));
    found.set(name, { group, version, kind, plural: name, namespaced, verbs, subresources: [] });
  }
  for (const entry of entries) {
    const [name = '', subresource] = (getString(entry, 'name') ?? '').split('/');
    if (subresource) found.get(name)?.subresources.push(subresource);
  }
  return [...found.values()];
}

function strings(values: unknown[]): string[] {
  return values.filter((value) => typeof value === 'string');
}
