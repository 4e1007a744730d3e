import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiObject } from '../api/port.ts';
import { Store } from '../api/store/store.ts';
import { Authorizer } from './authorizer.ts';
import type { ResourceAccess } from './policy-rule.ts';
import { RoleIndex } from './role-index.ts';
import type { User } from './user.ts';

const group = 'rbac.authorization.k8s.io';
const rounds = 400;

/** Numbers that look random and are the same at every run. */
function sequenceOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % below;
  };
}

const verbs = ['get', 'list', 'delete'];
const names = ['a', 'b', 'c'];
const namespaces = ['one', 'two'];

class World {
  readonly store = new Store(undefined);
  readonly #random: (below: number) => number;

  constructor(seed: number) {
    this.#random = sequenceOf(seed);
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.#random(values.length)];
    assert.ok(value !== undefined);
    return value;
  }

  /** Makes, changes or removes one role or binding. */
  async step(): Promise<void> {
    const kind = this.pick(['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding']);
    const storage = `${kind.toLowerCase()}s.${group}`;
    const namespace = kind.startsWith('Cluster') ? undefined : this.pick(namespaces);
    const name = this.pick(names);
    const key = namespace === undefined ? name : `${namespace}/${name}`;
    const live = this.store.get(storage, key);
    if (live && this.#random(3) === 0) {
      await this.store.remove(live);
      return;
    }
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
    const part = kind.endsWith('Binding') ? this.#binding(kind) : { rules: [this.#rule()] };
    const object: ApiObject = { apiVersion: `${group}/v1`, kind, metadata, ...part };
    await this.store.put({ storage, key }, object, live);
  }

  #rule(): object {
    const resourceNames = this.#random(3) === 0 ? { resourceNames: [this.pick(names)] } : {};
    return { verbs: [this.pick(verbs)], apiGroups: [''], resources: [this.pick(['pods', '*'])], ...resourceNames };
  }

  #binding(kind: string): object {
    const role = kind === 'ClusterRoleBinding' ? 'ClusterRole' : this.pick(['Role', 'ClusterRole']);
    const subjects = [
      { kind: 'User', name: this.pick(names) },
      { kind: 'Group', name: this.pick(['g', 'h']) },
      {
        kind: 'ServiceAccount',
        name: this.pick(names),
        ...(this.#random(2) ? { namespace: this.pick(namespaces) } : {}),
      },
    ];
    return { roleRef: { kind: role, name: this.pick(names) }, subjects: [this.pick(subjects), this.pick(subjects)] };
  }

  question(): { user: User; request: ResourceAccess } {
    const account = `system:serviceaccount:${this.pick(namespaces)}:${this.pick(names)}`;
    return {
      user: { name: this.pick([...names, account]), groups: [this.pick(['g', 'h', 'i'])] },
      request: {
        kind: 'resource',
        verb: this.pick(verbs),
        group: '',
        version: 'v1',
        resource: 'pods',
        subresource: '',
        namespace: this.pick(['', ...namespaces]),
        name: this.pick(['', ...names]),
      },
    };
  }
}

test('an index that follows changes decides as one that is made anew', async () => {
  const world = new World(20_261_121);
  using index = new RoleIndex(world.store);
  const following = new Authorizer(index);
  let allowed = 0;
  let unresolved = 0;
  for (let round = 0; round < rounds; round += 1) {
    await world.step();
    using fresh = new RoleIndex(world.store);
    const anew = new Authorizer(fresh);
    for (let n = 0; n < 10; n += 1) {
      const { user, request } = world.question();
      const got = following.decide(user, request);
      assert.equal(got.allowed, anew.decide(user, request).allowed, JSON.stringify({ round, user, request }));
      if (got.allowed) allowed += 1;
      else if (got.reason !== '') unresolved += 1;
    }
  }
  // The questions are of use only when both answers come often.
  assert.ok(allowed > 300 && allowed < rounds * 9, `${allowed} allowed`);
  assert.ok(unresolved > 100, `${unresolved} refused with a role missing`);
});

test('an index that is disposed of follows no more', async () => {
  const store = new Store(undefined);
  const index = new RoleIndex(store);
  index[Symbol.dispose]();
  const metadata = { name: 'r' };
  const role = { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata, rules: [] };
  await store.put({ storage: `clusterroles.${group}`, key: 'r' }, role, undefined);
  assert.equal(index.rulesOf({ kind: 'ClusterRole', name: 'r' }, ''), undefined);
});
