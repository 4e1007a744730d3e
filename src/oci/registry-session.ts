import type { Readable } from 'node:stream';
import { Agent, type Dispatcher, request } from 'undici';
import type { Clock } from '#base/clock.ts';
import { AppError, isAppError, messageOf, throwIfAborted } from '#base/errors.ts';
import { getArray, getNumber, getString, parseJson } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import { registerSecret } from '#base/redact.ts';
import { retry } from '#base/retry.ts';
import { type Authorization, AuthorizationCache } from './authorization-cache.ts';
import { type Challenge, parseChallenge } from './challenge.ts';
import type { RegistryCredentials } from './port.ts';

export interface SessionOptions {
  /** Undefined when there are none for this registry. */
  credentials: (registry: string, signal: AbortSignal) => Promise<RegistryCredentials | undefined>;
  clock: Clock;
  logger: Logger;
  attempts: number;
  /** Connections with a proxy or certificates of their own; whoever gives it closes it. */
  dispatcher?: Dispatcher | undefined;
}

export interface RegistryRequest {
  /** The registry's name, for credentials and messages; `base` is where it answers. */
  registry: string;
  base: string;
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** A path of the registry, or an absolute URL from a Location header. */
  path: string;
  scope: string;
  headers?: Record<string, string>;
  body?: Buffer | (() => Readable);
  /** Statuses that are an answer rather than an error, next to 2xx. */
  accept?: number[];
  /** For what must not be sent twice to the same address: a failure is the caller's to repeat. */
  once?: boolean;
}

export interface RegistryResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Dispatcher.ResponseData['body'];
}

const jsonLimit = 8 * 1024 * 1024;

/** HTTP to registries: tokens got and kept per scope, transient failures tried again, errors in words. */
export class RegistrySession {
  readonly #options: SessionOptions;
  readonly #agent: Dispatcher;
  readonly #authorizations = new AuthorizationCache();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#agent =
      options.dispatcher ??
      new Agent({ connections: 16, headersTimeout: 60_000, bodyTimeout: 60_000, connect: { timeout: 10_000 } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#options.dispatcher) await this.#agent.destroy();
  }

  /** The caller must read or dump the body. Bodies given as functions are opened anew for every try. */
  async send(ask: RegistryRequest, signal: AbortSignal): Promise<RegistryResponse> {
    if (ask.once) return await this.#authorizedTry(ask, signal);
    return await this.retry(() => this.#authorizedTry(ask, signal), signal);
  }

  /** Runs `attempt` again, a limited number of times, when it fails in a way that may pass. */
  async retry<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const { clock, attempts } = this.#options;
    return await retry(
      { clock, signal, attempts, firstDelayMs: 100, maxDelayMs: 5000, retryIf: isWorthRetry },
      attempt,
    );
  }

  /** Sends and reads a whole answer of limited size. */
  async read(ask: RegistryRequest, signal: AbortSignal): Promise<RegistryResponse & { bytes: Buffer }> {
    return await this.retry(async () => {
      const response = await this.#authorizedTry(ask, signal);
      try {
        return { ...response, bytes: await readLimited(response.body, jsonLimit) };
      } catch (error) {
        throwIfAborted(signal);
        throw isAppError(error) ? error : unreachableRegistry(ask, error);
      }
    }, signal);
  }

  async #authorizedTry(ask: RegistryRequest, signal: AbortSignal): Promise<RegistryResponse> {
    const place = `${ask.registry} ${ask.base}`;
    const known = this.#authorizations.find(place, ask.scope, this.#options.clock.now());
    const response = await this.#once(ask, known, signal);
    if (response.status !== 401) return await this.#judge(ask, response);
    if (known !== undefined) this.#authorizations.forget(place, known);
    const challenge = parseChallenge(response.headers['www-authenticate']);
    await response.body.dump();
    const fresh = challenge ? await this.#authorize(ask, challenge, signal) : undefined;
    if (!fresh) throw refused(ask, 401, 'it asks for credentials and none are known for it');
    const second = await this.#once(ask, fresh.header, signal);
    if (second.status !== 401) this.#authorizations.remember(place, fresh);
    return await this.#judge(ask, second);
  }

