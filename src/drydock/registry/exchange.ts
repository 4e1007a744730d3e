import type { IncomingMessage, ServerResponse } from 'node:http';
import { RegistryError } from './registry-error.ts';

/** One request with its parsed address; handlers answer through it. */
export interface Exchange {
  method: string;
  path: string;
  query: URLSearchParams;
  request: IncomingMessage;
  response: ServerResponse;
  /** The address the client used, for links and challenges. */
  origin: string;
}

export interface Answer {
  status: number;
  headers?: Record<string, string | number>;
  body?: string | Buffer;
}

/** HEAD answers keep the headers, length included, and send no body. */
export function answer(exchange: Exchange, { status, headers = {}, body }: Answer): void {
  const { request, response } = exchange;
  // A body that was not read would be taken for the next request on this connection.
  const unread = !request.complete && request.headers['content-length'] !== '0' && hasBody(request);
  const all: Record<string, string | number> = {
    'Content-Length': body === undefined ? 0 : Buffer.byteLength(body),
    ...headers,
    ...(unread ? { Connection: 'close' } : {}),
  };
  for (const [name, value] of Object.entries(all)) response.setHeader(name, value);
  response.statusCode = status;
  if (exchange.method === 'HEAD' || body === undefined) response.end();
  else response.end(body);
}

export function answerJson(
  exchange: Exchange,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  const body = JSON.stringify(value);
  answer(exchange, { status, headers: { 'Content-Type': 'application/json', ...headers }, body });
}

function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || request.headers['content-length'] !== undefined;
}

/** The whole body, refused with 413 as soon as it is longer than `maxBytes`. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLong = new RegistryError('SIZE_INVALID', `this request may have ${maxBytes} bytes at most`, { status: 413 });
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLong;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > maxBytes) throw tooLong;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

export function methodNotAllowed(allowed: string): RegistryError {
  return new RegistryError('UNSUPPORTED', `use one of ${allowed} here`, { headers: { Allow: allowed } });
}
