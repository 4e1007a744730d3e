import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { AuditEntry } from '../../access/audit.ts';
import type { Authenticator } from '../credential/authentication.ts';
import { OpenApi } from '../openapi/openapi.ts';
import { ApiError, type NodeLogs, type NodeUsage } from '../port.ts';
import { Exchange } from '../protocol/exchange.ts';
import { parseResourcePath, type ResourcePath } from '../protocol/request-path.ts';
import { badRequest, noSuchResource, notFound } from '../protocol/status-error.ts';
import { measuredGroup, measuredResources, reviewResources } from '../resources.ts';
import type { ServedResource } from '../served.ts';
import type { WriteDeps } from '../write/write.ts';
import { deprecationOf } from './deprecation.ts';
import { Discovery } from './discovery.ts';
import { evictPod } from './eviction.ts';
import { Gate } from './gate.ts';
import { answerHealth, versionInfo } from './health.ts';
import { handleMeasured } from './metrics-requests.ts';
import { handleResource } from './resource-requests.ts';
import { handleReview } from './review-requests.ts';
import { handleScale } from './scale.ts';
import { bindPod, finalizeNamespace, streamLog } from './subresource-requests.ts';

export interface RouterDeps extends WriteDeps {
  logger: Logger;
  authenticator: Authenticator;
  audit: ((entry: AuditEntry) => void) | undefined;
}

const reviews = reviewResources.map(({ group }) => ({ group, version: 'v1' }));

/** Takes each HTTP request to who answers it; every failure becomes a Status. */
export class Router {
  readonly #deps: RouterDeps;
  readonly #gate: Gate;
  readonly #discovery: Discovery;
  readonly #openApi: OpenApi;
  #logs: NodeLogs | undefined;
  #usage: NodeUsage | undefined;

  constructor(deps: RouterDeps) {
    this.#deps = deps;
    this.#gate = new Gate(deps);
    this.#discovery = new Discovery(deps.served);
    this.#openApi = new OpenApi(deps);
  }

  setNodeLogs(logs: NodeLogs): void {
    this.#logs = logs;
  }

  setNodeUsage(usage: NodeUsage): void {
    this.#usage = usage;
    this.#deps.served.setMeasured(true);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The client may go at any time; what we still write then is of no use to anybody.
    response.on('error', () => response.destroy());
    const url = parseUrl(request.url);
    const exchange = new Exchange(request, response, {
      url: url ?? new URL('https://localhost/'),
      turns: this.#deps.store.turns,
    });
    const path = parseResourcePath(exchange.url.pathname);
    const visit = this.#gate.visit(exchange, path);
    try {
      if (!url) throw badRequest('the request target is not a path');
      this.#gate.admit(exchange, visit);
      const wait = exchange.turns.enter();
      if (wait) await wait;
      await this.#route(exchange, path);
    } catch (error) {
      if (!(error instanceof ApiError) && !response.destroyed)
        this.#deps.logger.error({ method: exchange.method, path: exchange.url.pathname }, messageOf(error));
      await exchange.fail(error).catch(() => response.destroy());
    }
    this.#gate.record(exchange, visit);
  }

  async #route(exchange: Exchange, path: ResourcePath | undefined): Promise<void> {
    const { pathname } = exchange.url;
    if (path) return this.#resource(exchange, path);
    if (pathname === '/version') return exchange.json(200, versionInfo);
    if (await answerHealth(exchange)) return;
    if (await this.#discovery.answer(exchange)) return;
    if (await this.#openApi.answer(exchange)) return;
    if (pathname === '/') return exchange.json(200, { paths: this.#paths() });
    await pageNotFound(exchange);
  }

  async #resource(exchange: Exchange, path: ResourcePath): Promise<void> {
    const { group, version, plural, namespace } = path;
    const resource = this.#deps.served.find(group, version, plural);
    if (resource) return this.#stored(exchange, resource, path);
    const review = reviewResources.find((item) => item.group === group && item.plural === plural && version === 'v1');
    if (review && path.name === undefined && review.namespaced === (namespace !== undefined))
      return handleReview(this.#deps, exchange, { review, namespace });
    if (this.#usage && group === measuredGroup.group && version === measuredGroup.version) {
      const measured = measuredResources.find((item) => item.plural === plural);
      if (measured) return handleMeasured(exchange, measured, { path, usage: this.#usage });
    }
    // Below a group that only custom resources are of, upstream has no routes at all.
    const routed = [...this.#deps.served.all().filter((known) => !known.custom), ...reviews];
    if (routed.some((known) => known.group === group && known.version === version)) throw noSuchResource();
    await pageNotFound(exchange);
  }

  async #stored(exchange: Exchange, resource: ServedResource, path: ResourcePath): Promise<void> {
    const { namespace, name, subresource, watch } = path;
    const everywhere = namespace === undefined;
    if (resource.namespaced ? namespace === '' || (everywhere && name !== undefined) : !everywhere)
      throw noSuchResource();
    const deprecation = deprecationOf(resource);
    if (deprecation !== undefined) exchange.warn(deprecation);
    if (subresource === undefined)
      return handleResource(this.#deps, exchange, { resource, namespace, name, subresource, watch });
    if (name === undefined) throw noSuchResource();
    const target = { resource, namespace, name };
    const known = resource.subresources.find((item) => item === subresource.split('/')[0]);
    if (known === undefined || (subresource.includes('/') && known !== 'proxy'))
      throw resource.custom ? notFound(resource, name) : noSuchResource();
    switch (known) {
      case 'status':
      case 'approval':
      case 'ephemeralcontainers':
        return handleResource(this.#deps, exchange, { ...target, subresource: known, watch });
      case 'scale':
        return handleScale(this.#deps, exchange, target);
      case 'finalize':
        return finalizeNamespace(this.#deps, exchange, target);
      case 'binding':
        return bindPod(this.#deps, exchange, target);
      case 'eviction':
        return evictPod(this.#deps, exchange, target);
      case 'log':
        return streamLog(this.#deps, exchange, { target, logs: this.#logs });
      default:
        throw notOffered(resource, known);
    }
  }

  #paths(): string[] {
    const groups = this.#discovery
      .groupVersions()
      .map(({ group, version }) => (group === '' ? `/api/${version}` : `/apis/${group}/${version}`));
    return ['/api', '/apis', ...groups, '/healthz', '/livez', '/openapi/v3', '/readyz', '/version'].sort();
  }
}

function parseUrl(target: string | undefined): URL | undefined {
  return target?.startsWith('/') ? new URL(`https://localhost${target}`) : undefined;
}

function pageNotFound(exchange: Exchange): Promise<void> {
  return exchange.text(404, '404 page not found\n', 'text/plain; charset=utf-8');
}

/** Subresources of the real server that this one does not have. */
function notOffered(resource: ServedResource, subresource: string): ApiError {
  return new ApiError(
    501,
    'NotImplemented',
    `${resource.groupResource}/${subresource} is not implemented by this server`,
    { kind: resource.plural },
  );
}
