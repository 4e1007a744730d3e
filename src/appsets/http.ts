import { AppError, type ErrorCode, messageOf, throwIfAborted } from '#base/errors.ts';

/** As much of `fetch` as is used here. */
export type HttpFetch = (
  url: string,
  init: { method: string; headers: Record<string, string>; body?: string; signal: AbortSignal },
) => Promise<HttpAnswer>;

export interface HttpAnswer {
  ok: boolean;
  status: number;
  headers: { get(name: string): string | null };
  body: AsyncIterable<Uint8Array> | null;
}

/** How one server's certificate is judged. */
export interface HttpTrust {
  /** No verification. */
  insecure: boolean;
  /** PEM, beside those that everybody trusts. */
  ca: string | undefined;
}

export interface HttpConnection extends AsyncDisposable {
  fetch: HttpFetch;
}

export interface HttpRequest {
  url: string;
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string;
  timeoutMs?: number;
}

const maxBodyBytes = 20 * 1024 * 1024;
const defaultTimeoutMs = 30_000;

function codeOf(status: number): ErrorCode {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 404 || status === 410) return 'not-found';
  if (status === 429) return 'limit';
  return status >= 500 ? 'unavailable' : 'bad-input';
}

async function readText(answer: HttpAnswer, url: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBodyBytes) throw new AppError('limit', `${url} answered with more than ${maxBodyBytes} bytes`);
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** The body and headers of an answer of 2xx; anything else is thrown as an AppError that names the address. */
export async function requestText(http: HttpFetch, request: HttpRequest, signal: AbortSignal): Promise<string> {
  const { url, method = 'GET', headers = {}, body, timeoutMs = defaultTimeoutMs } = request;
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await http(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.any([signal, timeout]),
    });
    const text = await readText(answer, url);
    if (answer.ok) return text;
    throw new AppError(
      codeOf(answer.status),
      `${method} ${url} answered ${answer.status}: ${text.slice(0, 300).trim()}`,
    );
  } catch (error) {
    throwIfAborted(signal);
    if (error instanceof AppError) throw error;
    if (timeout.aborted) throw new AppError('timeout', `${method} ${url} did not answer within ${timeoutMs} ms`);
    const cause = error instanceof Error && error.cause !== undefined ? `: ${messageOf(error.cause)}` : '';
    throw new AppError('unavailable', `${method} ${url} failed: ${messageOf(error)}${cause}`, { cause: error });
  }
}