  async #once(ask: RegistryRequest, authorization: string | undefined, signal: AbortSignal): Promise<RegistryResponse> {
    throwIfAborted(signal);
    const url = new URL(ask.path, ask.base);
    // A Location may lead to another host (an object store): our credentials are not for it.
    const own = url.origin === new URL(ask.base).origin;
    const headers = { ...ask.headers, ...(authorization !== undefined && own ? { authorization } : {}) };
    const body = typeof ask.body === 'function' ? ask.body() : (ask.body ?? null);
    try {
      const response = await request(url, { dispatcher: this.#agent, method: ask.method, headers, body, signal });
      return { status: response.statusCode, headers: response.headers, body: response.body };
    } catch (error) {
      throwIfAborted(signal);
      if (isAppError(error)) throw error;
      throw unreachableRegistry(ask, error);
    }
  }

  async #judge(ask: RegistryRequest, response: RegistryResponse): Promise<RegistryResponse> {
    const { status } = response;
    if ((status >= 200 && status < 400) || ask.accept?.includes(status)) return response;
    const words = await errorWords(response);
    if (status >= 500 || status === 429 || status === 408) {
      throw new AppError(
        'unavailable',
        `registry ${ask.registry} answered ${status} to ${ask.method} ${ask.path}${words}`,
        {
          hint: 'it is out of order or overloaded; try again later',
        },
      );
    }
    throw refused(ask, status, words.replace(/^: /, ''));
  }

  async #authorize(
    ask: RegistryRequest,
    challenge: Challenge,
    signal: AbortSignal,
  ): Promise<Authorization | undefined> {
    const credentials = await this.#options.credentials(ask.registry, signal);
    const basic = credentials ? basicHeader(credentials) : undefined;
    const { clock } = this.#options;
    if (challenge.scheme === 'basic')
      return basic === undefined ? undefined : { header: basic, expiresAt: clock.now() + 3600_000, scope: undefined };
    const realm = challenge.parameters['realm'];
    if (realm === undefined || !URL.canParse(realm)) throw refused(ask, 401, 'its challenge names no realm');
    const url = new URL(realm);
    if (url.protocol !== 'https:' && ask.base.startsWith('https:'))
      throw refused(ask, 401, `it wants the password sent in the clear, to ${url.origin}`);
    if (challenge.parameters['service'] !== undefined) url.searchParams.set('service', challenge.parameters['service']);
    for (const scope of new Set([...(challenge.parameters['scope'] ?? '').split(' '), ...ask.scope.split(' ')]))
      if (scope) url.searchParams.append('scope', scope);
    const tokenAsk: RegistryRequest = {
      registry: ask.registry,
      base: url.origin,
      method: 'GET',
      path: url.href,
      scope: '',
    };
    const response = await this.#once(tokenAsk, basic, signal);
    if (response.status !== 200) await this.#judge({ ...ask, method: 'GET', path: url.pathname, accept: [] }, response);
    const answer = parseJson(
      (await readLimited(response.body, 1024 * 1024)).toString('utf8'),
      `the token of ${ask.registry}`,
    );
    const token = getString(answer, 'token') ?? getString(answer, 'access_token');
    if (token === undefined) throw refused(ask, 401, 'its token endpoint gave no token');
    registerSecret(token);
    const lifetimeMs = (getNumber(answer, 'expires_in') ?? 60) * 1000;
    return { header: `Bearer ${token}`, expiresAt: clock.now() + lifetimeMs * 0.9, scope: ask.scope };
  }
}

export function basicHeader(credentials: RegistryCredentials): string {
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
}

function isWorthRetry(error: unknown): boolean {
  return isAppError(error, 'unavailable') || isAppError(error, 'timeout');
}

function unreachableRegistry(ask: RegistryRequest, cause: unknown): AppError {
  const why =
    messageOf(cause) || (cause instanceof Error && 'code' in cause ? String(cause.code) : 'connection failed');
  return new AppError('unavailable', `registry ${ask.registry} cannot be reached at ${ask.base}: ${why}`, {
    hint: 'check the registry name in the image reference and that the registry runs',
    cause,
  });
}

function refused(ask: RegistryRequest, status: number, words: string): AppError {
  const what = `registry ${ask.registry} answered ${status} to ${ask.method} ${ask.path}${words ? `: ${words}` : ''}`;
  if (status === 401) return new AppError('unauthorized', what, { hint: `log in to ${ask.registry}` });
  if (status === 403) return new AppError('forbidden', what, { hint: 'ask for the right to this repository' });
  if (status === 404) return new AppError('not-found', what);
  return new AppError('bad-input', what);
}

async function errorWords(response: RegistryResponse): Promise<string> {
  const text = (await readLimited(response.body, 64 * 1024)).toString('utf8');
  try {
    const errors = getArray(parseJson(text, 'the answer'), 'errors');
    const words = errors.map((entry) =>
      `${getString(entry, 'code') ?? ''} ${getString(entry, 'message') ?? ''}`.trim(),
    );
    return words.length > 0 ? `: ${words.join('; ')}` : '';
  } catch {
    return text === '' ? '' : `: ${text.slice(0, 200)}`;
  }
}

async function readLimited(body: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw new AppError('limit', `a registry's answer is longer than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
