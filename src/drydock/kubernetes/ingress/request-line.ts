import type { IncomingMessage } from 'node:http';
import type { RoutedRequest } from './route.ts';

export interface ParsedRequest extends RoutedRequest {
  /** As the Host header says it, with the port. */
  authority: string;
  /** Path and query as they were sent. */
  target: string;
  search: string;
}

/**
 * What a request is routed by; undefined when it cannot be served (no usable host or target). The path is decoded, with
 * dots resolved and repeated slashes as one, as nginx compares it.
 */
export function parseRequest(incoming: IncomingMessage, secure: boolean): ParsedRequest | undefined {
  const target = incoming.url ?? '/';
  const relative = target.startsWith('/');
  const url = URL.parse(relative ? `http://ingress.invalid${target}` : target);
  if (url?.protocol !== 'http:') return undefined;
  const authority = relative ? (incoming.headers.host ?? '') : url.host;
  const path = decoded(url.pathname).replace(/\/{2,}/g, '/');
  return {
    host: hostOf(authority),
    authority,
    target: relative ? target : `${url.pathname}${url.search}`,
    search: url.search,
    path,
    method: incoming.method ?? 'GET',
    query: url.searchParams,
    headers: incoming.headers,
    secure,
  };
}

/** A host without its port, in lower case and without the dot at the end. */
export function hostOf(authority: string): string {
  const bare = authority.startsWith('[') ? authority.replace(/\]:\d+$/, ']') : authority.replace(/:\d*$/, '');
  return bare.toLowerCase().replace(/\.$/, '');
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
