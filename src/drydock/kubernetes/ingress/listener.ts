import { createServer, type IncomingMessage, type Server, type ServerOptions, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import { AppError } from '#base/errors.ts';
import { getNumber } from '#base/json.ts';
import type { KeyPair } from './certificate-store.ts';

export interface ListenerHandlers {
  request(incoming: IncomingMessage, response: ServerResponse, upgrade?: { socket: Duplex; head: Buffer }): void;
  contextFor(host: string): SecureContext;
  /** A connection beyond the limit was closed. */
  dropped(): void;
}

export interface Listener extends AsyncDisposable {
  port: number;
}

const host = '127.0.0.1';
const connectionLimit = 1024;
const idleMs = 75_000;
const headMs = 60_000;

/** Listens on loopback for HTTP, or for HTTPS when there is a `fallback` for clients that name no server. Throws AppError port-taken. */
export async function startListener(
  { port, fallback }: { port: number; fallback?: KeyPair },
  handlers: ListenerHandlers,
): Promise<Listener> {
  const options: ServerOptions = {
    keepAliveTimeout: idleMs,
    headersTimeout: headMs,
    // A body may take long as long as it flows; the backend's silence is limited per route.
    requestTimeout: 0,
    shouldUpgradeCallback: ({ headers }) => headers.upgrade !== undefined && !/\bh2c\b/i.test(headers.upgrade),
  };
  const server: Server = fallback
    ? createTlsServer({
        ...options,
        key: fallback.keyPem,
        cert: fallback.certificatePem,
        SNICallback: (name, done) => answerName(handlers, name.toLowerCase(), done),
      })
    : createServer(options);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.maxConnections = connectionLimit;
  server.on('drop', () => handlers.dropped());
  server.on('request', (incoming, response) => handlers.request(incoming, response));
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const response = new ServerResponse(incoming);
    response.shouldKeepAlive = false;
    try {
      response.assignSocket(incoming.socket);
    } catch {
      // Sent behind a request that is not answered yet: nobody may know whose bytes follow.
      socket.destroy();
      return;
    }
    response.on('finish', () => socket.end());
    handlers.request(incoming, response, { socket, head });
  });
  await listen(server, port, fallback !== undefined);
  return {
    port: getNumber(server.address(), 'port') ?? port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function answerName(
  handlers: ListenerHandlers,
  name: string,
  done: (error: Error | null, context?: SecureContext) => void,
): void {
  try {
    done(null, handlers.contextFor(name));
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)));
  }
}

async function listen(server: Server, port: number, secure: boolean): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') reject(error);
      else
        reject(
          new AppError(
            'port-taken',
            `Ingresses cannot be served on ${host}:${port} (${secure ? 'HTTPS' : 'HTTP'}): the port is in use`,
            { cause: error, hint: 'Stop the program that uses it, or choose another port.' },
          ),
        );
    });
    server.listen(port, host, resolve);
  });
}
