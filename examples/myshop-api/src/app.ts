import type { IncomingMessage, ServerResponse } from 'node:http';
import { findProduct, listProducts } from './catalogue.ts';

export interface AppOptions {
  version: string;
  environment: string;
  pod: string;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}

export function createApp(options: AppOptions) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const { pathname } = new URL(request.url ?? '/', 'http://shop');
    const { status, body } = route(pathname, options);
    answer(response, status, body);
  };
}

function route(pathname: string, options: AppOptions): { status: number; body: unknown } {
  if (pathname === '/healthz') return { status: 200, body: { status: 'ok' } };
  if (pathname === '/version') return { status: 200, body: options };
  if (pathname === '/products') return { status: 200, body: listProducts() };
  const sku = /^\/products\/([^/]+)$/.exec(pathname)?.[1];
  const product = sku === undefined ? undefined : findProduct(decodeURIComponent(sku));
  if (product) return { status: 200, body: product };
  return { status: 404, body: { error: `nothing at ${pathname}` } };
}
