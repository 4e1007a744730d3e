import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { unreachable } from '#base/assert.ts';
import type { Clock, Entropy } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { ApiServer } from '../api/port.ts';
import type { EventRecorder } from '../controllers/event-recorder.ts';
import { isAlreadyExists, startLoop } from '../controllers/loop.ts';
import { BackendAgents } from './backend-agents.ts';
import { CertificateStore, type KeyPair } from './certificate-store.ts';
import { answerFixed, answerPage, answerRedirect, type IngressExchange } from './exchange.ts';
import { type Endpoints, Forwarder } from './forwarder.ts';
import { gatewayReporter } from './gateway-reporter.ts';
import { ownClasses } from './ingress-class.ts';
import { ingressReporter } from './ingress-reporter.ts';
import { startListener } from './listener.ts';
import { parseRequest } from './request-line.ts';
import { redirectLocation } from './rewrite.ts';
import { RouteState } from './route-state.ts';
import { WeightedChoice } from './weighted-choice.ts';

export interface IngressDeps {
  api: ApiServer;
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  events: EventRecorder;
  endpoints: Endpoints;
  certificateFor: (host: string) => KeyPair;
}

export interface IngressPorts {
  http: number;
  https: number;
}

export interface Ingress extends AsyncDisposable {
  ports: IngressPorts;
  /** Resolves when no request to the pod is in flight any more, at the latest after `timeoutMs`. */
  drain(podIp: string, timeoutMs: number): Promise<void>;
}

const drainPollMs = 5;
/** Connections that are turned away are told this often at most. */
const quietMs = 10_000;

/**
 * The cluster's router: sends HTTP and HTTPS requests on loopback to Services by the rules of Ingresses, and of HTTPRoutes
 * where Gateway API is installed. Ports of 0 take any free one. Disposing cuts what is in flight. Throws AppError port-taken.
 */
export async function startIngress(deps: IngressDeps, wanted: Partial<IngressPorts> = {}): Promise<Ingress> {
  const { api, clock, logger, entropy, events } = deps;
  await using stack = new AsyncDisposableStack();
  const agents = stack.use(new BackendAgents());
  const ports: IngressPorts = { http: 0, https: 0 };
  const routes = stack.use(new RouteState(api, ports));
  const certificates = new CertificateStore(deps);
  const forwarder = new Forwarder({ ...deps, agents, choice: new WeightedChoice(entropy) });
  let toldAt = -quietMs;
  const handlers = (secure: boolean) => ({
    request: (incoming: IncomingMessage, response: ServerResponse, upgrade?: { socket: Duplex; head: Buffer }) => {
      handle({ routes, forwarder, ports }, { incoming, response, secure, upgrade }).catch((error: unknown) => {
        logger.error({ url: incoming.url }, `ingress: a request failed: ${messageOf(error)}`);
        answerPage({ incoming, response }, 500);
      });
    },
    contextFor: (host: string) => certificates.contextFor(host, routes.current.certificates),
    dropped: () => {
      if (clock.now() - toldAt < quietMs) return;
      toldAt = clock.now();
      logger.warn({ secure }, 'ingress: too many connections at once; further ones are closed');
    },
  });
  const fallback = deps.certificateFor('localhost');
  const http = stack.use(await startListener({ port: wanted.http ?? 0 }, handlers(false)));
  const https = stack.use(await startListener({ port: wanted.https ?? 0, fallback }, handlers(true)));
  Object.assign(ports, { http: http.port, https: https.port });
  await ensureClasses(api);
  stack.use(startLoop(deps, ingressReporter({ api, events }, { routes, ports })));
  stack.use(startLoop(deps, gatewayReporter({ api, clock }, routes)));
  const owned = stack.move();
  return {
    ports,
    async drain(podIp, timeoutMs) {
      const until = clock.now() + timeoutMs;
      for (;;) {
        agents.closeIdle(podIp);
        if (!agents.inFlight(podIp) || clock.now() >= until) return;
        await clock.sleep(drainPollMs);
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

interface Routing {
  routes: RouteState;
  forwarder: Forwarder;
  ports: IngressPorts;
}

interface Arrival {
  incoming: IncomingMessage;
  response: ServerResponse;
  secure: boolean;
  upgrade: { socket: Duplex; head: Buffer } | undefined;
}

async function handle({ routes, forwarder, ports }: Routing, arrival: Arrival): Promise<void> {
  const { incoming, response, secure, upgrade } = arrival;
  const request = parseRequest(incoming, secure);
  if (!request) return answerPage(arrival, 400);
  const exchange: IngressExchange = { request, incoming, response, ...(upgrade ? { upgrade } : {}) };
  const route = routes.current.table.find(request);
  if (!route) return answerPage(exchange, 404);
  const redirect = (to: Parameters<typeof redirectLocation>[2]['redirect']): void =>
    answerRedirect(exchange, to.status, redirectLocation(request, route.path, { redirect: to, ports }));
  if (route.toHttps && !secure) return redirect({ status: 308, scheme: 'https' });
  const { action } = route;
  switch (action.kind) {
    case 'redirect':
      return redirect(action.redirect);
    case 'answer':
      return answerFixed(exchange, action);
    case 'refuse':
      return answerPage(exchange, action.status);
    case 'forward':
      return await forwarder.forward(exchange, route, action);
    default:
      return unreachable(action);
  }
}

/** Those that somebody deleted come back with the next start; those that somebody changed stay as they are. */
async function ensureClasses(api: ApiServer): Promise<void> {
  for (const object of ownClasses()) {
    if (api.get('ingressclasses.networking.k8s.io', undefined, object.metadata.name)) continue;
    try {
      await api.create(object, 'drydock-ingress');
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }
}
