import { getArray, isObject, type JsonObject } from '#base/json.ts';

/** One rule of a Role or ClusterRole; absent lists are empty. */
export interface PolicyRule {
  verbs: readonly string[];
  apiGroups: readonly string[];
  resources: readonly string[];
  resourceNames: readonly string[];
  nonResourceURLs: readonly string[];
}

/** What somebody wants to do: with a resource, or with a path that is none. */
export type AccessRequest = ResourceAccess | PathAccess;

export interface ResourceAccess {
  kind: 'resource';
  verb: string;
  group: string;
  version: string;
  resource: string;
  subresource: string;
  /** '' for cluster-wide requests. */
  namespace: string;
  /** '' when the request names no object. */
  name: string;
}

export interface PathAccess {
  kind: 'path';
  verb: string;
  path: string;
}

export function parseRules(role: unknown): PolicyRule[] {
  return getArray(role, 'rules').filter(isObject).map(parseRule);
}

function parseRule(rule: JsonObject): PolicyRule {
  const texts = (field: string): string[] => getArray(rule, field).filter((item) => typeof item === 'string');
  return {
    verbs: texts('verbs'),
    apiGroups: texts('apiGroups'),
    resources: texts('resources'),
    resourceNames: texts('resourceNames'),
    nonResourceURLs: texts('nonResourceURLs'),
  };
}

/** Whether one rule lets the request through. A rule with resourceNames never lets one through that names no object. */
export function ruleAllows(rule: PolicyRule, request: AccessRequest): boolean {
  if (!has(rule.verbs, request.verb)) return false;
  if (request.kind === 'path') return rule.nonResourceURLs.some((pattern) => urlCovers(pattern, request.path));
  return (
    has(rule.apiGroups, request.group) &&
    resourceMatches(rule.resources, request) &&
    (rule.resourceNames.length === 0 || rule.resourceNames.includes(request.name))
  );
}

function resourceMatches(resources: readonly string[], { resource, subresource }: ResourceAccess): boolean {
  const asked = subresource === '' ? resource : `${resource}/${subresource}`;
  if (has(resources, asked)) return true;
  return subresource !== '' && resources.includes(`*/${subresource}`);
}

/** `/api/*` covers every path below `/api/`; without a star only the path itself. */
export function urlCovers(pattern: string, path: string): boolean {
  if (pattern === '*' || pattern === path) return true;
  return pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, ''));
}

function has(values: readonly string[], wanted: string): boolean {
  return values.includes('*') || values.includes(wanted);
}
