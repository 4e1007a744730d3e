import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorPage } from './error-page.ts';
import type { ParsedRequest } from './request-line.ts';

/** One request and its answer. */
export interface IngressExchange {
  request: ParsedRequest;
  incoming: IncomingMessage;
  response: ServerResponse;
  /** The client wants another protocol on this connection. */
  upgrade?: { socket: Duplex; head: Buffer };
}

/** Answers with a page, or cuts the connection where an answer has begun. */
export function answerPage(exchange: Pick<IngressExchange, 'incoming' | 'response'>, status: number): void {
  const { incoming, response } = exchange;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { headers, body } = errorPage(status);
  // A body that is not read to its end leaves the connection useless.
  if (!incoming.complete) response.shouldKeepAlive = false;
  response.writeHead(status, headers);
  response.end(incoming.method === 'HEAD' ? undefined : body);
}

export function answerRedirect({ incoming, response }: IngressExchange, status: number, location: string): void {
  const { headers, body } = errorPage(status);
  response.writeHead(status, { ...headers, Location: location });
  response.end(incoming.method === 'HEAD' ? undefined : body);
}

export function answerFixed(
  { incoming, response }: IngressExchange,
  { status, contentType, body }: { status: number; contentType: string; body: string },
): void {
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) });
  response.end(incoming.method === 'HEAD' ? undefined : body);
}
