import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { withTimeout } from '#base/abortable.ts';
import type { Clock } from '#base/clock.ts';
import { AppError, isAppError, messageOf, throwIfAborted } from '#base/errors.ts';
import { parseJson } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import { type Query, queryString } from './resource-path.ts';
import { statusError } from './status-error.ts';
import type { KubeTarget, TlsMaterial } from './target.ts';

export interface KubeRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  /** The attempt in words, for messages: `get Deployment web/api`. */
  what: string;
  query?: Query;
  body?: unknown;
  contentType?: string;
  accept?: string;
  /** For streams: silence longer than this breaks the connection. Without it, silence is fine. */
  silenceMs?: number;
  /** Safe to send again when the connection broke before an answer; GET always is. */
  repeatable?: boolean;
}

export interface KubeHttpDeps {
  target: KubeTarget;
  clock: Clock;
  logger: Logger;
  /** For one request, from its start to the end of its body. */
  timeoutMs: number;
}

const bodyLimit = 256 * 1024 * 1024;
const brokenTries = 3;
const busyTries = 6;
const longestRetryAfterMs = 10_000;

interface Agents {
  key: string;
  requests: Dispatcher;
  /** Watches and logs hold a connection each: apart, so that they never keep a request waiting. */
  streams: Dispatcher;
}

/** HTTP to one API server: authentication, kept-alive connections, timeouts, retries and errors. */
export class KubeHttp {
  readonly #deps: KubeHttpDeps;
  #agents: Agents | undefined;

  constructor(deps: KubeHttpDeps) {
    this.#deps = deps;
  }

  /** The parsed answer and its headers. */
  async json(request: KubeRequest, signal: AbortSignal): Promise<{ body: unknown; contentType: string }> {
    for (let tries = 1; ; tries += 1) {
      throwIfAborted(signal);
      const answer = await this.#attempt(request, tries, signal);
      if (answer === undefined) continue;
      if (answer.status >= 200 && answer.status < 300)
        return { body: parseJson(answer.text, `the answer to ${request.what}`), contentType: answer.contentType };
      throw statusError(request.what, answer.status, answer.text);
    }
  }

  /** The body as it arrives; no time limit. Throws before the first chunk when the answer is an error. */
  async *stream(request: KubeRequest, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    throwIfAborted(signal);
    try {
      const { statusCode, body } = await this.#send(request, 'streams', signal);
      if (statusCode !== 200) throw statusError(request.what, statusCode, await readText(body));
      for await (const chunk of body) yield chunk;
    } catch (error) {
      throw this.#failure(request, error, signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const agents = this.#agents;
    this.#agents = undefined;
    if (agents) await Promise.all([agents.requests.destroy(), agents.streams.destroy()]);
  }

  /** Undefined asks for another try, after the wait that is due. */
  async #attempt(request: KubeRequest, tries: number, signal: AbortSignal) {
    const limits = { signal, timeoutMs: this.#deps.timeoutMs, what: request.what };
    try {
      const { statusCode, headers, text } = await withTimeout(limits, async (limited) => {
        const { statusCode, headers, body } = await this.#send(request, 'requests', limited);
        return { statusCode, headers, text: await readText(body) };
      });
      const waitMs = retryAfterMs(headers['retry-after']);
      if (statusCode === 429 && tries < busyTries) {
        await this.#deps.clock.sleep(waitMs ?? Math.min(longestRetryAfterMs, 200 * 2 ** tries), signal);
        return undefined;
      }
      return { status: statusCode, text, contentType: String(headers['content-type'] ?? '') };
    } catch (error) {
      const repeatable = request.method === 'GET' || request.repeatable === true;
      if (repeatable && tries < brokenTries && isBroken(error) && !signal.aborted) {
        this.#deps.logger.debug(
          { request: request.what, tries },
          `connection broke, trying again: ${messageOf(error)}`,
        );
        await this.#deps.clock.sleep(20 * tries, signal);
        return undefined;
      }
      throw this.#failure(request, error, signal);
    }
  }

  async #send(request: KubeRequest, use: 'requests' | 'streams', signal: AbortSignal) {
    const { headers, tls } = await this.#deps.target.access();
    const url = new URL(this.#deps.target.server);
    const prefix = url.pathname.replace(/\/$/, '');
    const payload = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
    return this.#agentsFor(tls)[use].request({
      origin: url.origin,
      path: `${prefix}${request.path}${queryString(request.query ?? {})}`,
      method: request.method,
      signal,
      headers: {
        ...headers,
        'user-agent': 'slipway',
        accept: request.accept ?? 'application/json',
        ...(payload && {
          'content-type': request.contentType ?? 'application/json',
          'content-length': String(payload.byteLength),
        }),
      },
      ...(payload && { body: payload }),
      bodyTimeout: request.silenceMs ?? 0,
    });
  }

  #agentsFor(tls: TlsMaterial): Agents {
    const key = JSON.stringify(tls);
    if (this.#agents?.key === key) return this.#agents;
    const before = this.#agents;
    if (before) void Promise.allSettled([before.requests.close(), before.streams.close()]);
    const connect = {
      rejectUnauthorized: tls.rejectUnauthorized,
      ...(tls.ca !== undefined && { ca: tls.ca }),
      ...(tls.cert !== undefined && { cert: tls.cert }),
      ...(tls.key !== undefined && { key: tls.key }),
      ...(tls.servername !== undefined && { servername: tls.servername }),
      timeout: 10_000,
    };
    const shared = { connect, allowH2: false, pipelining: 1, keepAliveTimeout: 30_000 };
    const { proxy } = this.#deps.target;
    const agent = (options: Agent.Options) =>
      proxy === undefined
        ? new Agent({ ...shared, ...options })
        : new ProxyAgent({ ...shared, ...options, uri: proxy, requestTls: connect });
    this.#agents = {
      key,
      requests: agent({ connections: 32, headersTimeout: 0, bodyTimeout: 0 }),
      streams: agent({ connections: 512, headersTimeout: 60_000, bodyTimeout: 0 }),
    };
    return this.#agents;
  }

  #failure(request: KubeRequest, error: unknown, signal: AbortSignal): unknown {
    throwIfAborted(signal);
    if (isAppError(error)) return error;
    const server = this.#deps.target.server;
    if (error instanceof Error && (error.name === 'HeadersTimeoutError' || error.name === 'BodyTimeoutError'))
      return new AppError('timeout', `${request.what}: ${server} did not answer in time`, { cause: error });
    return new AppError('unavailable', `${request.what}: cannot reach ${server}: ${reasonOf(error)}`, {
      cause: error,
      hint: 'check that the cluster runs and that the server address and CA in the kubeconfig are right',
    });
  }
}

async function readText(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size > bodyLimit) throw new AppError('limit', `the answer is larger than ${bodyLimit} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function reasonOf(error: unknown): string {
  return messageOf(error) || codeOf(error);
}

function isBroken(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE', 'ECONNREFUSED', 'UND_ERR_SOCKET', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'].includes(
    codeOf(error),
  );
}

function retryAfterMs(header: string | string[] | undefined): number | undefined {
  const seconds = typeof header === 'string' ? Number(header) : Number.NaN;
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(longestRetryAfterMs, seconds * 1000) : undefined;
}
