import type { IncomingMessage } from 'node:http';
import type { ParsedRequest } from './request-line.ts';
import type { HeaderChanges } from './route.ts';

export type HeaderMap = Record<string, string | string[]>;

const hopByHop = new Set([
  'connection',
  // Answered by the listener itself.
  'expect',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Headers as they were sent, repeated ones as lists, without those that concern one connection only. */
export function endToEndHeaders(message: Pick<IncomingMessage, 'rawHeaders' | 'headers'>): HeaderMap {
  const named = new Set((message.headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
  const found: HeaderMap = {};
  const names = new Map<string, string>();
  for (let at = 0; at + 1 < message.rawHeaders.length; at += 2) {
    const [name = '', value = ''] = message.rawHeaders.slice(at, at + 2);
    const lower = name.toLowerCase();
    if (hopByHop.has(lower) || named.has(lower)) continue;
    const known = names.get(lower);
    if (known === undefined) {
      names.set(lower, name);
      found[name] = value;
    } else found[known] = [found[known] ?? [], value].flat();
  }
  return found;
}

/** What ingress-nginx tells a backend of the client, in place of what the client itself may have claimed. */
export function forwardedHeaders(
  request: ParsedRequest,
  client: { address: string; port: number; requestId: string },
): Record<string, string> {
  const scheme = request.secure ? 'https' : 'http';
  const claimed = request.headers['x-forwarded-for'];
  return {
    'X-Request-ID': client.requestId,
    'X-Real-IP': client.address,
    'X-Forwarded-For': client.address,
    'X-Forwarded-Host': request.authority,
    'X-Forwarded-Port': String(client.port),
    'X-Forwarded-Proto': scheme,
    'X-Forwarded-Scheme': scheme,
    'X-Scheme': scheme,
    ...(claimed === undefined ? {} : { 'X-Original-Forwarded-For': String(claimed) }),
  };
}

export function setHeader(headers: HeaderMap, name: string, value: string | string[] | undefined): void {
  const lower = name.toLowerCase();
  for (const known of Object.keys(headers)) if (known.toLowerCase() === lower) delete headers[known];
  if (value !== undefined) headers[name] = value;
}

/** In place: `set` replaces, `add` appends, `remove` takes away. */
export function changeHeaders(headers: HeaderMap, changes: HeaderChanges | undefined): void {
  if (!changes) return;
  for (const [name, value] of changes.set) setHeader(headers, name, value);
  for (const [name, value] of changes.add) {
    const known = Object.entries(headers).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
    setHeader(headers, name, known === undefined ? value : [known, value].flat());
  }
  for (const name of changes.remove) setHeader(headers, name, undefined);
}
