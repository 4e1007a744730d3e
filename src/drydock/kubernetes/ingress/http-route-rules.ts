import { getArray, getNumber, getPath, getString } from '#base/json.ts';
import { parsePattern } from './canary.ts';
import {
  type Action,
  type ForwardOptions,
  type HeaderChanges,
  type PathMatch,
  type PathRewrite,
  type Redirect,
  type Target,
  usualForward,
  type ValueMatch,
} from './route.ts';

/** Something of an HTTPRoute that this router cannot do; the route is not accepted then. */
export class Unsupported extends Error {
  override name = 'Unsupported';
}

export interface RuleMatch {
  path: PathMatch;
  method?: string;
  headers: ValueMatch[];
  query: ValueMatch[];
}

/** The matches of a rule; every request where it names none. Throws Unsupported. */
export function ruleMatches(rule: unknown): RuleMatch[] {
  const matches = getArray(rule, 'matches');
  return (matches.length === 0 ? [{}] : matches).map((match) => {
    const method = getString(match, 'method');
    return {
      path: pathMatch(match),
      ...(method === undefined ? {} : { method }),
      headers: getArray(match, 'headers').map((entry) => valueMatch(entry, 'headers')),
      query: getArray(match, 'queryParams').map((entry) => valueMatch(entry, 'queryParams')),
    };
  });
}

function pathMatch(match: unknown): PathMatch {
  const value = getString(match, 'path', 'value') ?? '/';
  const type = getString(match, 'path', 'type') ?? 'PathPrefix';
  switch (type) {
    case 'Exact':
      return { kind: 'exact', value };
    case 'PathPrefix':
      return { kind: 'prefix', value, element: true };
    case 'RegularExpression':
      return { kind: 'pattern', value, pattern: patternOf(value, 'path') };
    default:
      throw new Unsupported(`a path match of type ${type}`);
  }
}

function valueMatch(entry: unknown, field: string): ValueMatch {
  const name = getString(entry, 'name') ?? '';
  const value = getString(entry, 'value') ?? '';
  const type = getString(entry, 'type') ?? 'Exact';
  if (type === 'Exact') return { name, value };
  if (type === 'RegularExpression') return { name, value: patternOf(value, field) };
  throw new Unsupported(`${field} matches of type ${type}`);
}

/** The whole value must match, as most implementations have it. */
function patternOf(text: string, field: string): RegExp {
  const pattern = parsePattern(`^(?:${text})$`);
  if (!pattern) throw new Unsupported(`the pattern "${text}" of ${field}`);
  return pattern;
}

/** What a rule does with a request, given where its backends lead. Throws Unsupported. */
export function ruleAction(rule: unknown, targetOf: (reference: unknown) => Target): Action {
  for (const field of ['sessionPersistence', 'retry'])
    if (getPath(rule, field) !== undefined) throw new Unsupported(`${field} of a rule`);
  const options: ForwardOptions = { ...usualForward, ...timeouts(rule) };
  const redirect = applyFilters(getArray(rule, 'filters'), options);
  if (redirect) return { kind: 'redirect', redirect };
  const targets = getArray(rule, 'backendRefs').map((reference) => {
    const target = { ...targetOf(reference), weight: Math.max(0, Math.trunc(getNumber(reference, 'weight') ?? 1)) };
    return { ...target, ...backendFilters(getArray(reference, 'filters')) };
  });
  if (targets.every(({ weight }) => weight === 0))
    return { kind: 'refuse', status: 500, why: 'no backend has a weight' };
  return { kind: 'forward', targets, options };
}

/** In place of `options`; returns the redirect when there is one. */
function applyFilters(filters: readonly unknown[], options: ForwardOptions): Redirect | undefined {
  let redirect: Redirect | undefined;
  for (const filter of filters) {
    const type = getString(filter, 'type') ?? '';
    switch (type) {
      case 'RequestHeaderModifier':
        options.headers = headerChanges(getPath(filter, 'requestHeaderModifier'));
        break;
      case 'ResponseHeaderModifier':
        options.responseHeaders = headerChanges(getPath(filter, 'responseHeaderModifier'));
        break;
      case 'URLRewrite': {
        const host = getString(filter, 'urlRewrite', 'hostname');
        const rewrite = pathRewrite(getPath(filter, 'urlRewrite', 'path'));
        if (host !== undefined) options.host = host;
        if (rewrite) options.rewrite = rewrite;
        break;
      }
      case 'RequestRedirect':
        redirect = requestRedirect(getPath(filter, 'requestRedirect'));
        break;
      default:
        throw new Unsupported(`a filter of type ${type}`);
    }
  }
  return redirect;
}

function backendFilters(filters: readonly unknown[]): Pick<Target, 'headers' | 'responseHeaders'> {
  const options: ForwardOptions = { ...usualForward };
  for (const filter of filters) {
    const type = getString(filter, 'type') ?? '';
    if (type !== 'RequestHeaderModifier' && type !== 'ResponseHeaderModifier')
      throw new Unsupported(`a filter of type ${type} of a backend`);
  }
  applyFilters(filters, options);
  const { headers, responseHeaders } = options;
  return { ...(headers ? { headers } : {}), ...(responseHeaders ? { responseHeaders } : {}) };
}

function headerChanges(value: unknown): HeaderChanges {
  const pairs = (field: string): [string, string][] =>
    getArray(value, field).map((entry) => [getString(entry, 'name') ?? '', getString(entry, 'value') ?? '']);
  return { set: pairs('set'), add: pairs('add'), remove: getArray(value, 'remove').map(String) };
}

function pathRewrite(value: unknown): PathRewrite | undefined {
  switch (getString(value, 'type')) {
    case undefined:
      return undefined;
    case 'ReplaceFullPath':
      return { kind: 'full', value: getString(value, 'replaceFullPath') ?? '/' };
    case 'ReplacePrefixMatch':
      return { kind: 'prefix', value: getString(value, 'replacePrefixMatch') ?? '/' };
    default:
      throw new Unsupported(`a path modifier of type ${getString(value, 'type')}`);
  }
}

function requestRedirect(value: unknown): Redirect {
  const scheme = getString(value, 'scheme');
  const hostname = getString(value, 'hostname');
  const port = getNumber(value, 'port');
  const path = pathRewrite(getPath(value, 'path'));
  return {
    status: getNumber(value, 'statusCode') ?? 302,
    ...(scheme === 'http' || scheme === 'https' ? { scheme } : {}),
    ...(hostname === undefined ? {} : { hostname }),
    ...(port === undefined ? {} : { port }),
    ...(path ? { path } : {}),
  };
}

function timeouts(rule: unknown): Partial<ForwardOptions> {
  const total = durationMs(getString(rule, 'timeouts', 'request'));
  const backend = durationMs(getString(rule, 'timeouts', 'backendRequest'));
  return {
    ...(total === undefined ? {} : { totalMs: total }),
    ...(backend === undefined || backend === 0 ? {} : { readMs: backend }),
  };
}

/** A timer longer than this fires at once. */
const longestTimerMs = 2 ** 31 - 1;

const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** Gateway API's durations: `1h30m`, `10s`, `500ms`; undefined when absent. Throws Unsupported. */
export function durationMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^(\d{1,5}(h|ms|m|s)){1,4}$/.test(text)) throw new Unsupported(`the duration "${text}"`);
  let total = 0;
  for (const [, number, unit = ''] of text.matchAll(/(\d+)(h|ms|m|s)/g)) total += Number(number) * (units[unit] ?? 0);
  return Math.min(total, longestTimerMs);
}
