import type { Entropy } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { type Backend, backendId } from '../agent/proxy-connection.ts';
import { type AttemptRequest, attempt } from './attempt.ts';
import type { BackendAgents } from './backend-agents.ts';
import { cookieValue, decideCanary } from './canary.ts';
import { answerPage, answerRedirect, type IngressExchange } from './exchange.ts';
import { changeHeaders, endToEndHeaders, forwardedHeaders, type HeaderMap, setHeader } from './forwarded-headers.ts';
import { rewriteTarget } from './rewrite.ts';
import type { Action, Route, Target } from './route.ts';
import { headerValue } from './route-table.ts';
import type { WeightedChoice } from './weighted-choice.ts';

/** The pods of a target, as `EndpointDirectory` knows them. */
export interface Endpoints {
  pick(port: { namespace: string; name: string; portName: string }, tried: ReadonlySet<string>): Backend | undefined;
  ready(port: { namespace: string; name: string; portName: string }): Backend[];
}

export interface ForwarderDeps {
  endpoints: Endpoints;
  agents: BackendAgents;
  choice: WeightedChoice;
  entropy: Entropy;
  logger: Logger;
}

type Forward = Extract<Action, { kind: 'forward' }>;

const tries = 3;
const repeatable = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

/**
 * Sends requests of a route to its backends. A backend that does not accept is passed over, and so is one that closes
 * without an answer where asking again does no harm; else the client gets 502, 503 or 504 as from nginx.
 */
export class Forwarder {
  readonly #deps: ForwarderDeps;

  constructor(deps: ForwarderDeps) {
    this.#deps = deps;
  }

  async forward(exchange: IngressExchange, route: Route, action: Forward): Promise<void> {
    if (action.appRoot !== undefined && exchange.request.path === '/') {
      answerRedirect(exchange, 302, action.appRoot);
      return;
    }
    const { maxBodyBytes } = action.options;
    if (maxBodyBytes > 0 && Number(exchange.incoming.headers['content-length'] ?? 0) > maxBodyBytes) {
      answerPage(exchange, 413);
      return;
    }
    const target = this.#choose(exchange, route, action);
    if (!target) {
      answerPage(exchange, 503);
      return;
    }
    if (target.refuse !== undefined) {
      answerPage(exchange, target.refuse);
      return;
    }
    await this.#send(exchange, target, this.#prepare(exchange, { route, action, target }));
  }

  #choose(exchange: IngressExchange, route: Route, { targets, canary }: Forward): Target | undefined {
    const { choice } = this.#deps;
    const index = choice.choose(
      route.id,
      targets.map(({ weight }) => weight),
    );
    const main = index === undefined ? undefined : targets[index];
    if (!main || !this.#answers(main)) return undefined;
    const other = canary?.targets[0];
    if (!canary || !other || !this.#answers(other)) return main;
    const { request } = exchange;
    const decision = decideCanary(canary, {
      header: (name) => headerValue(request, name),
      cookie: (name) => cookieValue(headerValue(request, 'cookie'), name),
    });
    if (decision !== 'weight') return decision === 'canary' ? other : main;
    const weights = [canary.weight, canary.weightTotal - canary.weight];
    return choice.choose(`${route.id}|canary`, weights) === 0 ? other : main;
  }

  #answers(target: Target): boolean {
    if (target.external ?? target.refuse) return true;
    return this.#deps.endpoints.ready(portOf(target)).length > 0;
  }

  #prepare(exchange: IngressExchange, to: { route: Route; action: Forward; target: Target }): AttemptRequest {
    const { request, incoming, upgrade } = exchange;
    const { options } = to.action;
    const length = incoming.headers['content-length'];
    const chunked = incoming.headers['transfer-encoding'] !== undefined;
    const hasBody = chunked || Number(length ?? 0) > 0;
    const headers: HeaderMap = endToEndHeaders(incoming);
    setHeader(headers, 'Host', options.host ?? request.authority);
    const forwarded = forwardedHeaders(request, {
      address: incoming.socket.remoteAddress ?? '127.0.0.1',
      port: incoming.socket.localPort ?? 0,
      requestId: headerValue(request, 'x-request-id') ?? this.#deps.entropy.bytes(16).toString('hex'),
    });
    for (const [name, value] of Object.entries(forwarded)) setHeader(headers, name, value);
    changeHeaders(headers, options.headers);
    changeHeaders(headers, to.target.headers);
    if (chunked) headers['Transfer-Encoding'] = 'chunked';
    else if (!hasBody && length === undefined && !['GET', 'HEAD'].includes(request.method))
      headers['Content-Length'] = '0';
    if (upgrade) {
      headers['Connection'] = 'upgrade';
      headers['Upgrade'] = incoming.headers.upgrade ?? '';
    }
    return {
      target: rewriteTarget(request, to.route.path, options.rewrite),
      headers,
      hasBody,
      options,
      responseHeaders: [options.responseHeaders, to.target.responseHeaders],
      agent: undefined,
    };
  }

  async #send(exchange: IngressExchange, target: Target, sending: AttemptRequest): Promise<void> {
    const { agents, logger } = this.#deps;
    const safe = repeatable.has(exchange.request.method) && !sending.hasBody;
    const tried = new Set<string>();
    let status = 503;
    let fresh = !safe || exchange.upgrade !== undefined || sending.options.tls;
    for (let count = 0; count < tries; count += 1) {
      const backend = this.#pick(target, tried);
      if (!backend) break;
      agents.begin(backend.podIp);
      const agent = fresh ? undefined : agents.of(backend);
      const result = await attempt(exchange, backend, { ...sending, agent }).finally(() => agents.end(backend.podIp));
      if (result.kind === 'answered') return;
      if (result.kind === 'too-large') return answerPage(exchange, 413);
      logger.debug({ host: exchange.request.host, backend: backend.podIp, reason: result.why }, 'ingress: no answer');
      status = result.status;
      if (result.sent && !safe) break;
      // A kept connection that was closed says nothing about the backend.
      if (!result.keptConnection) tried.add(backendId(backend));
      fresh = true;
    }
    answerPage(exchange, status);
  }

  #pick(target: Target, tried: ReadonlySet<string>): Backend | undefined {
    const { external } = target;
    if (!external) return this.#deps.endpoints.pick(portOf(target), tried);
    const backend = { podIp: external.host, ...external };
    return tried.has(backendId(backend)) ? undefined : backend;
  }
}

function portOf(target: Target) {
  return { namespace: target.namespace, name: target.service, portName: target.portName };
}
