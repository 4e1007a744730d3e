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
    if (pathname === '/healthz') return answer(response, 200, { status: 'ok' });
    if (pathname === '/version') return answer(response, 200, options);
    if (pathname === '/products') return answer(response, 200, listProducts());
    const sku = /^\/products\/([^/]+)$/.exec(pathname)?.[1];
    const product = sku === undefined ? undefined : findProduct(decodeURIComponent(sku));
    if (product) return answer(response, 200, product);
    answer(response, 404, { error: `nothing at ${pathname}` });
  };
}
