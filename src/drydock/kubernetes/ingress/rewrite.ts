import type { ParsedRequest } from './request-line.ts';
import type { PathMatch, PathRewrite, Redirect } from './route.ts';

/** The path and query that the backend is asked for. */
export function rewriteTarget(request: ParsedRequest, match: PathMatch, rewrite: PathRewrite | undefined): string {
  if (!rewrite) return request.target;
  const path = rewritePath(request.path, match, rewrite);
  return encodeURI(path).replace(/\?/g, '%3F') + request.search;
}

function rewritePath(path: string, match: PathMatch, rewrite: PathRewrite): string {
  switch (rewrite.kind) {
    case 'full':
      return rewrite.value;
    case 'pattern': {
      const groups = match.kind === 'pattern' ? (match.pattern.exec(path) ?? []) : [];
      const value = rewrite.value.replace(/\$(\d)/g, (_, digit: string) => groups[Number(digit)] ?? '');
      return value.startsWith('/') ? value : `/${value}`;
    }
    case 'prefix': {
      const stem = match.value.replace(/\/+$/, '');
      const rest = path.slice(stem.length);
      const value = rewrite.value.replace(/\/+$/, '');
      return `${value}${rest}` || '/';
    }
  }
}

/** The Location of a redirect. `ports` are those that plain and TLS requests come in by here. */
export function redirectLocation(
  request: ParsedRequest,
  match: PathMatch,
  { redirect, ports }: { redirect: Redirect; ports: { http: number; https: number } },
): string {
  if (redirect.url !== undefined) return redirect.url;
  const before = request.secure ? 'https' : 'http';
  const scheme = redirect.scheme ?? before;
  const port = redirect.port ?? (scheme === before ? portOf(request.authority) : ports[scheme]);
  const usual = scheme === 'https' ? 443 : 80;
  const host = redirect.hostname ?? request.host;
  const authority = port === undefined || port === usual ? host : `${host}:${port}`;
  return `${scheme}://${authority}${rewriteTarget(request, match, redirect.path)}`;
}

function portOf(authority: string): number | undefined {
  const text = /:(\d+)$/.exec(authority)?.[1];
  return text === undefined ? undefined : Number(text);
}
