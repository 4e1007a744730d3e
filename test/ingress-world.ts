import { once } from 'node:events';
import { type Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { request as overTls } from 'node:https';
import type { Entropy } from '#base/clock.ts';
import { getNumber } from '#base/json.ts';
import { silentLogger } from '#base/log.ts';
import { AddressTable } from '#drydock/kubernetes/agent/address-table.ts';
import { EndpointDirectory } from '#drydock/kubernetes/agent/endpoint-directory.ts';
import type { ApiObject, ApiServer } from '#drydock/kubernetes/api/port.ts';
import { type ApiServerHandle, startApiServer } from '#drydock/kubernetes/api/server.ts';
import { ApiEventRecorder } from '#drydock/kubernetes/controllers/event-recorder.ts';
import { type Ingress, startIngress } from '#drydock/kubernetes/ingress/start.ts';
import { createTypeRegistry } from '#drydock/kubernetes/types/registry.ts';
import { testClock, testEntropy } from './clock.ts';

export interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
}

export interface AskOptions {
  host?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  agent?: Agent;
  secure?: boolean;
}

export type Handler = (incoming: IncomingMessage, response: ServerResponse) => void;

/** A real API server and the router on it; backends are servers of this process, registered as endpoints by hand. */
export class IngressWorld implements AsyncDisposable {
  readonly api: ApiServer;
  readonly server: ApiServerHandle;
  readonly endpoints: EndpointDirectory;
  readonly ingress: Ingress;
  readonly #stack: AsyncDisposableStack;
  readonly #servers: Server[] = [];

  private constructor(parts: {
    server: ApiServerHandle;
    endpoints: EndpointDirectory;
    ingress: Ingress;
    stack: AsyncDisposableStack;
  }) {
    this.server = parts.server;
    this.api = parts.server.api;
    this.endpoints = parts.endpoints;
    this.ingress = parts.ingress;
    this.#stack = parts.stack;
  }

  static async start(options: { entropy?: Entropy } = {}): Promise<IngressWorld> {
    await using stack = new AsyncDisposableStack();
    const base = { clock: testClock, entropy: options.entropy ?? testEntropy, logger: silentLogger };
    const server = stack.use(await startApiServer({ ...base, types: createTypeRegistry(), dataDir: undefined }));
    const { api, certificateFor } = server;
    const events = stack.use(new ApiEventRecorder({ ...base, api }));
    const endpoints = new EndpointDirectory(api, new AddressTable(base.entropy));
    const ingress = stack.use(await startIngress({ ...base, api, events, endpoints, certificateFor }));
    return new IngressWorld({ server, endpoints, ingress, stack: stack.move() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
    await this.#stack.disposeAsync();
  }

  /** A server of this process; it ends with the world. */
  async listen(handler: Handler): Promise<{ server: Server; port: number }> {
    const server = createServer(handler);
    this.#servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { server, port: getNumber(server.address(), 'port') ?? 0 };
  }

  /** A Service whose endpoints are these ports of this machine. */
  async service(name: string, ports: readonly number[], spec: object = {}): Promise<void> {
    await this.api.create(
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, namespace: 'default' },
        spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec },
      },
      'test',
    );
    for (const port of ports) await this.api.create(slice(name, port), 'test');
  }

  /** A Service in front of a server that answers with this text. */
  async backend(name: string, handler: Handler = (_, response) => response.end(name)): Promise<Server> {
    const { server, port } = await this.listen(handler);
    await this.service(name, [port]);
    return server;
  }

  create(object: ApiObject): Promise<ApiObject> {
    return this.api.create(object, 'test');
  }

  ask(path: string, options: AskOptions = {}): Promise<Answer> {
    const { host = 'shop.test', method = 'GET', headers = {}, body, agent, secure = false } = options;
    const to = {
      host: '127.0.0.1',
      port: secure ? this.ingress.ports.https : this.ingress.ports.http,
      method,
      path,
      agent: agent ?? false,
      headers: { host, ...headers },
    };
    return new Promise((resolve, reject) => {
      const outgoing = secure ? overTls({ ...to, agent: false, servername: host, ca: this.server.caPem }) : request(to);
      outgoing.on('response', (response) => resolve(readAnswer(response)));
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}

function slice(service: string, port: number): ApiObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${service}-${port}`,
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': service },
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', port, protocol: 'TCP' }],
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
  };
}

/** An Ingress of one host whose paths lead to Services on port 80. */
export function ingressObject(
  name: string,
  options: {
    host?: string;
    paths?: Record<string, string>;
    pathType?: string;
    annotations?: Record<string, string>;
    spec?: object;
  } = {},
): ApiObject {
  const { host = 'shop.test', paths = { '/': name }, pathType = 'Prefix', annotations = {}, spec = {} } = options;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name,
      namespace: 'default',
      annotations: Object.fromEntries(
        Object.entries(annotations).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value]),
      ),
    },
    spec: {
      rules: [
        {
          ...(host === '' ? {} : { host }),
          http: {
            paths: Object.entries(paths).map(([path, service]) => ({
              path,
              pathType,
              backend: { service: { name: service, port: { number: 80 } } },
            })),
          },
        },
      ],
      ...spec,
    },
  };
}
