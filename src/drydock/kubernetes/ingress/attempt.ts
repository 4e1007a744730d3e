import { type Agent, type ClientRequest, type IncomingMessage, request as plain, type RequestOptions } from 'node:http';
import { request as overTls } from 'node:https';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Backend } from '../agent/proxy-connection.ts';
import type { IngressExchange } from './exchange.ts';
import { changeHeaders, endToEndHeaders, type HeaderMap } from './forwarded-headers.ts';
import { BodyTooLarge, sendBody } from './request-body.ts';
import type { ForwardOptions, HeaderChanges } from './route.ts';

export interface AttemptRequest {
  target: string;
  headers: HeaderMap;
  hasBody: boolean;
  options: ForwardOptions;
  responseHeaders: (HeaderChanges | undefined)[];
  /** A kept connection to use; undefined makes a new one. */
  agent: Agent | undefined;
}

export type AttemptResult =
  /** The answer went to the client, or was cut off on the way because one side failed. */
  | { kind: 'answered' }
  /** Nothing of the request can have had an effect; or it was sent and nothing came back. */
  | { kind: 'failed'; sent: boolean; keptConnection: boolean; status: 502 | 504; why: string }
  | { kind: 'too-large' };

/** Sends the request to one backend and its answer to the client. Never throws. */
export function attempt(exchange: IngressExchange, backend: Backend, sending: AttemptRequest): Promise<AttemptResult> {
  return new Promise((resolve) => new Attempt(exchange, backend, sending, resolve));
}

class Attempt {
  readonly #exchange: IngressExchange;
  readonly #sending: AttemptRequest;
  readonly #resolve: (result: AttemptResult) => void;
  readonly #outgoing: ClientRequest;
  #sendingBody: AbortController | undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  #connected = false;
  #answering = false;
  #timedOut = false;

  constructor(
    exchange: IngressExchange,
    backend: Backend,
    sending: AttemptRequest,
    resolve: (result: AttemptResult) => void,
  ) {
    this.#exchange = exchange;
    this.#sending = sending;
    this.#resolve = resolve;
    const options: RequestOptions = {
      host: backend.host,
      port: backend.port,
      method: exchange.incoming.method ?? 'GET',
      path: sending.target,
      headers: sending.headers,
      agent: sending.agent ?? false,
      setHost: false,
    };
    this.#outgoing = sending.options.tls
      ? overTls({ ...options, rejectUnauthorized: false, servername: exchange.request.host })
      : plain(options);
    this.#listen();
  }

  #listen(): void {
    const { options } = this.#sending;
    const outgoing = this.#outgoing;
    outgoing.setNoDelay(true);
    this.#after(options.connectMs, () => !this.#connected);
    if (options.totalMs > 0) this.#after(options.totalMs, () => true);
    outgoing.setTimeout(options.readMs, () => this.#giveUp());
    outgoing.on('socket', (socket) => {
      if (!socket.connecting) this.#begin();
      else socket.once(options.tls ? 'secureConnect' : 'connect', () => this.#begin());
    });
    outgoing.on('response', (answer) => void this.#answer(answer));
    outgoing.on('upgrade', (answer, socket, head) => void this.#switch(answer, socket, head));
    outgoing.on('error', (error) => this.#failed(error));
    outgoing.on('close', () => this.#failed(new Error('the backend closed the connection')));
    // The client went away: nobody waits for the answer.
    this.#exchange.response.on('close', this.#clientGone);
  }

  #clientGone = (): void => {
    this.#outgoing.destroy();
  };

  #after(ms: number, still: () => boolean): void {
    this.#timers.push(setTimeout(() => still() && this.#giveUp(), ms));
  }

  #giveUp(): void {
    this.#timedOut = true;
    this.#outgoing.destroy(new Error('the backend took too long'));
  }

  #begin(): void {
    this.#connected = true;
    if (!this.#sending.hasBody) {
      this.#outgoing.end();
      return;
    }
    this.#sendingBody = new AbortController();
    sendBody(this.#exchange.incoming, this.#outgoing, {
      limit: this.#sending.options.maxBodyBytes,
      signal: this.#sendingBody.signal,
    }).catch((error: unknown) => {
      if (error instanceof BodyTooLarge && !this.#answering) this.#finish({ kind: 'too-large' });
      this.#outgoing.destroy();
    });
  }

  async #answer(answer: IncomingMessage): Promise<void> {
    const { response, request } = this.#exchange;
    const headers = endToEndHeaders(answer);
    for (const changes of this.#sending.responseHeaders) changeHeaders(headers, changes);
    try {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', headers);
    } catch (error) {
      // Headers that cannot be sent, of the backend or of a filter.
      this.#outgoing.destroy(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#answering = true;
    response.flushHeaders();
    try {
      await pipeline(answer, response);
    } catch {
      // Part of the answer is out: cutting the connection is how the client learns that it is not whole.
      response.destroy();
    }
    // A body that is still being sent has no reader any more.
    if (!this.#exchange.incoming.complete && request.method !== 'GET') this.#outgoing.destroy();
    this.#finish({ kind: 'answered' });
  }

  async #switch(answer: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { upgrade } = this.#exchange;
    if (!upgrade) {
      // Switches without having been asked.
      socket.destroy();
      this.#failed(new Error('the backend switched to another protocol unasked'));
      return;
    }
    this.#answering = true;
    const lines = [`HTTP/1.1 101 ${answer.statusMessage ?? 'Switching Protocols'}`];
    for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2)
      lines.push(`${answer.rawHeaders[at]}: ${answer.rawHeaders[at + 1]}`);
    upgrade.socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    if (head.length > 0) upgrade.socket.write(head);
    if (upgrade.head.length > 0) socket.write(upgrade.head);
    await Promise.allSettled([pipeline(upgrade.socket, socket), pipeline(socket, upgrade.socket)]);
    upgrade.socket.destroy();
    socket.destroy();
    this.#finish({ kind: 'answered' });
  }

  #failed(error: Error): void {
    if (this.#answering) return;
    if (this.#exchange.response.destroyed) {
      this.#finish({ kind: 'answered' });
      return;
    }
    this.#finish({
      kind: 'failed',
      sent: this.#connected,
      keptConnection: this.#outgoing.reusedSocket,
      status: this.#timedOut ? 504 : 502,
      why: error.message,
    });
  }

  #finish(result: AttemptResult): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#exchange.response.off('close', this.#clientGone);
    this.#sendingBody?.abort();
    this.#resolve(result);
  }
}
