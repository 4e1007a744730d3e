import { AppError } from '#base/errors.ts';
import { getArray, getObject, getString, isObject, type JsonObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { parseAppProject } from '#model/argocd/app-project.ts';
import { projectRolesOf } from '../access/guard.ts';
import { projectPolicy } from '../rbac/enforcer.ts';

const nameForm = /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/;
const roleNameForm = /^[a-zA-Z0-9]([-_a-zA-Z0-9]*[a-zA-Z0-9])?$/;
const roleNameMax = 63;
const policyResources = ['applications', 'applicationsets', 'repositories', 'exec', 'logs', 'clusters'];
const policyAction = /^(?:get|create|update|delete|sync|override|rollback|\*|(?:action|update|delete)\/.*)$/;

/** What is wrong with one policy line of a role, in Argo CD's terms; undefined when it is right. */
function policyProblem(project: string, role: string, line: string): string | undefined {
  const wrong = (why: string) => `invalid policy rule '${line}': ${why}`;
  const fields = line.split(',').map((field) => field.trim());
  const [kind, subject, resource = '', action = '', object = '', effect] = fields;
  if (fields.length !== 6 || kind !== 'p') return wrong("must be of the form: 'p, sub, res, act, obj, eft'");
  if (subject !== `proj:${project}:${role}`)
    return wrong(`policy subject must be: 'proj:${project}:${role}', not '${subject}'`);
  if (!policyResources.includes(resource))
    return wrong(`project resource must be one of: ${policyResources.join(', ')}`);
  if (!policyAction.test(action)) return wrong(`invalid action '${action}'`);
  const escaped = project.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const name = resource === 'repositories' || resource === 'clusters' ? '.+' : '[*\\w.-]+(?:/[*\\w.-]+)?';
  if (!new RegExp(`^${escaped}/${name}$`).test(object))
    return wrong(`object must be of form '${project}/*', '${project}[/<NAMESPACE>]/*' or '${project}/<APPNAME>'`);
  return effect === 'allow' || effect === 'deny' ? undefined : wrong("effect must be: 'allow' or 'deny'");
}

function roleProblems(project: string, roles: unknown[]): string[] {
  const names = roles.map((role) => getString(role, 'name') ?? '');
  return roles.flatMap((role, at) => {
    const name = names[at] ?? '';
    const problems: string[] = [];
    if (!roleNameForm.test(name) || name.length > roleNameMax) problems.push(`invalid role name '${name}'`);
    if (names.indexOf(name) !== at) problems.push(`role '${name}' already exists`);
    const policies = getArray(role, 'policies').map(String);
    for (const [index, line] of policies.entries()) {
      if (policies.indexOf(line) !== index) problems.push(`policy '${line}' already exists for role '${name}'`);
      const problem = policyProblem(project, name, line);
      if (problem !== undefined) problems.push(problem);
    }
    const groups = getArray(role, 'groups').map(String);
    for (const [index, group] of groups.entries()) {
      if (groups.indexOf(group) !== index) problems.push(`group '${group}' already exists for role '${name}'`);
      if (/[\n\t]/.test(group)) problems.push(`group '${group}' contains invalid characters`);
    }
    return problems;
  });
}

function duplicates<T>(items: readonly T[], what: string): string[] {
  const texts = items.map((item) => JSON.stringify(item));
  return [...new Set(texts.filter((text, at) => texts.indexOf(text) !== at))].map(
    (text) => `${what} ${text.replaceAll('"', "'")} already added`,
  );
}

/** What keeps a project from being used, one sentence each. */
export function projectProblems(object: KubeObject): string[] {
  const { name } = object.metadata;
  const spec = getObject(object, 'spec');
  const parsed = parseAppProject({ metadata: { name }, spec });
  const destinations = getArray(spec, 'destinations');
  const repositories = getArray(spec, 'sourceRepos').map(String);
  const problems = Array.isArray(parsed) ? parsed : [];
  if (repositories.includes('!*')) problems.push("source repository has an invalid format, '!*'");
  for (const destination of destinations) {
    if (getString(destination, 'namespace') === '!*') problems.push("namespace has an invalid format, '!*'");
    if (getString(destination, 'server') === '!*') problems.push("server has an invalid format, '!*'");
  }
  problems.push(...duplicates(destinations, 'destination'), ...duplicates(repositories, 'source repository'));
  problems.push(...roleProblems(name, getArray(spec, 'roles')));
  problems.push(...projectPolicy(name, projectRolesOf(object)).problems);
  return [...new Set(problems)];
}

/** An AppProject from a request, validated. Throws `bad-input` with all that is wrong. */
export function projectOf(given: unknown, namespace: string): KubeObject {
  const metadata = getObject(given, 'metadata');
  const name = getString(metadata, 'name') ?? '';
  if (!isObject(given) || name === '') throw new AppError('bad-input', "missing payload 'project' in request");
  if (!nameForm.test(name)) throw new AppError('bad-input', `"${name}" is no name for a project`);
  const object: KubeObject = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { ...metadata, name, namespace },
    spec: withNormalPolicies(getObject(given, 'spec')),
    ...(isObject(given['status']) ? { status: given['status'] } : {}),
  };
  const problems = projectProblems(object);
  if (problems.length > 0) throw new AppError('bad-input', `error validating project: ${problems.join('; ')}`);
  return object;
}

/** Policies in the one form `p, subject, ...`, as the server keeps them. */
function withNormalPolicies(spec: JsonObject): JsonObject {
  if (!Array.isArray(spec['roles'])) return spec;
  const roles = spec['roles'].filter(isObject).map((role) => {
    if (!Array.isArray(role['policies'])) return role;
    const policies = role['policies'].map((line) =>
      String(line)
        .split(',')
        .map((field) => field.trim())
        .join(', '),
    );
    return { ...role, policies };
  });
  return { ...spec, roles };
}

export interface RoleToken {
  iat: number;
  exp?: number;
  id?: string;
}

export function findRole(project: KubeObject, name: string): JsonObject | undefined {
  return getArray(project['spec'], 'roles')
    .filter(isObject)
    .find((role) => role['name'] === name);
}

/** The tokens of a role, from both places where they stand. */
export function roleTokens(project: KubeObject, role: string): RoleToken[] {
  const listed = [
    ...getArray(findRole(project, role), 'jwtTokens'),
    ...getArray(project['status'], 'jwtTokensByRole', role, 'items'),
  ].filter(isObject);
  const seen = new Map<string, RoleToken>();
  for (const { iat, exp, id } of listed) {
    if (typeof iat !== 'number') continue;
    const token = {
      iat,
      ...(typeof exp === 'number' && exp > 0 ? { exp } : {}),
      ...(typeof id === 'string' && id !== '' ? { id } : {}),
    };
    seen.set(`${iat}/${token.id ?? ''}`, token);
  }
  return [...seen.values()];
}

/** The project with these tokens of one role, in `spec` and in `status` as both versions of Argo CD read them. */
export function withRoleTokens(project: KubeObject, role: string, tokens: RoleToken[]): KubeObject {
  const spec = getObject(project, 'spec');
  const roles = getArray(spec, 'roles').map((entry) =>
    isObject(entry) && entry['name'] === role ? { ...entry, jwtTokens: tokens } : entry,
  );
  const status = getObject(project, 'status');
  const byRole = { ...getObject(status, 'jwtTokensByRole'), [role]: { items: tokens } };
  return { ...project, spec: { ...spec, roles }, status: { ...status, jwtTokensByRole: byRole } };
}
