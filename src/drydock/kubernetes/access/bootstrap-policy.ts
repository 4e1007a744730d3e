import { getArray, isObject, type JsonObject } from '#base/json.ts';
import { cloneJson } from '../api/metadata.ts';
import type { ApiObject } from '../api/port.ts';
import { objectKey } from '../api/served.ts';
import { createObject, updateObject, type WriteDeps } from '../api/write.ts';
import { bootstrapControllerRoles } from './bootstrap-controller-roles.ts';
import {
  type BootstrapRole,
  bootstrapClusterRoleBindings,
  bootstrapClusterRoles,
  bootstrapRoleBindings,
  bootstrapRoles,
} from './bootstrap-roles.ts';
import { type PolicyRule, parseRules } from './policy-rule.ts';
import { uncoveredRules } from './rule-cover.ts';

const group = 'rbac.authorization.k8s.io';
const apiVersion = `${group}/v1`;
const protection = 'rbac.authorization.kubernetes.io/autoupdate';
const options = { manager: 'kube-apiserver', dryRun: false };

/**
 * Creates the roles and bindings that every cluster has and gives those that are there what they lack: rules, subjects,
 * labels. What somebody marked with the annotation `autoupdate: "false"` stays as it is.
 */
export async function ensureBootstrapPolicy(deps: WriteDeps): Promise<void> {
  await Promise.all(bootstrapPolicy().map((object) => ensure(deps, object)));
}

/** All of it as objects, roles first. */
export function bootstrapPolicy(): ApiObject[] {
  const controllers = Object.keys(bootstrapControllerRoles).map((name) => [`system:controller:${name}`, name] as const);
  return [
    ...Object.entries(bootstrapClusterRoles).map(([name, role]) => roleObject('ClusterRole', { name }, role)),
    ...controllers.map(([name, account]) =>
      roleObject('ClusterRole', { name }, { rules: bootstrapControllerRoles[account] ?? [] }),
    ),
    ...Object.entries(bootstrapRoles).flatMap(([namespace, roles]) =>
      Object.entries(roles).map(([name, role]) => roleObject('Role', { name, namespace }, role)),
    ),
    ...Object.entries(bootstrapClusterRoleBindings).map(([name, subjects]) =>
      bindingObject('ClusterRoleBinding', { name }, { role: name, subjects }),
    ),
    ...controllers.map(([name, account]) =>
      bindingObject(
        'ClusterRoleBinding',
        { name },
        { role: name, subjects: [`ServiceAccount kube-system/${account}`] },
      ),
    ),
    ...Object.entries(bootstrapRoleBindings).flatMap(([namespace, bindings]) =>
      Object.entries(bindings).map(([name, { role = name, subjects }]) =>
        bindingObject('RoleBinding', { name, namespace }, { role, subjects }),
      ),
    ),
  ];
}

function roleObject(kind: string, at: { name: string; namespace?: string }, role: BootstrapRole): ApiObject {
  const label = (target: string): string => `${group}/aggregate-to-${target}`;
  const collects = role.aggregates;
  return {
    apiVersion,
    kind,
    metadata: metadataOf(at, role.aggregateTo === undefined ? {} : { [label(role.aggregateTo)]: 'true' }),
    ...(collects === undefined
      ? { rules: role.rules.map(parseLine) }
      : { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [label(collects)]: 'true' } }] }, rules: null }),
  };
}

function bindingObject(
  kind: string,
  at: { name: string; namespace?: string },
  { role, subjects }: { role: string; subjects: readonly string[] },
): ApiObject {
  const roleRef = { apiGroup: group, kind: kind === 'RoleBinding' ? 'Role' : 'ClusterRole', name: role };
  const parsed = subjects.map(parseSubject);
  return { apiVersion, kind, metadata: metadataOf(at), roleRef, ...(parsed.length === 0 ? {} : { subjects: parsed }) };
}

function metadataOf(
  at: { name: string; namespace?: string },
  labels: Record<string, string> = {},
): ApiObject['metadata'] {
  return {
    ...at,
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
    annotations: { [protection]: 'true' },
  };
}

const verbWords: Record<string, string[]> = {
  read: ['get', 'list', 'watch'],
  write: ['create', 'delete', 'deletecollection', 'patch', 'update'],
  readwrite: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
};

/** `core pods,secrets[one,two] read`, or `path /version get`. */
function parseLine(line: string): JsonObject {
  const [groups = '', what = '', verbText = ''] = line.split(' ');
  const verbs = verbWords[verbText] ?? verbText.split(',');
  if (groups === 'path') return { nonResourceURLs: what.split(','), verbs };
  const [resources = '', names] = what.replace(/\]$/, '').split('[');
  return {
    apiGroups: groups.split(',').map((name) => (name === 'core' ? '' : name)),
    ...(names === undefined ? {} : { resourceNames: names.split(',') }),
    resources: resources.split(','),
    verbs,
  };
}

function parseSubject(text: string): JsonObject {
  const [kind = '', name = ''] = text.split(' ');
  if (kind !== 'ServiceAccount') return { apiGroup: group, kind, name };
  const [namespace, account] = name.split('/');
  return { kind, name: account, namespace };
}

async function ensure(deps: WriteDeps, wanted: ApiObject): Promise<void> {
  const resource = deps.served.ofKind({ group, version: 'v1', kind: wanted.kind });
  if (!resource) return;
  const { name, namespace } = wanted.metadata;
  const target = { resource, namespace, options };
  const live = deps.store.get(resource.storage, objectKey(resource, namespace, name))?.object;
  if (!live) {
    await createObject(deps, { ...target, object: wanted });
    return;
  }
  const completed = complete(live, wanted);
  if (completed) await updateObject(deps, { ...target, name, produce: () => ({ object: completed, managed: false }) });
}

/** The stored object with what it lacks; undefined when it lacks nothing or may not be touched. */
function complete(live: ApiObject, wanted: ApiObject): ApiObject | undefined {
  if (live.metadata.annotations?.[protection] === 'false') return undefined;
  const object = cloneJson(live);
  const { metadata } = object;
  metadata.labels = { ...wanted.metadata.labels, ...metadata.labels };
  metadata.annotations = { ...wanted.metadata.annotations, ...metadata.annotations };
  if (isObject(wanted['aggregationRule'])) object['aggregationRule'] ??= wanted['aggregationRule'];
  const rules = uncoveredRules(parseRules(live), parseRules(wanted));
  if (rules.length > 0) object['rules'] = [...getArray(live, 'rules'), ...rules.map(ruleObject)];
  const subjects = getArray(wanted, 'subjects').filter((subject) => !hasSubject(live, subject));
  if (subjects.length > 0) object['subjects'] = [...getArray(live, 'subjects'), ...subjects];
  return object;
}

function ruleObject(rule: PolicyRule): JsonObject {
  return Object.fromEntries(Object.entries(rule).filter(([, values]) => values.length > 0));
}

function hasSubject(binding: ApiObject, wanted: unknown): boolean {
  const key = (subject: unknown): string =>
    isObject(subject) ? `${subject['kind']} ${subject['namespace'] ?? ''} ${subject['name']}` : '';
  return getArray(binding, 'subjects').some((subject) => key(subject) === key(wanted));
}
