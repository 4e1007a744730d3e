import type { ManagedResource, RollbackResult, SyncRequest } from '#apps/port.ts';
import { AppError, type ErrorCode, errorTable, messageOf, throwIfAborted } from '#base/errors.ts';
import { getArray, getString, isObject, parseJson } from '#base/json.ts';
import type { Application } from '#model/argocd/application.ts';
import type { AuditEvent } from '#trace/event.ts';
import type { TraceReport } from '#trace/report.ts';
import { parseApplication, parseEvents, parseResources, parseRollback, parseTrace } from './answers.ts';
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

interface Asked {
  method: string;
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
    return getString(await this.#ask('GET', '/api/version'), 'Version') ?? 'unknown';
  }

  async applications(query: Record<string, string | undefined> = {}): Promise<Application[]> {
    return getArray(await this.#ask('GET', `/api/v1/applications${queryText(query)}`), 'items').map(parseApplication);
  }

  async application(name: string, refresh?: 'normal' | 'hard'): Promise<Application> {
    return parseApplication(await this.#ask('GET', `${path(name)}${queryText({ refresh })}`));
  }

  async sync(name: string, request: SyncRequest): Promise<Application> {
    return parseApplication(await this.#ask('POST', `${path(name)}/sync`, request));
  }

  async terminate(name: string): Promise<void> {
    await this.#ask('DELETE', `${path(name)}/operation`);
  }

  async manifests(name: string, revision: string | undefined): Promise<unknown[]> {
    const answer = await this.#ask('GET', `${path(name)}/manifests${queryText({ revision })}`);
    return getArray(answer, 'manifests').map((text) => parseJson(String(text), `a manifest of ${name}`));
  }

  async resources(name: string): Promise<ManagedResource[]> {
    const answer = await this.#ask('GET', `${own}/applications/${encodeURIComponent(name)}/resources`);
    return parseResources(answer);
  }

  async rollback(name: string, to: number | undefined): Promise<RollbackResult> {
    const answer = await this.#ask('POST', `${own}/applications/${encodeURIComponent(name)}/rollback`, { to });
    return parseRollback(answer);
  }

  async events(query: Record<string, string | undefined>): Promise<AuditEvent[]> {
    return parseEvents(await this.#ask('GET', `${own}/events${queryText(query)}`));
  }

  async trace(query: string, namespace: string | undefined): Promise<TraceReport> {
    return parseTrace(await this.#ask('GET', `${own}/trace${queryText({ query, namespace })}`));
  }

  /** The application now and at every change; connects again when the stream breaks. Ends only with the signal. */
  async *watch(name: string, signal: AbortSignal): AsyncGenerator<WatchedApplication> {
    for (let failures = 0; ; ) {
      throwIfAborted(signal);
      try {
        const target = `/api/v1/stream/applications${queryText({ name })}`;
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

  async #ask(method: string, target: string, body?: unknown): Promise<unknown> {
    const answer = await this.#send({ method, target, body, signal: this.#options.signal });
    return parseJson(await answer.text(), `the answer of ${method} ${target}`);
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

function path(name: string): string {
  return `/api/v1/applications/${encodeURIComponent(name)}`;
}

function queryText(query: Record<string, string | undefined>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
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
