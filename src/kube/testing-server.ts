import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Clock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { createKubeClient } from './client.ts';
import type { ApiResource, KubeClient, KubeObject } from './port.ts';
import type { KubeTarget } from './target.ts';

export interface SeenRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: IncomingMessage['headers'];
  body: string;
}

export type Handler = (request: SeenRequest, response: ServerResponse) => void | Promise<void>;

export const pods: ApiResource = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  namespaced: true,
  verbs: ['get', 'list', 'watch'],
  subresources: [],
};

export function pod(name: string, resourceVersion: string, uid = `uid-${name}`): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'web', uid, resourceVersion } };
}

export function watchLine(type: string, object: unknown): string {
  return `${JSON.stringify({ type, object })}\n`;
}

export function listOf(items: KubeObject[], resourceVersion: string, more?: string): object {
  return { kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion, continue: more }, items };
}

export function gone(message = 'too old resource version: 1 (2)'): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason: 'Expired', code: 410 };
}

export function answer(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

/** For tests: an API server that does what the test says, on loopback. */
export class ScriptedServer {
  readonly requests: SeenRequest[] = [];
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #clients: KubeClient[] = [];
  handle: Handler;

  constructor(clock: Clock, handle: Handler) {
    this.#clock = clock;
    this.handle = handle;
    this.#server = createServer(async (request, response) => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      let body = '';
      for await (const chunk of request) body += chunk;
      const { method = '', headers } = request;
      const seen = { method, path: url.pathname, query: Object.fromEntries(url.searchParams), headers, body };
      this.requests.push(seen);
      await this.handle(seen, response);
    });
  }

  static async start(clock: Clock, handle: Handler): Promise<ScriptedServer> {
    const server = new ScriptedServer(clock, handle);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  }

  client(options: { requestTimeoutMs?: number } = {}): KubeClient {
    const tls = { ca: undefined, cert: undefined, key: undefined, servername: undefined, rejectUnauthorized: true };
    const target: KubeTarget = {
      server: this.url,
      access: async () => ({ headers: { Authorization: 'Bearer a-token-for-tests' }, tls }),
    };
    const client = createKubeClient({ target, clock: this.#clock, logger: silentLogger, ...options });
    this.#clients.push(client);
    return client;
  }

  /** Ends every connection where it is. */
  breakConnections(): void {
    this.#server.closeAllConnections();
  }

  async stopListening(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client[Symbol.asyncDispose]();
    await this.stopListening();
  }
}
