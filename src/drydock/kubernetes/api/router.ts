import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { anonymous, authenticate, isAdministrator } from './authentication.ts';
import { Exchange } from './exchange.ts';
import { ApiError, type NodeLogs } from './port.ts';
import { parseResourcePath, type ResourcePath } from './request-path.ts';
import { handleResource } from './resource-requests.ts';
import { groupResource, type ServedResource } from './served.ts';
import { forbidden, noSuchResource } from './status-error.ts';
import type { WriteDeps } from './write.ts';

export interface RouterDeps extends WriteDeps {
  logger: Logger;
  adminToken: string;
}

/** Takes each HTTP request to who answers it; every failure becomes a Status. */
export class Router {
  readonly #deps: RouterDeps;
  #logs: NodeLogs | undefined;

  constructor(deps: RouterDeps) {
    this.#deps = deps;
  }

  setNodeLogs(logs: NodeLogs): void {
    this.#logs = logs;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {});
    const exchange = new Exchange(request, response);
    try {
      exchange.user = authenticate(request, this.#deps.adminToken);
      await this.#route(exchange);
    } catch (error) {
      if (!(error instanceof ApiError))
        this.#deps.logger.error({ method: exchange.method, path: exchange.url.pathname }, messageOf(error));
      await exchange.fail(error).catch(() => response.destroy());
    }
  }

  async #route(exchange: Exchange): Promise<void> {
    const path = parseResourcePath(exchange.url.pathname);
    if (!path) throw new ApiError(404, 'NotFound', '404 page not found');
    this.#authorize(exchange, path);
    const resource = this.#deps.served.find(path.group, path.version, path.plural);
    if (!resource) throw noSuchResource();
    await this.#resource(exchange, resource, path);
  }

  #authorize(exchange: Exchange, path: ResourcePath): void {
    if (isAdministrator(exchange.user)) return;
    void anonymous;
    throw forbidden(
      { group: path.group, plural: path.plural, groupResource: groupResource(path.group, path.plural) },
      path.name ?? '',
      `User "${exchange.user.name}" cannot`,
    );
  }

  async #resource(exchange: Exchange, resource: ServedResource, path: ResourcePath): Promise<void> {
    const { namespace, name, subresource, watch } = path;
    if (subresource === undefined || subresource === 'status') {
      await handleResource(this.#deps, exchange, { resource, namespace, name, subresource, watch });
      return;
    }
    void this.#logs;
    throw noSuchResource();
  }
}
