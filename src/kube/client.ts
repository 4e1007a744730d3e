import type { Clock } from '#base/clock.ts';
import { AppError, isAppError } from '#base/errors.ts';
import { getArray, getString, isObject, parseJson } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import { Discovery } from './discovery.ts';
import { KubeHttp, type KubeRequest } from './http.ts';
import { splitLines } from './lines.ts';
import {
  type ApiResource,
  type DeleteOptions,
  type KubeClient,
  type KubeDiscovery,
  type KubeObject,
  kindOf,
  type ListOptions,
  type ObjectRef,
  type PatchType,
  type WatchEvent,
  type WriteOptions,
} from './port.ts';
import { collectionPath, deleteBody, describeRef, listQuery, objectPath, writeQuery } from './resource-path.ts';
import { watchError } from './status-error.ts';
import type { KubeTarget } from './target.ts';

export interface KubeClientDeps {
  target: KubeTarget;
  clock: Clock;
  logger: Logger;
  requestTimeoutMs?: number;
}

const pageSize = 500;
const listTries = 4;
/** Asked of the server for every watch, so that a connection that died without a word is noticed and resumed. */
const watchSeconds = 285;
const watchLineLimit = 16 * 1024 * 1024;
const patchTypes: Record<PatchType, string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
};
const podResource: ApiResource = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  namespaced: true,
  verbs: [],
  subresources: [],
};

/** The client of one cluster. Disposing it breaks its running requests and watches. */
export function createKubeClient(deps: KubeClientDeps): KubeClient {
  const { target, clock, logger, requestTimeoutMs = 60_000 } = deps;
  const connect = (user: string | undefined) =>
    new KubeHttp({
      target: user === undefined ? target : impersonating(target, user),
      clock,
      logger,
      timeoutMs: requestTimeoutMs,
    });
  return new Client({ server: target.server, connect, clock });
}

function impersonating(target: KubeTarget, user: string): KubeTarget {
  return {
    server: target.server,
    proxy: target.proxy,
    async access() {
      const { headers, tls } = await target.access();
      return { headers: { ...headers, 'Impersonate-User': user }, tls };
    },
  };
}

interface ClientDeps {
  server: string;
  connect: (user: string | undefined) => KubeHttp;
  clock: Clock;
}

class Client implements KubeClient {
  readonly server: string;
  readonly discovery: KubeDiscovery;
  readonly #http: KubeHttp;
  readonly #deps: ClientDeps;
  readonly #users = new Map<string, Client>();
  readonly #life = new AbortController();

