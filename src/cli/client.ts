import type { ManagedResource, RollbackResult } from '#apps/port.ts';
import type { Reason } from '#apps/why/reason.ts';
import { AppError, type ErrorCode, errorTable, messageOf, throwIfAborted } from '#base/errors.ts';
import { getArray, getString, isObject, parseJson } from '#base/json.ts';
import type { Application } from '#model/argocd/application.ts';
import type { AuditEvent } from '#trace/event.ts';
import type { TraceReport } from '#trace/report.ts';
import { parseApplication, parseEvents, parseReasons, parseResources, parseRollback, parseTrace } from './answers.ts';
import type { ServerAddress } from './server-file.ts';

export interface ClientOptions {
  address: ServerAddress;
  actor: string;
  signal: AbortSignal;
}

export interface WatchedApplication {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  application: Application;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

interface Asked {
  method: Method;
  target: string;
  body?: unknown;
  signal: AbortSignal;
}

const lineMax = 16 * 1024 * 1024;
const reconnectsMax = 20;
const reconnectDelayMs = 500;

/** Slipway's server as the commands use it. Errors of the server come back as the AppErrors they were there. */
export class Client {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  async version(): Promise<string> {
    return getString(await this.request('GET', '/api/version'), 'Version') ?? 'unknown';
  }

  async applications(query: Query = {}): Promise<Application[]> {
    return getArray(await this.request('GET', `/api/v1/applications${queryText(query)}`), 'items').map(
      parseApplication,
    );
  }

  async application(name: string, refresh?: 'normal' | 'hard'): Promise<Application> {
    return parseApplication(await this.request('GET', applicationPath(name, '', { refresh })));
  }

  async sync(name: string, request: object): Promise<Application> {
    return parseApplication(await this.request('POST', applicationPath(name, '/sync'), request));
  }

  async terminate(name: string): Promise<void> {
    await this.request('DELETE', applicationPath(name, '/operation'));
  }

  async manifests(name: string, query: Query): Promise<unknown[]> {
    const answer = await this.request('GET', applicationPath(name, '/manifests', query));
    return getArray(answer, 'manifests').map((text) => parseJson(String(text), `a manifest of ${name}`));
  }

  async resources(name: string): Promise<ManagedResource[]> {
    return parseResources(await this.request('GET', ownPath(name, '/resources')));
  }

  async why(name: string): Promise<Reason[]> {
    return parseReasons(await this.request('GET', ownPath(name, '/why')));
  }

  async rollback(name: string, to: number | undefined): Promise<RollbackResult> {
    return parseRollback(await this.request('POST', ownPath(name, '/rollback'), { to }));
  }

  async events(query: Query): Promise<AuditEvent[]> {
    return parseEvents(await this.request('GET', `${own}/events${queryText(query)}`));
  }

  async trace(query: string, namespace: string | undefined): Promise<TraceReport> {
    return parseTrace(await this.request('GET', `${own}/trace${queryText({ query, namespace })}`));
  }

  /** What any route answers, as JSON. */
  async request(method: Method, target: string, body?: unknown): Promise<unknown> {
    const answer = await this.#send({ method, target, body, signal: this.#options.signal });
    return parseJson(await answer.text(), `the answer of ${method} ${target}`);
  }

  /** The results of a stream until the server ends it; it is not opened again. */
  async *stream(target: string): AsyncGenerator<unknown> {
    const { signal } = this.#options;
    const answer = await this.#send({ method: 'GET', target, signal });
    for await (const line of linesOf(answer.body)) {
      const message = parseJson(line, 'the stream');
      if (!isObject(message)) continue;
      const failure = getString(message, 'error', 'message');
      if (failure !== undefined) throw new AppError('unavailable', failure);
      yield message['result'];
    }
  }

  /** The application now and at every change; connects again when the stream breaks. Ends only with the signal. */
  async *watch(name: string, signal: AbortSignal): AsyncGenerator<WatchedApplication> {
    for (let failures = 0; ; ) {
      throwIfAborted(signal);
      try {
        const { name: plain, namespace } = parseName(name);
        const target = `/api/v1/stream/applications${queryText({ name: plain, appNamespace: namespace })}`;
        const answer = await this.#send({ method: 'GET', target, signal });
        for await (const line of linesOf(answer.body)) {
          failures = 0;
          const result = parseJson(line, 'the stream');
          if (isObject(result) && isObject(result['result'])) yield parseWatched(result['result']);
        }
      } catch (error) {
        throwIfAborted(signal);
        if (error instanceof AppError && error.code !== 'unavailable') throw error;
        failures += 1;
        if (failures > reconnectsMax) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, reconnectDelayMs));
    }
  }

  async #send({ method, target, body, signal }: Asked): Promise<Response> {
    const { address, actor } = this.#options;
    let answer: Response;
    try {
      answer = await fetch(`${address.url}${target}`, {
        method,
        signal,
        headers: {
          ...(address.token === '' ? {} : { authorization: `Bearer ${address.token}` }),
          'x-slipway-actor': actor,
          ...(method === 'GET' ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throwIfAborted(signal);
      throw new AppError('unavailable', `Slipway does not answer at ${address.url}`, {
        hint: 'is it running? "npm start" starts it; --server names another one',
        cause: cause instanceof Error && cause.cause !== undefined ? cause.cause : cause,
      });
    }
    if (answer.ok) return answer;
    throw await errorOf(answer, `${method} ${target}`);
  }
}

const own = '/api/slipway/v1';

function parseName(name: string): { name: string; namespace: string | undefined } {
  const slash = name.indexOf('/');
  return { name: name.slice(slash + 1), namespace: slash < 0 ? undefined : name.slice(0, slash) };
}

/** A route about an application, which is named as people name it: `name`, or `namespace/name`. */
export function applicationPath(qualified: string, rest = '', query: Query = {}): string {
  const { name, namespace } = parseName(qualified);
  return `/api/v1/applications/${encodeURIComponent(name)}${rest}${queryText({ ...query, appNamespace: namespace })}`;
}

function ownPath(qualified: string, rest: string): string {
  return `${own}/applications/${encodeURIComponent(qualified)}${rest}`;
}

/** Members that are undefined are left out; a list is repeated. */
export function queryText(query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [value].flat().map((one) => [name, String(one)]),
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

async function errorOf(answer: Response, what: string): Promise<AppError> {
  const text = await answer.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  const code = getString(body, 'reason') ?? getString(body, 'code') ?? '';
  const message = getString(body, 'message') ?? `${what} was answered with ${answer.status}`;
  const known = Object.hasOwn(errorTable, code) ? (code as ErrorCode) : 'unavailable';
  return new AppError(known, message, { hint: getString(body, 'hint') });
}

function parseWatched(value: Record<string, unknown>): WatchedApplication {
  const type = value['type'];
  return {
    type: type === 'DELETED' || type === 'ADDED' ? type : 'MODIFIED',
    application: parseApplication(value['application']),
  };
}

async function* linesOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<string> {
  if (body === null) return;
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of body) {
      rest += decoder.decode(chunk, { stream: true });
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > lineMax)
        throw new AppError('limit', `the live stream has a line of more than ${lineMax} characters`);
      for (const line of lines) if (line.trim() !== '') yield line;
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('unavailable', `the live stream broke: ${messageOf(cause)}`, { cause });
  }
}
