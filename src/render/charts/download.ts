import { gunzipSync } from 'node:zlib';
import { type Dispatcher, request } from 'undici';
import type { Clock } from '#base/clock.ts';
import { AppError, isAppError, messageOf, throwIfAborted } from '#base/errors.ts';
import { retry } from '#base/retry.ts';
import type { RepositoryAccess } from '#model/argocd/repository-access.ts';
import type { Connections } from './connections.ts';

export interface Download {
  url: string;
  /** What it is, for messages. */
  what: string;
  access: RepositoryAccess;
  /** The origin that the credentials are for; undefined sends them wherever the answer leads. */
  origin: string | undefined;
  maxBytes: number;
  timeoutMs: number;
  /** Of the content that is there already. */
  known?: Validators | undefined;
}

export interface Validators {
  etag?: string;
  lastModified?: string;
}

export type Downloaded = { kind: 'unchanged' } | { kind: 'content'; bytes: Buffer; validators: Validators };

const maxRedirects = 10;
const attempts = 3;

/** Brings one file by HTTP. Transient failures are tried again; credentials stay with their host. */
export async function download(
  deps: { clock: Clock; connections: Connections },
  ask: Download,
  signal: AbortSignal,
): Promise<Downloaded> {
  if (!/^https?:\/\//i.test(ask.url) || !URL.canParse(ask.url))
    throw new AppError(
      'bad-input',
      `${ask.what} has the address ${JSON.stringify(ask.url)}, which is not an http(s) URL`,
    );
  const dispatcher = deps.connections.for(ask.access);
  const retryIf = (error: unknown) => isAppError(error, 'unavailable');
  return await retry({ clock: deps.clock, signal, attempts, firstDelayMs: 200, maxDelayMs: 2000, retryIf }, () =>
    attempt(dispatcher, ask, signal),
  );
}

async function attempt(dispatcher: Dispatcher, ask: Download, signal: AbortSignal): Promise<Downloaded> {
  const limit = AbortSignal.timeout(ask.timeoutMs);
  let url = withoutCredentials(ask.url);
  try {
    for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
      const response = await request(url, {
        dispatcher,
        headers: headersFor(ask, url),
        signal: AbortSignal.any([signal, limit]),
      });
      const { statusCode: status, headers, body } = response;
      if (status >= 300 && status < 400 && status !== 304) {
        await body.dump();
        const location = String(headers['location'] ?? '');
        if (!URL.canParse(location, url)) break;
        url = withoutCredentials(new URL(location, url).href);
        if (!/^https?:/.test(url)) throw new AppError('bad-input', `${ask.what} is redirected to ${url}`);
        continue;
      }
      if (status === 304) {
        await body.dump();
        return { kind: 'unchanged' };
      }
      if (status !== 200) {
        await body.dump();
        throw refusal(ask, url, status);
      }
      const bytes = await readBody(ask, body, String(headers['content-encoding'] ?? ''));
      return { kind: 'content', bytes, validators: validatorsOf(headers) };
    }
    throw new AppError('unavailable', `${ask.what} is redirected again and again: ${url}`);
  } catch (error) {
    throwIfAborted(signal);
    if (isAppError(error)) throw error;
    if (limit.aborted)
      throw new AppError('timeout', `${ask.what} did not come within ${ask.timeoutMs} ms: ${url}`, { cause: error });
    throw new AppError('unavailable', `${ask.what} cannot be reached at ${url}: ${reasonOf(error)}`, {
      hint: 'check the address, and that the server runs and can be reached from here',
      cause: error,
    });
  }
}

function headersFor(ask: Download, url: string): Record<string, string> {
  const { access, known } = ask;
  const headers: Record<string, string> = { 'user-agent': 'slipway', 'accept-encoding': 'gzip' };
  if (known?.etag) headers['if-none-match'] = known.etag;
  else if (known?.lastModified) headers['if-modified-since'] = known.lastModified;
  if (ask.origin !== undefined && new URL(url).origin !== ask.origin) return headers;
  if (access.bearerToken) headers['authorization'] = `Bearer ${access.bearerToken}`;
  else if (access.username || access.password) {
    const pair = `${access.username ?? ''}:${access.password ?? ''}`;
    headers['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`;
  }
  return headers;
}

function validatorsOf(headers: Record<string, string | string[] | undefined>): Validators {
  const { etag, 'last-modified': lastModified } = headers;
  return {
    ...(typeof etag === 'string' ? { etag } : {}),
    ...(typeof lastModified === 'string' ? { lastModified } : {}),
  };
}

async function readBody(ask: Download, body: AsyncIterable<Uint8Array>, encoding: string): Promise<Buffer> {
  const tooLong = () => new AppError('limit', `${ask.what} is larger than ${ask.maxBytes} bytes`);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > ask.maxBytes) throw tooLong();
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (encoding !== 'gzip') return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: ask.maxBytes });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLong();
    throw new AppError('unavailable', `${ask.what} came damaged: ${messageOf(error)}`, { cause: error });
  }
}

function refusal({ what, access }: Download, url: string, status: number): AppError {
  const message = `${what}: ${url} answered ${status}`;
  const named = access.username || access.bearerToken ? 'the credentials that are declared for it' : 'no credentials';
  if (status === 401)
    return new AppError('unauthorized', `${message} to ${named}`, {
      hint: 'declare a repository Secret with the right username and password for this address',
    });
  if (status === 403)
    return new AppError('forbidden', `${message} to ${named}`, { hint: 'ask for the right to read this repository' });
  if (status === 404 || status === 410)
    return new AppError('not-found', message, {
      hint: 'check the address of the repository and the name of the chart',
    });
  if (status >= 500 || status === 429 || status === 408)
    return new AppError('unavailable', message, {
      hint: 'the server is out of order or overloaded; it is asked again',
    });
  return new AppError('bad-input', message);
}

/** User and password of an address are never sent on nor shown. */
function withoutCredentials(url: string): string {
  const parsed = new URL(url);
  parsed.username = '';
  parsed.password = '';
  parsed.hash = '';
  return parsed.href;
}

function reasonOf(error: unknown): string {
  return messageOf(error) || (error instanceof Error && 'code' in error ? String(error.code) : 'no connection');
}
