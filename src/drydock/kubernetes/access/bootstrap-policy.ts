import { timestamp } from '#base/clock.ts';
import { cloneJson, getArray, isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { objectKey } from '../api/served.ts';
import { inUsualOrder } from '../api/write/metadata.ts';
import { updateObject, type WriteDeps } from '../api/write/write.ts';
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
const manager = 'kube-apiserver';

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
      : { rules: null, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [label(collects)]: 'true' } }] } }),
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
  if (groups === 'path') return { verbs, nonResourceURLs: what.split(',') };
  const [resources = '', names] = what.replace(/\]$/, '').split('[');
  return {
    verbs,
    apiGroups: groups.split(',').map((name) => (name === 'core' ? '' : name)),
    resources: resources.split(','),
    ...(names === undefined ? {} : { resourceNames: names.split(',') }),
  };
}

function parseSubject(text: string): JsonObject {
  const [kind = '', name = ''] = text.split(' ');
  if (kind !== 'ServiceAccount') return { kind, apiGroup: group, name };
  const [namespace, account] = name.split('/');
  return { kind, name: account, namespace };
}

async function ensure(deps: WriteDeps, wanted: ApiObject): Promise<void> {
  const { clock, entropy, store, served } = deps;
  const resource = served.ofKind({ group, version: 'v1', kind: wanted.kind });
  if (!resource) return;
  const { name, namespace } = wanted.metadata;
  const key = objectKey(resource, namespace, name);
  const live = store.get(resource.storage, key)?.object;
  if (!live) {
    const object = storedForm(wanted, { uid: entropy.uuid(), now: timestamp(clock.now()) });
    await store.put({ storage: resource.storage, key }, object, undefined);
    return;
  }
  const object = complete(live, wanted);
  if (!object) return;
  const produce = (): { object: ApiObject; managed: boolean } => ({ object, managed: false });
  await updateObject(deps, { resource, namespace, name, options: { manager, dryRun: false }, produce });
}

/**
 * The object as a creation through the usual path would store it. That path takes ten times longer, and these are many
 * at every start of an empty cluster.
 */
function storedForm(wanted: ApiObject, { uid, now }: { uid: string; now: string }): ApiObject {
  const { labels, annotations } = wanted.metadata;
  const parts = Object.keys(wanted).filter((name) => !notOwned.has(name) && wanted[name] !== null);
  const fieldsV1 = {
    'f:metadata': { 'f:annotations': ownedMembers(annotations), 'f:labels': ownedMembers(labels) },
    ...Object.fromEntries(parts.map((name) => [`f:${name}`, ownedMembers(atomic.has(name) ? {} : wanted[name])])),
  };
  const sorted = Object.fromEntries(Object.entries(fieldsV1).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const entry = {
    manager,
    operation: 'Update',
    apiVersion,
    time: now,
    fieldsType: 'FieldsV1',
    fieldsV1: sorted,
  } as const;
  const metadata = { ...wanted.metadata, uid, creationTimestamp: now, managedFields: [entry] };
  return inUsualOrder({ ...wanted, metadata });
}

const notOwned = new Set(['apiVersion', 'kind', 'metadata']);
const atomic = new Set(['rules', 'roleRef', 'subjects']);

function ownedMembers(value: unknown): JsonObject {
  const names = isObject(value) ? Object.keys(value).toSorted() : [];
  if (names.length === 0) return {};
  return Object.fromEntries([['.', {}], ...names.map((name) => [`f:${name}`, {}])]);
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
