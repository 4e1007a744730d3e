import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { getArray, getObject, getPath, getString, isObject, type JsonObject, jsonEqual } from '#base/json.ts';
import { type Answer, deployments, type TestCluster, testCluster } from '../api-fixture.test.ts';
import { type Pick, seeded, seeds } from '../seeds-fixture.test.ts';

let cluster: TestCluster;
before(async () => {
  cluster = await testCluster();
});
after(() => cluster[Symbol.asyncDispose]());

function some<T>(pick: Pick, values: readonly T[]): T[] {
  return values.filter(() => pick(2) === 0);
}

function container(pick: Pick, name: string): JsonObject {
  const env = some(pick, ['A', 'B', 'C']).map((variable) => ({ name: variable, value: String(pick(3)) }));
  const ports = some(pick, [80, 81]).map((containerPort) => ({ containerPort, name: `p${containerPort}` }));
  return {
    name,
    image: `i:${pick(3)}`,
    ...(env.length > 0 ? { env } : {}),
    ...(ports.length > 0 ? { ports } : {}),
    ...(pick(3) === 0 ? { args: [String(pick(2))] } : {}),
    ...(pick(3) === 0 ? { resources: { limits: { memory: `${1 + pick(3)}Gi` } } } : {}),
  };
}

/** What an applier may want: whole enough to create the Deployment. */
function wanted(pick: Pick, name: string): JsonObject {
  const labels = Object.fromEntries(some(pick, ['x', 'y', 'z']).map((key) => [key, String(pick(2))]));
  const containers = ['web', ...some(pick, ['log', 'proxy'])].map((each) => container(pick, each));
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, ...(Object.keys(labels).length > 0 ? { labels } : {}) },
    spec: {
      ...(pick(2) === 0 ? { replicas: pick(3) } : {}),
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers } },
    },
  };
}

const version = (object: unknown): string => getString(object, 'metadata', 'resourceVersion') ?? '';

for (const seed of seeds(5))
  test(`managedFields through HTTP: random applies, replacements and patches; seed ${seed}`, async () => {
    const pick = seeded(seed);
    const name = `d${seed}`;
    const path = `${deployments}/${name}`;
    let applies = 0;
    let forced = 0;
    for (let step = 0; step < 25; step += 1) {
      const live = await cluster.send('GET', path);
      if (live.code === 404 || pick(2) === 0) {
        const manager = `m${pick(3)}`;
        const body = wanted(pick, name);
        const force = pick(2) === 0;
        const answer = await apply({ path, body, manager, force });
        if (answer.code === 409) {
          assert.ok(!force);
          checkConflict(answer, manager);
          continue;
        }
        // The image was theirs by force, and others still own a part of the container.
        if (answer.code === 422) {
          assert.match(answer.text, /containers\[\d\]\.image: Required value/);
          continue;
        }
        assert.ok(answer.code === 200 || answer.code === 201, answer.text);
        applies += 1;
        forced += force ? 1 : 0;
        assert.ok(contains(answer.body, body), `all that ${manager} applied is there: ${answer.text}`);
        const again = await apply({ path, body, manager, force: false });
        assert.equal(again.code, 200, `${manager} has no conflict with what it just applied: ${again.text}`);
        assert.equal(version(again.body), version(answer.body), 'applying the same again is no write');
      } else {
        const answer = await change(pick, path, live.body);
        assert.ok(answer.code === 200, answer.text);
      }
      await check(path);
    }
    assert.ok(applies > 3 && forced > 0);
  });

function apply({ path, body, manager, force }: { path: string; body: JsonObject; manager: string; force: boolean }) {
  const query = `fieldManager=${manager}&force=${force}`;
  return cluster.send('PATCH', `${path}?${query}`, { body, type: 'application/apply-patch+yaml' });
}

