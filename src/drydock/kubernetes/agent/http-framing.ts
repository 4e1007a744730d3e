const headLimit = 64 * 1024;
const headEnd = Buffer.of(13, 10, 13, 10);

/** The method of an HTTP/1 request that starts with these bytes; undefined for anything else. */
export function requestMethod(chunk: Buffer): string | undefined {
  const line = chunk.toString('latin1', 0, Math.min(chunk.length, 4096));
  return /^([A-Z]{3,16}) \S+ HTTP\/1\.[01]\r\n/.exec(line)?.[1] ?? /^([A-Z]{3,16}) \/\S{4000,}/.exec(line)?.[1];
}

/** Repeating these has the effect of doing them once. */
export function isIdempotent(method: string): boolean {
  return ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'].includes(method);
}

export type ResponseState = 'head' | 'body' | 'complete' | 'opaque';

/**
 * Follows the bytes of one HTTP/1 response far enough to know where it ends. `opaque` once it is no HTTP any more
 * (switched protocols, or not HTTP at all); a response that ends with its connection never becomes `complete`.
 */
export class ResponseTracker {
  readonly #method: string;
  #state: ResponseState = 'head';
  #head = Buffer.alloc(0);
  #left = 0;
  #mode: 'length' | 'chunked' | 'close' = 'close';
  #tail = '';
  /** The server said it closes the connection afterwards. */
  closes = false;

  constructor(method: string) {
    this.#method = method;
  }

  get state(): ResponseState {
    return this.#state;
  }

  feed(chunk: Buffer): ResponseState {
    if (this.#state === 'head') this.#feedHead(chunk);
    else if (this.#state === 'body') this.#feedBody(chunk);
    return this.#state;
  }

  #feedHead(chunk: Buffer): void {
    this.#head = Buffer.concat([this.#head, chunk]);
    const end = this.#head.indexOf(headEnd);
    if (end < 0) {
      if (this.#head.length > headLimit) this.#state = 'opaque';
      return;
    }
    const lines = this.#head.toString('latin1', 0, end).split('\r\n');
    const rest = this.#head.subarray(end + headEnd.length);
    this.#head = Buffer.alloc(0);
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(lines[0] ?? '')?.[1] ?? Number.NaN);
    if (Number.isNaN(status) || status === 101) {
      this.#state = 'opaque';
      return;
    }
    if (status < 200) {
      if (rest.length > 0) this.#feedHead(Buffer.from(rest));
      return;
    }
    const header = (name: string): string | undefined =>
      lines
        .find((line) => line.toLowerCase().startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim()
        .toLowerCase();
    this.closes = header('connection')?.includes('close') ?? lines[0]?.startsWith('HTTP/1.0') ?? false;
    const length = header('content-length');
    this.#state = 'body';
    if (this.#method === 'HEAD' || status === 204 || status === 304) this.#mode = 'length';
    else if (header('transfer-encoding')?.includes('chunked')) this.#mode = 'chunked';
    else if (length !== undefined) {
      this.#mode = 'length';
      this.#left = Number(length);
    }
    this.#feedBody(rest);
  }

  #feedBody(chunk: Buffer): void {
    if (this.#mode === 'length') {
      this.#left -= chunk.length;
      if (this.#left <= 0) this.#state = 'complete';
    } else if (this.#mode === 'chunked') {
      this.#tail = (this.#tail + chunk.subarray(-5).toString('latin1')).slice(-5);
      if (this.#tail === '0\r\n\r\n') this.#state = 'complete';
    }
  }
}
