import { connect, type Socket } from 'node:net';
import { isIdempotent, ResponseTracker, requestMethod } from './http-framing.ts';

export interface Backend {
  podIp: string;
  host: string;
  port: number;
}

/** What names a backend among those that were tried: addresses outside the cluster may serve several. */
export function backendId({ podIp, port }: Backend): string {
  return `${podIp}:${port}`;
}

export interface Backends {
  /** The next ready one in turn whose `backendId` is not in `tried`. */
  pick(tried: ReadonlySet<string>): Backend | undefined;
  /** Being taken out of service: what it has in flight ends, nothing new goes there. */
  isDraining(backend: Backend): boolean;
}

export interface ConnectionLimits {
  /** How long to look for a backend that accepts before the client is turned away. */
  connectMs: number;
  retryDelayMs: number;
  /** The most of a request that is kept for sending it to another backend. */
  replayBytes: number;
}

interface Upstream {
  socket: Socket;
  backend: Backend;
  connected: boolean;
}

/**
 * One client connection of a service. Bytes are passed on as they are; but where a new HTTP/1 request begins, it may
 * go to another backend than the one before: so a client's kept-alive connection outlives the pods of a rollout. A
 * request that a backend closed on without a byte of answer is sent again when that is safe. Whatever is not HTTP/1
 * stays with its first backend.
 */
export class ProxyConnection {
  readonly #client: Socket;
  readonly #backends: Backends;
  readonly #limits: ConnectionLimits;
  readonly #onClosed: () => void;
  #upstream: Upstream | undefined;
  #http: boolean | undefined;
  #method = '';
  #response: ResponseTracker | undefined;
  /** Bytes of the current request, until its answer begins; undefined when they grew too many. */
  #request: Buffer[] | undefined = [];
  #requestBytes = 0;
  #tried = new Set<string>();
  #searchingUntil = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(client: Socket, options: { backends: Backends; limits: ConnectionLimits; onClosed: () => void }) {
    this.#client = client;
    this.#backends = options.backends;
    this.#limits = options.limits;
    this.#onClosed = options.onClosed;
    client.setNoDelay(true);
    client.on('data', (chunk: Buffer) => this.#fromClient(chunk));
    client.on('drain', () => this.#upstream?.socket.resume());
    client.on('end', () => this.#upstream?.socket.end());
    client.on('error', () => client.destroy());
    client.on('close', () => this.#closed());
    this.#search();
  }

  /** Waits for something from this pod. */
  inFlight(podIp: string): boolean {
    if (this.#upstream?.backend.podIp !== podIp) return false;
    if (this.#http === false) return true;
    return this.#response !== undefined && this.#response.state !== 'complete';
  }

  /** Leaves a backend that drains, when nothing is in flight there. */
  leave(podIp: string): void {
    if (this.#upstream?.backend.podIp === podIp && this.#http === true && !this.inFlight(podIp)) this.#drop();
  }

  destroy(): void {
    this.#client.destroy();
  }

  #fromClient(chunk: Buffer): void {
    const method = this.#http === false ? undefined : requestMethod(chunk);
    this.#http ??= method !== undefined;
    const between = this.#response === undefined || this.#response.state === 'complete';
    if (this.#http && method !== undefined && between) {
      this.#method = method;
      this.#response = new ResponseTracker(method);
      this.#request = [];
      this.#requestBytes = 0;
      this.#tried = new Set();
      if (this.#upstream && this.#backends.isDraining(this.#upstream.backend)) this.#drop();
    }
    this.#keep(chunk);
    if (!this.#upstream) {
      if (!this.#retry) this.#search();
      return;
    }
    if (this.#upstream.connected && !this.#upstream.socket.write(chunk)) this.#client.pause();
  }

  #keep(chunk: Buffer): void {
    this.#requestBytes += chunk.length;
    // Before the backend is connected everything is kept, else the client waits.
    if (this.#requestBytes > this.#limits.replayBytes && this.#upstream?.connected) this.#request = undefined;
    this.#request?.push(chunk);
    if (this.#requestBytes > this.#limits.replayBytes && !this.#upstream?.connected) this.#client.pause();
  }

  #search(): void {
    const now = performance.now();
    if (this.#searchingUntil === 0) this.#searchingUntil = now + this.#limits.connectMs;
    const backend = this.#backends.pick(this.#tried);
    if (backend) {
      this.#connect(backend);
      return;
    }
    // Nobody is there at all, or all refused for long enough.
    if (this.#tried.size === 0 || now >= this.#searchingUntil) {
      this.#client.resetAndDestroy();
      return;
    }
    this.#tried = new Set();
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#search();
    }, this.#limits.retryDelayMs);
  }

  #connect(backend: Backend): void {
    const socket = connect({ host: backend.host, port: backend.port, noDelay: true, allowHalfOpen: true });
    const upstream: Upstream = { socket, backend, connected: false };
    this.#upstream = upstream;
    this.#tried.add(backendId(backend));
    socket.on('connect', () => {
      upstream.connected = true;
      this.#searchingUntil = 0;
      for (const chunk of this.#request ?? []) socket.write(chunk);
      if (this.#requestBytes > this.#limits.replayBytes) this.#request = undefined;
      this.#client.resume();
      if (this.#client.readableEnded) socket.end();
    });
    socket.on('data', (chunk: Buffer) => this.#fromUpstream(upstream, chunk));
    socket.on('drain', () => this.#client.resume());
    socket.on('end', () => this.#upstreamEnded(upstream));
    socket.on('error', () => this.#upstreamEnded(upstream));
    socket.on('close', () => this.#upstreamEnded(upstream));
  }

  #fromUpstream(upstream: Upstream, chunk: Buffer): void {
    if (this.#upstream !== upstream) return;
    // A server that speaks first is none of HTTP.
    this.#http ??= false;
    this.#request = undefined;
    if (this.#response?.feed(chunk) === 'opaque') this.#http = false;
    if (!this.#client.write(chunk)) upstream.socket.pause();
    if (this.#response?.state === 'complete') {
      if (this.#response.closes) this.#client.end();
      else if (this.#backends.isDraining(upstream.backend)) this.#drop();
    }
  }

  #upstreamEnded(upstream: Upstream): void {
    if (this.#upstream !== upstream) return;
    const answered = this.#request === undefined;
    const waiting = this.#response !== undefined && this.#response.state !== 'complete';
    this.#drop();
    if (!upstream.connected) {
      this.#search();
      return;
    }
    if (this.#http === true && !waiting) return;
    // Nothing was asked yet on this connection: the next request finds another backend.
    if (this.#http === undefined && this.#requestBytes === 0) return;
    if (this.#http === true && !answered && isIdempotent(this.#method)) {
      this.#search();
      return;
    }
    this.#client.end();
  }

  #drop(): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    upstream?.socket.destroy();
  }

  #closed(): void {
    if (this.#retry) clearTimeout(this.#retry);
    this.#drop();
    this.#onClosed();
  }
}