  /** `acting` names the user, and brings what the cluster serves from the client that acts so. */
  constructor(deps: ClientDeps, acting?: { user: string; discovery: KubeDiscovery }) {
    this.server = deps.server;
    this.#deps = deps;
    this.#http = deps.connect(acting?.user);
    this.discovery = acting?.discovery ?? new Discovery(this.#http, deps.clock, this.#life.signal);
  }

  as(user: string): KubeClient {
    const known = this.#users.get(user);
    if (known) return known;
    const made = new Client(this.#deps, { user, discovery: this.discovery });
    this.#users.set(user, made);
    return made;
  }

  async version(signal: AbortSignal): Promise<{ gitVersion: string }> {
    const { body } = await this.#http.json({ method: 'GET', path: '/version', what: 'read the version' }, signal);
    return { gitVersion: getString(body, 'gitVersion') ?? '' };
  }

  async get(resource: ApiResource, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined> {
    const what = `get ${describeRef(resource, ref)}`;
    return absentAsUndefined(this.#object({ method: 'GET', path: objectPath(resource, ref), what }, signal));
  }

  async list(resource: ApiResource, options: ListOptions, signal: AbortSignal) {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#listPages(resource, options, signal);
      } catch (error) {
        // The pages of one list expire together: the only way on is from the first page.
        if (!isAppError(error, 'conflict') || tries >= listTries) throw error;
      }
    }
  }

  async *watch(
    resource: ApiResource,
    options: ListOptions & { resourceVersion: string },
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent> {
    const what = `watch ${resource.plural}`;
    const query = {
      ...listQuery(options),
      watch: true,
      allowWatchBookmarks: true,
      timeoutSeconds: watchSeconds,
      resourceVersion: options.resourceVersion,
    };
    const path = collectionPath(resource, options.namespace);
    const chunks = this.#http.stream(
      { method: 'GET', path, what, query, silenceMs: (watchSeconds + 15) * 1000 },
      signal,
    );
    for await (const line of splitLines(chunks, watchLineLimit)) yield parseWatchLine(line, resource, what);
  }

  async create(object: KubeObject, options: WriteOptions, signal: AbortSignal): Promise<KubeObject> {
    const { resource, ref } = await this.#locate(object, signal);
    const base = options.subresource
      ? objectPath(resource, ref, options.subresource)
      : collectionPath(resource, ref.namespace);
    const what = `create ${describeRef(resource, ref)}`;
    return this.#object({ method: 'POST', path: base, what, query: writeQuery(options), body: object }, signal);
  }

  async replace(object: KubeObject, options: WriteOptions, signal: AbortSignal): Promise<KubeObject> {
    const { resource, ref } = await this.#locate(object, signal);
    const path = objectPath(resource, ref, options.subresource);
    const what = `replace ${describeRef(resource, ref)}`;
    return this.#object({ method: 'PUT', path, what, query: writeQuery(options), body: object }, signal);
  }

  async apply(object: KubeObject, options: WriteOptions & { force?: boolean }, signal: AbortSignal) {
    const { resource, ref } = await this.#locate(object, signal);
    const request: KubeRequest = {
      method: 'PATCH',
      path: objectPath(resource, ref, options.subresource),
      what: `apply ${describeRef(resource, ref)}`,
      query: {
        ...writeQuery({ ...options, fieldManager: options.fieldManager ?? 'slipway' }),
        force: options.force ?? false,
      },
      contentType: 'application/apply-patch+yaml',
      body: object,
      repeatable: true,
    };
    return this.#object(request, signal);
  }

  async patch(
    resource: ApiResource,
    ref: ObjectRef,
    patch: { type: PatchType; body: unknown },
    options: WriteOptions,
    signal: AbortSignal,
  ): Promise<KubeObject> {
    const request: KubeRequest = {
      method: 'PATCH',
      path: objectPath(resource, ref, options.subresource),
      what: `patch ${describeRef(resource, ref)}`,
      query: writeQuery(options),
      contentType: patchTypes[patch.type],
      body: patch.body,
    };
    return this.#object(request, signal);
  }

  async delete(resource: ApiResource, ref: ObjectRef, options: DeleteOptions, signal: AbortSignal): Promise<boolean> {
    const what = `delete ${describeRef(resource, ref)}`;
    const request: KubeRequest = { method: 'DELETE', path: objectPath(resource, ref), what, body: deleteBody(options) };
    const answer = await absentAsUndefined(this.#http.json(request, signal));
    return answer !== undefined;
  }

  async *logs(
    ref: ObjectRef,
    options: {
      container?: string;
      follow?: boolean;
      tailLines?: number;
      previous?: boolean;
      timestamps?: boolean;
      sinceSeconds?: number;
      /** RFC 3339. */
      sinceTime?: string;
    },
    signal: AbortSignal,
  ): AsyncGenerator<string> {
    const path = objectPath(podResource, ref, 'log');
    const what = `read the log of ${describeRef(podResource, ref)}`;
    const decoder = new TextDecoder();
    const request: KubeRequest = { method: 'GET', path, what, query: { ...options }, accept: '*/*' };
    for await (const chunk of this.#http.stream(request, signal)) {
      const text = decoder.decode(chunk, { stream: true });
      if (text !== '') yield text;
    }
    const rest = decoder.decode();
    if (rest !== '') yield rest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort();
    await Promise.all([...this.#users.values()].map((client) => client[Symbol.asyncDispose]()));
    await this.#http[Symbol.asyncDispose]();
  }

  async #listPages(resource: ApiResource, options: ListOptions, signal: AbortSignal) {
    const items: KubeObject[] = [];
    const path = collectionPath(resource, options.namespace);
    const what = `list ${resource.plural}`;
    let next: string | undefined;
    for (;;) {
      const query = { ...listQuery(options), limit: pageSize, continue: next };
      const { body } = await this.#http.json({ method: 'GET', path, what, query }, signal);
      for (const item of getArray(body, 'items')) items.push(parseObject(item, what, resource));
      next = getString(body, 'metadata', 'continue') || undefined;
      if (!next) return { items, resourceVersion: getString(body, 'metadata', 'resourceVersion') ?? '' };
    }
  }

  async #object(request: KubeRequest, signal: AbortSignal): Promise<KubeObject> {
    const { body } = await this.#http.json(request, signal);
    return parseObject(body, request.what);
  }

  async #locate(object: KubeObject, signal: AbortSignal): Promise<{ resource: ApiResource; ref: ObjectRef }> {
    const kind = kindOf(object);
    const resource = await this.discovery.find(kind, signal);
    if (!resource)
      throw new AppError('not-found', `${this.server} does not serve ${object.kind} of ${object.apiVersion}`, {
        hint: 'install its CustomResourceDefinition first, or correct apiVersion and kind',
      });
    const { name, namespace } = object.metadata;
    if (resource.namespaced && !namespace)
      throw new AppError('bad-input', `${object.kind} ${name} has no namespace, and ${resource.plural} need one`, {
        hint: 'set metadata.namespace',
      });
    return { resource, ref: { name, namespace } };
  }
}

/** Items of lists carry no kind of their own for built-in kinds: they get that of the resource. */
function parseObject(value: unknown, what: string, resource?: ApiResource): KubeObject {
  if (!isObject(value) || !isObject(value['metadata']))
    throw new AppError('unavailable', `${what}: the server answered something that is not an object`);
  if (resource && value['kind'] === undefined) {
    value['kind'] = resource.kind;
    value['apiVersion'] = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
  }
  return value as KubeObject;
}

function parseWatchLine(line: string, resource: ApiResource, what: string): WatchEvent {
  const event = parseJson(line, `an event of ${what}`);
  const type = getString(event, 'type');
  const object = isObject(event) ? event['object'] : undefined;
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object: parseObject(object, what, resource) };
    case 'BOOKMARK':
      return { type, resourceVersion: getString(object, 'metadata', 'resourceVersion') ?? '' };
    case 'ERROR':
      throw watchError(what, object);
    default:
      throw new AppError('unavailable', `${what}: unknown event type ${JSON.stringify(type)}`);
  }
}

async function absentAsUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isAppError(error, 'not-found')) return undefined;
    throw error;
  }
}
