import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { isObject, type JsonObject } from '#base/json.ts';
import { silentLogger } from '#base/log.ts';
import { testClock, testEntropy } from '../../../../test/clock.ts';
import { toolPath } from '../../../../test/tools.ts';
import { createTypeRegistry } from '../types/registry.ts';
import { type ApiServerHandle, type ApiServerOptions, startApiServer } from './server.ts';

export interface Answer {
  code: number;
  headers: Record<string, string | string[] | undefined>;
  body: JsonObject;
  text: string;
}

export interface Sent {
  body?: unknown;
  type?: string;
  accept?: string;
  headers?: Record<string, string>;
  token?: string | undefined;
}

/** A server in memory (or in `dataDir`) and the means to talk to it. */
export interface TestCluster extends AsyncDisposable {
  server: ApiServerHandle;
  send(method: string, path: string, sent?: Sent): Promise<Answer>;
  /** The events of a watch until `enough` says so; fails after 10 s. */
  watch(path: string, enough: (events: JsonObject[]) => boolean, accept?: string): Promise<JsonObject[]>;
  kubectl(...args: string[]): Promise<{ code: number; out: string; err: string }>;
  kubectlIn(input: string, ...args: string[]): Promise<{ code: number; out: string; err: string }>;
}

export async function testCluster(
  options: Partial<Omit<ApiServerOptions, 'dataDir'>> & { dataDir?: string } = {},
): Promise<TestCluster> {
  const { dataDir, ...rest } = options;
  const server = await startApiServer({
    clock: testClock,
    entropy: testEntropy,
    logger: silentLogger,
    types: createTypeRegistry(),
    dataDir,
    isPortFree: async () => true,
    ...rest,
  });
  const home = mkdtempSync(join(tmpdir(), 'drydock-api-'));
  writeFileSync(join(home, 'kubeconfig'), server.kubeconfig(), { mode: 0o600 });
  const agent = new Agent({ connect: { ca: server.caPem }, connections: 16 });
  const url = server.listening.url;
  const headersOf = ({ accept = 'application/json', type, token = server.adminToken, headers, body }: Sent) => ({
    accept,
    ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { 'content-type': type ?? 'application/json' }),
    ...headers,
  });
  const run = (input: string, args: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      const PATH = process.env['PATH'] ?? '';
      const env = { PATH, KUBECONFIG: join(home, 'kubeconfig'), KUBECACHEDIR: join(home, 'cache'), HOME: home };
      const child = execFile(toolPath('kubectl'), args, { env, timeout: 20_000 }, (error, out, err) => {
        resolve({ code: error ? (typeof error.code === 'number' ? error.code : 1) : 0, out, err });
      });
      child.stdin?.end(input);
    });
  return {
    server,
    async send(method, path, sent = {}) {
      const { body } = sent;
      const payload =
        body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
      const answer = await request(url + path, {
        dispatcher: agent,
        method,
        headers: headersOf(sent),
        ...(payload === undefined ? {} : { body: payload }),
      });
      const text = await answer.body.text();
      return { code: answer.statusCode, headers: answer.headers, body: parse(text), text };
    },
    async watch(path, enough, accept) {
      const abort = new AbortController();
      const answer = await request(url + path, {
        dispatcher: agent,
        headers: headersOf(accept === undefined ? {} : { accept }),
        signal: AbortSignal.any([abort.signal, AbortSignal.timeout(10_000)]),
      });
      const events: JsonObject[] = [];
      let rest = '';
      for await (const chunk of answer.body) {
        rest += String(chunk);
        const lines = rest.split('\n');
        rest = lines.pop() ?? '';
        events.push(...lines.map(parse));
        if (enough(events)) break;
      }
      abort.abort();
      return events;
    },
    kubectl: (...args) => run('', args),
    kubectlIn: (input, ...args) => run(input, args),
    async [Symbol.asyncDispose]() {
      await agent.destroy();
      await server[Symbol.asyncDispose]();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function parse(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    // Plain text answers stand in `text`.
    return {};
  }
}

export function configMap(
  name: string,
  data: Record<string, string> = {},
  labels?: Record<string, string>,
): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...(labels ? { labels } : {}) }, data };
}

export function deployment(name: string, replicas?: number): JsonObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'x:1' }] } },
    },
  };
}

export const configMaps = '/api/v1/namespaces/default/configmaps';
export const deployments = '/apis/apps/v1/namespaces/default/deployments';

export const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** A namespaced custom resource of one version, `v1`, without fields of its own, unless `versions` say otherwise. */
export function definition(
  { group, plural, kind }: { group: string; plural: string; kind: string },
  versions: JsonObject[] = [
    { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
  ],
): JsonObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: { group, scope: 'Namespaced', names: { plural, kind }, versions },
  };
}