/** One of the other ways to write. */
function change(pick: Pick, path: string, live: JsonObject): Promise<Answer> {
  const query = `?fieldManager=u${pick(3)}`;
  const labels = { [['x', 'y', 'w'][pick(3)] ?? 'x']: pick(3) === 0 ? null : String(pick(3)) };
  switch (pick(4)) {
    case 0: {
      const object = structuredClone(live);
      Object.assign(getObject(object, 'spec'), { replicas: pick(4), minReadySeconds: pick(2) });
      return cluster.send('PUT', path + query, { body: object });
    }
    case 1:
      return cluster.send('PATCH', path + query, {
        body: { metadata: { labels } },
        type: 'application/merge-patch+json',
      });
    case 2: {
      const containers = [{ name: 'web', image: `i:${pick(3)}`, env: [{ name: 'B', value: String(pick(3)) }] }];
      const body = { spec: { template: { spec: { containers } } } };
      return cluster.send('PATCH', path + query, { body, type: 'application/strategic-merge-patch+json' });
    }
    default: {
      const body = [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: `j:${pick(2)}` }];
      return cluster.send('PATCH', path + query, { body, type: 'application/json-patch+json' });
    }
  }
}

/** Every conflict is with another manager and names a field. */
function checkConflict(answer: Answer, manager: string): void {
  const causes = getArray(answer.body, 'details', 'causes');
  assert.ok(causes.length > 0, answer.text);
  for (const cause of causes) {
    assert.equal(getString(cause, 'reason'), 'FieldManagerConflict');
    assert.match(getString(cause, 'field') ?? '', /^\./);
    assert.doesNotMatch(getString(cause, 'message') ?? '', new RegExp(`"${manager}"`));
  }
}

/** No entry is empty or owns what is not there; what was read can be written back and changes nothing. */
async function check(path: string): Promise<void> {
  const { body: object } = await cluster.send('GET', path);
  const entries = getArray(object, 'metadata', 'managedFields');
  const keys = entries.map((entry) => JSON.stringify([getString(entry, 'manager'), getString(entry, 'operation')]));
  assert.equal(new Set(keys).size, keys.length, 'one entry for each manager and operation');
  for (const entry of entries) {
    const fields = getObject(entry, 'fieldsV1');
    assert.ok(Object.keys(fields).length > 0, `${getString(entry, 'manager')} owns nothing`);
    const missing = absent(fields, object);
    assert.deepEqual(missing, [], `${getString(entry, 'manager')} owns what is not there`);
  }
  const again = await cluster.send('PUT', `${path}?fieldManager=reader`, { body: object });
  assert.equal(again.code, 200, again.text);
  assert.deepEqual(again.body, object, 'what was read can be written back');
}

/** The paths of `fields` that lead nowhere in `value`. */
function absent(fields: JsonObject, value: unknown, at = ''): string[] {
  return Object.entries(fields).flatMap(([step, inner]) => {
    if (step === '.') return [];
    const found = follow(value, step);
    const path = `${at} ${step}`;
    if (found === undefined) return [path];
    return isObject(inner) ? absent(inner, found, path) : [];
  });
}

function follow(value: unknown, step: string): unknown {
  const rest = step.slice(2);
  if (step.startsWith('f:')) return getPath(value, rest);
  const items: unknown[] = Array.isArray(value) ? value : [];
  const wantedItem: unknown = JSON.parse(rest);
  if (step.startsWith('v:')) return items.find((item) => jsonEqual(item, wantedItem));
  return items.find((item) =>
    Object.entries(getObject(wantedItem)).every(([key, each]) => jsonEqual(getPath(item, key), each)),
  );
}

/** `applied` laid over the object changes nothing; items of lists are found by their name or port. */
function contains(object: unknown, applied: unknown): boolean {
  if (isObject(applied))
    return isObject(object) && Object.entries(applied).every(([key, value]) => contains(object[key], value));
  if (Array.isArray(applied) && applied.every(isObject))
    return applied.every((item) => Array.isArray(object) && object.some((each) => contains(each, item)));
  return jsonEqual(object, applied);
}
