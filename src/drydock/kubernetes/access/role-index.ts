import { getArray, getString, isObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import type { Store } from '../api/store/store.ts';
import type { StoredChange, StoredObject } from '../api/store/stored.ts';
import { type PolicyRule, parseRules } from './policy-rule.ts';
import { serviceAccountName, type User } from './user.ts';

const group = 'rbac.authorization.k8s.io';
const kinds = {
  roles: `roles.${group}`,
  clusterRoles: `clusterroles.${group}`,
  roleBindings: `rolebindings.${group}`,
  clusterRoleBindings: `clusterrolebindings.${group}`,
};

interface Binding {
  key: string;
  name: string;
  /** '' for a ClusterRoleBinding. */
  namespace: string;
  roleRef: RoleRef;
  subjects: { id: string; shown: string }[];
}

export interface RoleRef {
  kind: string;
  name: string;
}

/** Rules that a user has in a namespace through one binding. */
export interface Grant {
  rules: readonly PolicyRule[];
  /** `ClusterRoleBinding "x" of ClusterRole "y" to User "z"`. */
  source: string;
}

export interface Grants {
  granted: Grant[];
  /** What could not be resolved, such as bindings to roles that do not exist. */
  problems: string[];
}

const keepAtMost = 2000;

/**
 * Roles and bindings of the store, by subject. Follows every durable change, so what a client was told is stored counts
 * from its next request on. What a user may do is computed once per namespace and kept until any of them changes.
 */
export class RoleIndex implements Disposable {
  readonly #roles = new Map<string, PolicyRule[]>();
  readonly #clusterRoles = new Map<string, PolicyRule[]>();
  readonly #bindings = new Map<string, Binding>();
  /** By namespace ('' everywhere) and subject. */
  readonly #bySubject = new Map<string, Set<Binding>>();
  readonly #kept = new Map<string, Grants>();
  readonly #stop: (() => void)[] = [];

  constructor(store: Store) {
    for (const storage of Object.values(kinds)) {
      for (const stored of store.scan(storage)) this.#take(stored, stored);
      this.#stop.push(store.subscribe(storage, (change) => this.#change(change)));
    }
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stop) stop();
  }

  /** What the user may do in the namespace ('' for cluster-wide requests), through all its bindings. */
  grantsOf(user: User, namespace: string): Grants {
    const key = JSON.stringify([namespace, user.name, ...user.groups]);
    const known = this.#kept.get(key);
    if (known) return known;
    const found = this.#resolve(user, namespace);
    if (this.#kept.size >= keepAtMost) this.#kept.clear();
    this.#kept.set(key, found);
    return found;
  }

  /** The rules behind a roleRef; undefined when there is no such role. */
  rulesOf(ref: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    return ref.kind === 'Role' ? this.#roles.get(`${namespace}/${ref.name}`) : this.#clusterRoles.get(ref.name);
  }

  #resolve(user: User, namespace: string): Grants {
    const ids = [userId(user.name), ...user.groups.map(groupId)];
    const grants: Grants = { granted: [], problems: [] };
    const seen = new Set<Binding>();
    for (const scope of namespace === '' ? [''] : ['', namespace]) {
      for (const id of ids) {
        for (const binding of this.#bySubject.get(subjectKey(scope, id)) ?? []) {
          if (seen.has(binding)) continue;
          seen.add(binding);
          this.#grant(binding, id, grants);
        }
      }
    }
    return grants;
  }

  #grant(binding: Binding, id: string, { granted, problems }: Grants): void {
    const { roleRef, namespace, name } = binding;
    const rules = this.rulesOf(roleRef, namespace);
    if (!rules) {
      problems.push(`${roleRef.kind.toLowerCase()}.${group} ${JSON.stringify(roleRef.name)} not found`);
      return;
    }
    const subject = binding.subjects.find((item) => item.id === id)?.shown ?? '';
    const own =
      namespace === ''
        ? `ClusterRoleBinding ${JSON.stringify(name)}`
        : `RoleBinding ${JSON.stringify(`${name}/${namespace}`)}`;
    granted.push({ rules, source: `${own} of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to ${subject}` });
  }

  #change({ object, type }: StoredChange): void {
    this.#kept.clear();
    this.#take(object, type === 'DELETED' ? undefined : object);
  }

  #take(at: StoredObject, stored: StoredObject | undefined): void {
    switch (at.storage) {
      case kinds.roles:
        setOrDelete(this.#roles, at.key, stored && parseRules(stored.object));
        return;
      case kinds.clusterRoles:
        setOrDelete(this.#clusterRoles, at.key, stored && parseRules(stored.object));
        return;
      default:
        this.#bind(`${at.storage}/${at.key}`, stored?.object);
    }
  }

  #bind(key: string, object: ApiObject | undefined): void {
    const before = this.#bindings.get(key);
    for (const { id } of before?.subjects ?? []) {
      const index = subjectKey(before?.namespace ?? '', id);
      const bindings = this.#bySubject.get(index);
      if (before) bindings?.delete(before);
      if (bindings?.size === 0) this.#bySubject.delete(index);
    }
    const binding = object && parseBinding(key, object);
    setOrDelete(this.#bindings, key, binding);
    for (const { id } of binding?.subjects ?? []) {
      const index = subjectKey(binding?.namespace ?? '', id);
      const bindings = this.#bySubject.get(index) ?? new Set();
      if (binding) this.#bySubject.set(index, bindings.add(binding));
    }
  }
}

function setOrDelete<T>(map: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

function parseBinding(key: string, object: ApiObject): Binding {
  const { name, namespace = '' } = object.metadata;
  return {
    key,
    name,
    namespace,
    roleRef: parseRoleRef(object),
    subjects: getArray(object, 'subjects').flatMap((subject) => parseSubject(subject, namespace)),
  };
}

export function parseRoleRef(binding: ApiObject): RoleRef {
  return { kind: getString(binding, 'roleRef', 'kind') ?? '', name: getString(binding, 'roleRef', 'name') ?? '' };
}

/** An account without a namespace is one of the binding's own; in a ClusterRoleBinding it is nobody. */
function parseSubject(subject: unknown, home: string): { id: string; shown: string }[] {
  if (!isObject(subject)) return [];
  const name = getString(subject, 'name') ?? '';
  switch (subject['kind']) {
    case 'User':
      return [{ id: userId(name), shown: `User ${JSON.stringify(name)}` }];
    case 'Group':
      return [{ id: groupId(name), shown: `Group ${JSON.stringify(name)}` }];
    case 'ServiceAccount': {
      const namespace = getString(subject, 'namespace') || home;
      if (namespace === '') return [];
      const shown = `ServiceAccount ${JSON.stringify(`${name}/${namespace}`)}`;
      return [{ id: userId(serviceAccountName(namespace, name)), shown }];
    }
    default:
      return [];
  }
}

function userId(name: string): string {
  return `user ${name}`;
}

function groupId(name: string): string {
  return `group ${name}`;
}

function subjectKey(namespace: string, id: string): string {
  return `${namespace} ${id}`;
}
