import { timestamp } from '#base/clock.ts';
import { cloneJson, getArray, getString, isObject } from '#base/json.ts';
import { ApiError, type ApiObject, type NodeLogs } from '../port.ts';
import { isDryRun } from '../protocol/dry-run.ts';
import type { Exchange } from '../protocol/exchange.ts';
import { isTrue } from '../protocol/query-flag.ts';
import { decodeObject, parseBody } from '../protocol/request-body.ts';
import { badRequest, conflict, methodNotAllowed, notFound } from '../protocol/status-error.ts';
import { objectKey, type ServedResource } from '../served.ts';
import { updateObject, type WriteDeps } from '../write/write.ts';
import { fieldManager } from './patch.ts';

export interface SubresourceTarget {
  resource: ServedResource;
  namespace: string | undefined;
  name: string;
}

/** PUT of a namespace's finalizers; the last one gone, the namespace is gone. */
export async function finalizeNamespace(deps: WriteDeps, exchange: Exchange, target: SubresourceTarget): Promise<void> {
  if (exchange.method !== 'PUT') throw methodNotAllowed();
  const { resource, name } = target;
  const body = parseBody(await exchange.body(), exchange.header('content-type'), resource.kind);
  const { object } = decodeObject(resource, body);
  const manager = fieldManager(exchange.query, exchange.header('user-agent'), 'UpdateOptions');
  const result = await updateObject(deps, {
    ...target,
    namespace: undefined,
    name,
    options: { manager, dryRun: isDryRun('UpdateOptions', exchange.dryRun) },
    subresource: 'finalize',
    produce: (live) => ({
      object: { ...cloneJson(live), spec: cloneJson(object['spec']) ?? {} },
      managed: false,
    }),
  });
  await exchange.json(200, result.object);
}

/** POST of a Binding: the scheduler's word on which node a pod runs. */
export async function bindPod(deps: WriteDeps, exchange: Exchange, target: SubresourceTarget): Promise<void> {
  if (exchange.method !== 'POST') throw methodNotAllowed();
  const { value } = parseBody(await exchange.body(), exchange.header('content-type'), 'Binding');
  const node = getString(value, 'target', 'name') ?? '';
  if (node === '')
    throw new ApiError(422, 'Invalid', `Binding "${target.name}" is invalid: target.name: Required value`, {
      name: target.name,
      kind: 'Binding',
      causes: [{ reason: 'FieldValueRequired', message: 'Required value', field: 'target.name' }],
    });
  const manager = fieldManager(exchange.query, exchange.header('user-agent'), 'CreateOptions');
  await assignNode(deps, target, { node, manager, dryRun: isDryRun('CreateOptions', exchange.dryRun) });
  await exchange.json(201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
}

/** Conflicts of a binding name the subresource. */
const podBinding = { group: '', plural: 'pods/binding', groupResource: 'pods/binding' };

/** Puts a pod on a node, once: 409 when it has one or is being deleted. */
export async function assignNode(
  deps: WriteDeps,
  target: SubresourceTarget,
  { node, manager, dryRun }: { node: string; manager: string; dryRun: boolean },
): Promise<ApiObject> {
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: timestamp(deps.clock.now()),
  };
  const { object } = await updateObject(deps, {
    ...target,
    options: { manager, dryRun },
    subresource: 'binding',
    produce: (live) => {
      const current = getString(live, 'spec', 'nodeName') ?? '';
      if (current !== '')
        throw conflict(podBinding, target.name, `pod ${target.name} is already assigned to node "${current}"`);
      if (live.metadata.deletionTimestamp !== undefined)
        throw conflict(podBinding, target.name, `pod ${target.name} is being deleted, cannot be assigned to a host`);
      const pod = cloneJson(live);
      const spec = isObject(pod['spec']) ? pod['spec'] : {};
      const status = isObject(pod['status']) ? pod['status'] : {};
      const others = getArray(status, 'conditions').filter((item) => getString(item, 'type') !== 'PodScheduled');
      return {
        object: {
          ...pod,
          spec: { ...spec, nodeName: node },
          status: { ...status, conditions: [...others, scheduled] },
        },
        managed: false,
      };
    },
  });
  return object;
}

