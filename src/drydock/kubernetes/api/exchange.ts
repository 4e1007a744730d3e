import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzip } from 'node:zlib';
import type { JsonObject } from '#base/json.ts';
import { anonymous, type User } from '../access/user.ts';
import { ApiError } from './port.ts';
import { asApiError, statusOf } from './status-error.ts';

const bodyLimit = 3 * 1024 * 1024;
const gzipAbove = 128 * 1024;

/** One request and its answer. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly query: URLSearchParams;
  user: User = anonymous;
  /** The name of an object that this request created, for the audit. */
  createdName: string | undefined;
  /** Asked for in a body; `dryRun` in the query counts without being set here. */
  dryRunInBody = false;
  #signal: AbortSignal | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, url: URL) {
    this.request = request;
    this.response = response;
    this.url = url;
    this.query = url.searchParams;
  }

  /** Aborts when the client is gone or the answer is complete. Made on demand: most requests need none. */
  get signal(): AbortSignal {
    if (!this.#signal) {
      const abort = new AbortController();
      if (this.response.closed) abort.abort();
      else this.response.once('close', () => abort.abort());
      this.#signal = abort.signal;
    }
    return this.#signal;
  }

  get method(): string {
    return this.request.method ?? 'GET';
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value.join(',') : value;
  }

  /** The values of `dryRun` in the query, unchecked. */
  get dryRun(): string[] | undefined {
    const values = this.query.getAll('dryRun');
    return values.length > 0 ? values : undefined;
  }

  get isDryRun(): boolean {
    return this.dryRunInBody || this.query.getAll('dryRun').includes('All');
  }

  /** Adds a `Warning` header, which kubectl prints. */
  warn(message: string): void {
    this.response.appendHeader('Warning', `299 - ${JSON.stringify(message)}`);
  }

  /** The whole request body. Throws 413 above 3 MiB. */
  async body(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.request) {
      const bytes: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
      size += bytes.length;
      if (size > bodyLimit)
        throw new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${bodyLimit}`, {});
      chunks.push(bytes);
    }
    return Buffer.concat(chunks);
  }

  json(code: number, value: unknown): Promise<void> {
    return this.text(code, `${JSON.stringify(value)}\n`, 'application/json');
  }

  async text(code: number, body: string, type: string): Promise<void> {
    const { response } = this;
    let bytes: Buffer = Buffer.from(body, 'utf8');
    response.setHeader('Content-Type', type);
    if (bytes.length > gzipAbove && /\bgzip\b/.test(this.header('accept-encoding') ?? '')) {
      bytes = await compressed(bytes);
      response.setHeader('Content-Encoding', 'gzip');
      response.appendHeader('Vary', 'Accept-Encoding');
    }
    response.setHeader('Content-Length', bytes.length);
    response.writeHead(code);
    response.end(this.method === 'HEAD' ? undefined : bytes);
  }

  /** Answers with a Status. After the headers are out, all that is left is to end the connection. */
  async fail(error: unknown): Promise<void> {
    if (this.response.headersSent) {
      this.response.destroy();
      return;
    }
    const known = asApiError(error);
    const status: JsonObject = statusOf(known);
    if (known.code === 413) this.response.setHeader('Connection', 'close');
    const retryAfter = known.details?.['retryAfterSeconds'];
    if (typeof retryAfter === 'number') this.response.setHeader('Retry-After', String(retryAfter));
    await this.json(known.code, status);
  }
}

function compressed(bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gzip(bytes, { level: 4 }, (error, result) => (error ? reject(error) : resolve(result)));
  });
}
