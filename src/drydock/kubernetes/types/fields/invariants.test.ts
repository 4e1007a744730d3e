import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '#base/json.ts';
import { isObject, jsonEqual } from '#base/json.ts';
import type { ApiObject } from '../../api/port.ts';
import { ApiError } from '../../api/port.ts';
import { schemaOf } from '../kind-schema.ts';
import { createTypeRegistry } from '../registry.ts';
import { isEmptySet, memberPaths, setFromJson, subtract, withNamedParents } from './field-set.ts';
import { withoutSystemFields } from './ownership.ts';
import { fieldsOf } from './typed.ts';

const registry = createTypeRegistry();
const type = registry.builtin({ group: 'apps', version: 'v1', kind: 'Deployment' });
assert.ok(type);
const { node } = schemaOf(type);

/** A small generator with a seed, so that a failure can be repeated. */
function random(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % limit;
  };
}

type Pick = (limit: number) => number;

function some<T>(pick: Pick, values: readonly T[]): T[] {
  return values.filter(() => pick(2) === 0);
}

function container(pick: Pick, name: string): JsonObject {
  const env = some(pick, ['A', 'B', 'C']).map((variable) => ({ name: variable, value: String(pick(2)) }));
  const ports = some(pick, [80, 81]).map((port) => ({
    containerPort: port,
    ...(pick(2) === 0 ? { name: `p${port}` } : {}),
  }));
  return {
    name,
    ...(pick(2) === 0 ? { image: `i:${pick(2)}` } : {}),
    ...(env.length > 0 ? { env } : {}),
    ...(ports.length > 0 ? { ports } : {}),
    ...(pick(3) === 0 ? { args: [String(pick(2))] } : {}),
  };
}

function configuration(pick: Pick): JsonObject {
  const labels = Object.fromEntries(some(pick, ['x', 'y', 'z']).map((name) => [name, String(pick(2))]));
  const containers = some(pick, ['web', 'log']).map((name) => container(pick, name));
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', namespace: 'n', ...(Object.keys(labels).length > 0 ? { labels } : {}) },
    spec: {
      ...(pick(2) === 0 ? { replicas: pick(3) } : {}),
      ...(containers.length > 0 ? { template: { spec: { containers } } } : {}),
    },
  };
}

function entrySet(object: ApiObject, manager: string) {
  const entry = object.metadata.managedFields?.find((each) => each.manager === manager && each.operation === 'Apply');
  return setFromJson(entry?.fieldsV1 ?? {});
}

/** A value laid over by the applied one must be found in the object. */
function contains(object: unknown, applied: unknown): boolean {
  if (isObject(applied)) {
    return isObject(object) && Object.entries(applied).every(([key, value]) => contains(object[key], value));
  }
  if (Array.isArray(applied) && applied.every((item) => isObject(item))) {
    return applied.every((item) => Array.isArray(object) && object.some((each) => contains(each, item)));
  }
  return jsonEqual(object, applied);
}

for (let seed = 1; seed <= 60; seed += 1) {
  test(`ownership holds through random applies and updates, seed ${seed}`, () => {
    assert.ok(type);
    const pick = random(seed * 7919);
    let live: ApiObject | undefined;
    const applied = new Map<string, JsonObject>();
    for (let step = 0; step < 15; step += 1) {
      const now = `2026-01-01T00:00:${String(step).padStart(2, '0')}Z`;
      const manager = `m${pick(3)}`;
      if (live === undefined || pick(4) > 0) {
        const wanted = configuration(pick);
        const force = pick(2) === 0;
        try {
          const object: ApiObject = registry.fields.apply({ type, live, applied: wanted, manager, force, now });
          object.metadata.uid = 'u';
          type.applyDefaults(object, live);
          live = object;
          applied.set(manager, wanted);
        } catch (error) {
          assert.ok(error instanceof ApiError && error.code === 409 && !force, String(error));
          continue;
        }
        const fields = withoutSystemFields(fieldsOf(node, wanted));
        assert.deepEqual(memberPaths(entrySet(live, manager)), memberPaths(fields), 'the applier owns all it applied');
        assert.ok(contains(live['spec'], wanted['spec']), 'what was applied is there');
      } else {
        const updated = structuredClone(live);
        Object.assign(updated['spec'] as JsonObject, { replicas: pick(3), minReadySeconds: pick(3) });
        const { object } = type.decode(updated);
        type.applyDefaults(object, live);
        live = registry.fields.recordUpdate({ type, old: live, updated: object, manager: 'updater', now });
      }
      checkEntries(live);
    }
    assert.ok(live);
    checkRemoval(live, [...applied.keys()]);
  });
}

/** Entries are never empty, and own only what is there. */
function checkEntries(live: ApiObject): void {
  const present = withNamedParents(fieldsOf(node, live), node);
  for (const entry of live.metadata.managedFields ?? []) {
    const set = setFromJson(entry.fieldsV1);
    assert.ok(!isEmptySet(set), `${entry.manager} owns nothing`);
    const dangling = memberPaths(subtract(set, present));
    assert.deepEqual(dangling, [], `${entry.manager} owns what is not there`);
  }
}

/** When every applier gives up, what only they owned is gone. */
function checkRemoval(start: ApiObject, managers: string[]): void {
  assert.ok(type);
  let live = start;
  for (const manager of managers) {
    const bare = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', namespace: 'n' } };
    const object: ApiObject = registry.fields.apply({
      type,
      live,
      applied: bare,
      manager,
      force: true,
      now: '2026-01-01T00:01:00Z',
    });
    object.metadata.uid = 'u';
    type.applyDefaults(object, live);
    live = object;
    assert.ok(isEmptySet(entrySet(live, manager)), `${manager} owns nothing more`);
  }
  const owners = live.metadata.managedFields ?? [];
  assert.ok(owners.every((entry) => entry.operation === 'Update'));
  assert.equal(live.metadata.labels, undefined, 'labels had no other owner');
}