/** A container's log as plain text, followed until the client goes when asked to. */
export async function streamLog(
  deps: WriteDeps,
  exchange: Exchange,
  { target, logs }: { target: SubresourceTarget; logs: NodeLogs | undefined },
): Promise<void> {
  if (exchange.method !== 'GET') throw methodNotAllowed();
  const { resource, namespace, name } = target;
  const pod = deps.store.get(resource.storage, objectKey(resource, namespace, name))?.object;
  if (!pod) throw notFound(resource, name);
  const { query } = exchange;
  const container = chosenContainer(pod, query.get('container'));
  // Upstream too answers with nothing for a pod that is on no node yet.
  if ((getString(pod, 'spec', 'nodeName') ?? '') === '') return exchange.text(200, '', 'text/plain');
  if (!logs)
    throw new ApiError(503, 'ServiceUnavailable', `no node agent is running that could read the log of ${name}`);
  const tailLines = count(query, 'tailLines', 0);
  const sinceSeconds = count(query, 'sinceSeconds', 1) ?? secondsSince(deps.clock.now(), query.get('sinceTime'));
  const limitBytes = count(query, 'limitBytes', 1);
  const chunks = logs.read(
    pod,
    {
      container,
      follow: isTrue(query.get('follow')),
      previous: isTrue(query.get('previous')),
      timestamps: isTrue(query.get('timestamps')),
      ...(tailLines === undefined ? {} : { tailLines }),
      ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
      ...(limitBytes === undefined ? {} : { limitBytes }),
    },
    exchange.signal,
  );
  await sendChunks(exchange, chunks);
}

async function sendChunks(exchange: Exchange, chunks: AsyncIterable<string>): Promise<void> {
  const { response, signal } = exchange;
  const start = (): void => {
    if (response.headersSent) return;
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-cache, private' });
    response.flushHeaders();
  };
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    // An error of the first read can still become a Status; a log that is silent for long must not hold the headers back.
    const first = iterator.next();
    const failed = await Promise.race([
      first.then(
        () => false,
        () => true,
      ),
      soon(),
    ]);
    if (failed !== true) start();
    for (let next = await first; next.done !== true; next = await iterator.next()) {
      start();
      if (!response.write(next.value)) await drained(exchange);
      if (signal.aborted) return;
    }
    start();
    response.end();
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await iterator.return?.();
  }
}

function soon(): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(undefined), 200);
  });
}

function drained({ response, signal }: Exchange): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      response.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    response.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
  });
}

function chosenContainer(pod: ApiObject, asked: string | null): string {
  const names = (field: string): string[] => getArray(pod, 'spec', field).map((item) => getString(item, 'name') ?? '');
  const main = names('containers');
  const init = names('initContainers');
  const { name } = pod.metadata;
  if (asked !== null && asked !== '') {
    if (main.includes(asked) || init.includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${name}`);
  }
  const preferred = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'];
  if (preferred !== undefined && main.includes(preferred)) return preferred;
  if (main.length === 1 && main[0] !== undefined) return main[0];
  const inits = init.length > 0 ? ` or one of the init containers: [${init.join(' ')}]` : '';
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${main.join(' ')}]${inits}`);
}

function count(query: URLSearchParams, name: string, least: number): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new ApiError(
    422,
    'Invalid',
    `PodLogOptions "" is invalid: ${name}: Invalid value: ${text}: must be greater than or equal to ${least}`,
    {
      kind: 'PodLogOptions',
      causes: [{ reason: 'FieldValueInvalid', message: `Invalid value: ${text}`, field: name }],
    },
  );
}

function secondsSince(now: number, time: string | null): number | undefined {
  if (time === null || time === '') return undefined;
  const at = Date.parse(time);
  if (Number.isNaN(at)) throw badRequest(`parsing time ${JSON.stringify(time)}: not RFC 3339`);
  return Math.max(1, Math.ceil((now - at) / 1000));
}
