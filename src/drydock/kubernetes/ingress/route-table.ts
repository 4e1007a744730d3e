import type { Route, RoutedRequest, ValueMatch } from './route.ts';

interface HostGroup {
  host: string;
  routes: Route[];
}

/**
 * Finds the route of a request. The most telling host wins first and alone (exact, then the longest wildcard, then
 * none); within it exact paths, then longer ones, then a method, then more header and query matches, then age.
 */
export class RouteTable {
  readonly #exact = new Map<string, HostGroup>();
  readonly #wildcards: HostGroup[] = [];
  #any: HostGroup | undefined;

  constructor(routes: readonly Route[]) {
    for (const route of routes)
      for (const host of [route.host, ...(route.aliases ?? [])]) this.#groupOf(host).routes.push(route);
    for (const group of [...this.#exact.values(), ...this.#wildcards, ...(this.#any ? [this.#any] : [])])
      group.routes.sort(byPrecedence);
    this.#wildcards.sort((a, b) => suffixOf(b.host).length - suffixOf(a.host).length);
  }

  find(request: RoutedRequest): Route | undefined {
    const group =
      this.#exact.get(request.host) ??
      this.#wildcards.find(({ host }) => matchesWildcardHost(host, request.host)) ??
      this.#any;
    return group?.routes.find((route) => matches(route, request));
  }

  #groupOf(host: string): HostGroup {
    if (host === '') {
      this.#any ??= { host, routes: [] };
      return this.#any;
    }
    const known = isWildcard(host) ? this.#wildcards.find((group) => group.host === host) : this.#exact.get(host);
    if (known) return known;
    const group = { host, routes: [] };
    if (isWildcard(host)) this.#wildcards.push(group);
    else this.#exact.set(host, group);
    return group;
  }
}

function isWildcard(host: string): boolean {
  return host.startsWith('*');
}

function suffixOf(host: string): string {
  return host.slice(host.indexOf('.'));
}

/** Whether `*.x` (one label) or `**.x` (at least one) covers the host. */
export function matchesWildcardHost(pattern: string, host: string): boolean {
  const suffix = suffixOf(pattern);
  if (host.length <= suffix.length || !host.endsWith(suffix)) return false;
  return pattern.startsWith('**') || !host.slice(0, -suffix.length).includes('.');
}

function byPrecedence(a: Route, b: Route): number {
  const steps = [
    rank(a) - rank(b),
    b.path.value.length - a.path.value.length,
    Number(a.method === undefined) - Number(b.method === undefined),
    b.headers.length - a.headers.length,
    b.query.length - a.query.length,
  ];
  return steps.find((step) => step !== 0) ?? (a.order < b.order ? -1 : a.order > b.order ? 1 : 0);
}

function rank(route: Route): number {
  return route.path.kind === 'exact' ? 0 : 1;
}

function matches(route: Route, request: RoutedRequest): boolean {
  if (route.only !== undefined && (route.only === 'https') !== request.secure) return false;
  if (route.method !== undefined && route.method !== request.method) return false;
  if (!matchesPath(route, request.path)) return false;
  return (
    route.headers.every((match) => matchesValue(match, headerValue(request, match.name))) &&
    route.query.every((match) => matchesValue(match, request.query.get(match.name) ?? undefined))
  );
}

function matchesPath({ path: match }: Route, path: string): boolean {
  switch (match.kind) {
    case 'exact':
      return path === match.value;
    case 'pattern':
      return match.pattern.test(path);
    case 'prefix': {
      if (!match.element) return path.startsWith(match.value);
      const stem = match.value.replace(/\/+$/, '');
      return path === stem || path.startsWith(`${stem}/`);
    }
  }
}

function matchesValue(match: ValueMatch, value: string | undefined): boolean {
  if (value === undefined) return false;
  return typeof match.value === 'string' ? match.value === value : match.value.test(value);
}

export function headerValue(request: Pick<RoutedRequest, 'headers'>, name: string): string | undefined {
  const value = request.headers[name.toLowerCase()];
  return Array.isArray(value) ? value.join(', ') : value;
}
