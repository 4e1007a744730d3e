import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { createGzip, gzip } from 'node:zlib';
import type { JsonObject } from '#base/json.ts';
import { anonymous, type User } from '../../access/user.ts';
import { ApiError } from '../port.ts';
import type { Turns } from '../store/turn.ts';
import { indented, wantsIndent } from './indent.ts';
import { prefersYaml } from './negotiation.ts';
import { asApiError, badRequest, statusOf } from './status-error.ts';
import { yamlText } from './yaml-text.ts';

const bodyLimit = 3 * 1024 * 1024;
const gzipAbove = 128 * 1024;
const chunkSize = 64 * 1024;

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
  readonly turns: Turns;
  #signal: AbortSignal | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, { url, turns }: { url: URL; turns: Turns }) {
    this.request = request;
    this.response = response;
    this.url = url;
    this.turns = turns;
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

  /** Adds a `Warning` header, which kubectl prints. */
  warn(message: string): void {
    this.response.appendHeader('Warning', `299 - ${JSON.stringify(message)}`);
  }

  get isDryRun(): boolean {
    return this.dryRunInBody || this.query.getAll('dryRun').includes('All');
  }

  /** The whole request body, when there is time to work on it. Throws 413 above 3 MiB. */
  async body(): Promise<Buffer> {
    const bytes = await readAll(this.request);
    const wait = this.turns.enter();
    if (wait) await wait;
    return bytes;
  }

  json(code: number, value: unknown): Promise<void> {
    return this.text(code, `${JSON.stringify(value)}\n`, 'application/json');
  }

  /** A JSON text that may be long: sent piece by piece, with pauses for others and for a slow client. */
  async pieces(code: number, pieces: Iterable<string>): Promise<void> {
    const { response, turns } = this;
    if (prefersYaml(this.header('accept'))) return this.text(code, [...pieces].join(''), 'application/json');
    const rest = (this.#indents() ? indented(pieces) : pieces)[Symbol.iterator]();
    let text = '';
    while (text.length < gzipAbove) {
      const next = rest.next();
      if (next.done) return this.#send(code, text, 'application/json');
      text += next.value;
      if (turns.spent) await turns.enter();
    }
    response.setHeader('Content-Type', 'application/json');
    const zipped = this.#takesGzip();
    if (zipped) {
      response.setHeader('Content-Encoding', 'gzip');
      response.appendHeader('Vary', 'Accept-Encoding');
    }
    response.writeHead(code);
    const chunks = inChunks(text, rest, turns);
    try {
      await (zipped ? pipeline(chunks, createGzip({ level: 1 }), response) : pipeline(chunks, response));
    } catch (error) {
      if (!response.destroyed) throw error;
    }
  }

  #takesGzip(): boolean {
    return /\bgzip\b/.test(this.header('accept-encoding') ?? '');
  }

  text(code: number, body: string, type: string): Promise<void> {
    if (type === 'application/json' && prefersYaml(this.header('accept')))
      return this.#send(code, yamlText(body), 'application/yaml');
    const isJson = type.startsWith('application/json');
    return this.#send(code, isJson && this.#indents() ? [...indented([body])].join('') : body, type);
  }

  #indents(): boolean {
    return wantsIndent(this.query, this.header('user-agent'));
  }

  async #send(code: number, body: string, type: string): Promise<void> {
    const { response } = this;
    let bytes: Buffer = Buffer.from(body, 'utf8');
    response.setHeader('Content-Type', type);
    if (bytes.length > gzipAbove && this.#takesGzip()) {
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

function readAll(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= bodyLimit) chunks.push(chunk);
      else reject(new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${bodyLimit}`, {}));
    });
    request.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    request.once('error', reject);
    request.once('close', () => {
      if (!request.complete) reject(badRequest('the request body ended early'));
    });
  });
}

async function* inChunks(begun: string, rest: Iterator<string>, turns: Turns): AsyncGenerator<string> {
  let text = begun;
  for (let next = rest.next(); !next.done; next = rest.next()) {
    text += next.value;
    if (turns.spent) await turns.enter();
    if (text.length < chunkSize) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

function compressed(bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gzip(bytes, { level: 4 }, (error, result) => (error ? reject(error) : resolve(result)));
  });
}
