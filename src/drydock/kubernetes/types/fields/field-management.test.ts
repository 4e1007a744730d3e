import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '#base/json.ts';
import { getPath } from '#base/json.ts';
import type { ApiObject, Gvk, KindType } from '../../api/port.ts';
import { ApiError } from '../../api/port.ts';
import { createTypeRegistry } from '../registry.ts';

const registry = createTypeRegistry();
const deployment: Gvk = { group: 'apps', version: 'v1', kind: 'Deployment' };
const configMap: Gvk = { group: '', version: 'v1', kind: 'ConfigMap' };
const service: Gvk = { group: '', version: 'v1', kind: 'Service' };

/** One stored object, written the way the server does it. */
class Cell {
  live: ApiObject | undefined;
  #seconds = 0;
  readonly type: KindType;

  constructor(gvk: Gvk) {
    const type = registry.builtin(gvk);
    assert.ok(type);
    this.type = type;
  }

  apply(applied: JsonObject, manager: string, options: { force?: boolean; subresource?: string } = {}): ApiObject {
    const { group, version, kind } = this.type.gvk;
    const whole = {
      apiVersion: group === '' ? version : `${group}/${version}`,
      kind,
      ...applied,
      metadata: { name: 'shop', namespace: 'dev', ...(applied['metadata'] as JsonObject | undefined) },
    };
    const object = registry.fields.apply({
      type: this.type,
      live: this.live,
      applied: whole,
      manager,
      force: options.force ?? false,
      subresource: options.subresource,
      now: this.#now(),
    });
    return this.#store(object);
  }

  update(change: (object: ApiObject) => void, manager: string, subresource?: string): ApiObject {
    const wanted = structuredClone(this.live ?? ({ metadata: { name: 'shop', namespace: 'dev' } } as ApiObject));
    change(wanted);
    const { object } = this.type.decode(wanted);
    this.type.applyDefaults(object, this.live);
    const { type, live: old } = this;
    return this.#store(
      registry.fields.recordUpdate({ type, old, updated: object, manager, subresource, now: this.#now() }),
    );
  }

  #store(object: ApiObject): ApiObject {
    object.metadata.uid = 'u-1';
    this.type.applyDefaults(object, this.live);
    this.live = object;
    return object;
  }

  owned(): Record<string, JsonObject> {
    const entries = this.live?.metadata.managedFields ?? [];
    return Object.fromEntries(
      entries.map((entry) => [
        `${entry.manager} ${entry.operation}${entry.subresource === undefined ? '' : ` ${entry.subresource}`}`,
        entry.fieldsV1,
      ]),
    );
  }

  #now(): string {
    this.#seconds += 1;
    return `2026-01-01T00:00:${String(this.#seconds).padStart(2, '0')}Z`;
  }
}

function web(spec: JsonObject = {}, container: JsonObject = {}): JsonObject {
  return {
    spec: {
      selector: { matchLabels: { app: 'shop' } },
      template: {
        metadata: { labels: { app: 'shop' } },
        spec: { containers: [{ name: 'web', image: 'shop:1', ports: [{ containerPort: 80 }], ...container }] },
      },
      ...spec,
    },
  };
}

const webFields = {
  'f:spec': {
    'f:selector': {},
    'f:template': {
      'f:metadata': { 'f:labels': { 'f:app': {} } },
      'f:spec': {
        'f:containers': {
          'k:{"name":"web"}': {
            '.': {},
            'f:image': {},
            'f:name': {},
            'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
          },
        },
      },
    },
  },
};

test('apply owns leaves and list items, with the default of a key filled in', () => {
  const cell = new Cell(deployment);
  cell.apply(web(), 'ci');
  assert.deepEqual(cell.owned(), { 'ci Apply': webFields });
});

test('the same apply again changes nothing, times included', () => {
  const cell = new Cell(deployment);
  const first = cell.apply(web(), 'ci');
  const again = cell.apply(web(), 'ci');
  assert.deepEqual(again, first);
  assert.equal(cell.type.sameContent(first, again), true);
});

test('another applier conflicts where the value differs, and shares where it is the same', () => {
  const cell = new Cell(deployment);
  cell.apply(web({ replicas: 2 }), 'ci');
  assert.throws(() => cell.apply({ spec: { replicas: 3 } }, 'ops'), {
    code: 409,
    reason: 'Conflict',
    message: 'Apply failed with 1 conflict: conflict with "ci": .spec.replicas',
    details: {
      causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "ci"', field: '.spec.replicas' }],
    },
  });
  cell.apply({ spec: { replicas: 2 } }, 'ops');
  assert.deepEqual(cell.owned()['ops Apply'], { 'f:spec': { 'f:replicas': {} } });
  assert.ok(getPath(cell.owned()['ci Apply'], 'f:spec', 'f:replicas'));
});

test('several conflicts are grouped by manager', () => {
  const cell = new Cell(deployment);
  cell.apply(web({ replicas: 2 }), 'ci');
  assert.throws(() => cell.apply(web({ replicas: 3 }, { image: 'shop:2' }), 'ops'), {
    message:
      'Apply failed with 2 conflicts: conflicts with "ci":\n- .spec.replicas\n- .spec.template.spec.containers[name="web"].image',
  });
});

test('force takes the field away from the other', () => {
  const cell = new Cell(deployment);
  cell.apply(web({ replicas: 2 }), 'ci');
  const forced = cell.apply({ spec: { replicas: 3 } }, 'ops', { force: true });
  assert.equal(getPath(forced, 'spec', 'replicas'), 3);
  assert.equal(getPath(cell.owned()['ci Apply'], 'f:spec', 'f:replicas'), undefined);
});

test('a field no longer applied goes when nobody else owns it, and is defaulted again', () => {
  const cell = new Cell(deployment);
  cell.apply(
    web(
      { replicas: 5 },
      {
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '2' },
        ],
      },
    ),
    'ci',
  );
  const after = cell.apply(web({}, { env: [{ name: 'B', value: '2' }] }), 'ci');
  assert.equal(getPath(after, 'spec', 'replicas'), 1, 'the default, not 5');
  assert.deepEqual(getPath(after, 'spec', 'template', 'spec', 'containers', 0, 'env'), [{ name: 'B', value: '2' }]);
});

test('a shared field stays when one of its owners gives it up', () => {
  const cell = new Cell(deployment);
  cell.apply(web({ replicas: 5 }), 'ci');
  cell.apply({ spec: { replicas: 5 } }, 'ops');
  assert.equal(getPath(cell.apply(web(), 'ci'), 'spec', 'replicas'), 5);
  assert.equal(getPath(cell.apply({}, 'ops'), 'spec', 'replicas'), 1);
  assert.deepEqual(Object.keys(cell.owned()), ['ci Apply']);
});

test('a set keeps the items of others', () => {
  const cell = new Cell(configMap);
  cell.apply({ metadata: { finalizers: ['x.io/a'] } }, 'one');
  cell.apply({ metadata: { finalizers: ['x.io/b'] } }, 'two');
  assert.deepEqual(cell.live?.metadata.finalizers, ['x.io/a', 'x.io/b']);
  cell.apply({}, 'one');
  assert.deepEqual(cell.live?.metadata.finalizers, ['x.io/b']);
});

test('null claims a list and leaves it empty', () => {
  const cell = new Cell(deployment);
  cell.apply(web({}, { env: [{ name: 'A', value: '1' }] }), 'ci');
  const after = cell.apply(web({}, { env: null }), 'ci');
  const owned = getPath(cell.owned()['ci Apply'], 'f:spec', 'f:template', 'f:spec', 'f:containers', 'k:{"name":"web"}');
  assert.deepEqual(getPath(owned, 'f:env'), {});
  assert.equal(getPath(after, 'spec', 'template', 'spec', 'containers', 0, 'env'), undefined);
});

test('an empty list sets nothing, so its parents may go with what is given up', () => {
  const cell = new Cell(deployment);
  cell.apply(web({}, { env: [{ name: 'A', value: '1' }] }), 'ci');
  cell.apply(web({}, { env: [] }), 'ci');
  const owned = getPath(cell.owned()['ci Apply'], 'f:spec', 'f:template', 'f:spec', 'f:containers', 'k:{"name":"web"}');
  assert.equal(getPath(owned, 'f:env'), undefined);
  assert.equal(getPath(cell.live, 'spec', 'template', 'spec', 'containers', 0, 'env'), undefined);
});

test('items that share a key, as an update may leave them, are owned as one and survive the apply of others', () => {
  const cell = new Cell(deployment);
  cell.apply(web(), 'ci');
  const env = [
    { name: 'A', value: '1' },
    { name: 'A', value: '2' },
  ];
  cell.update((object) => {
    const container = getPath(object, 'spec', 'template', 'spec', 'containers', 0);
    Object.assign(container as JsonObject, { env });
  }, 'hand');
  cell.apply(web({}, { image: 'shop:2' }), 'ci');
  assert.deepEqual(getPath(cell.live, 'spec', 'template', 'spec', 'containers', 0, 'env'), env);
  const owned = getPath(
    cell.owned()['hand Update'],
    'f:spec',
    'f:template',
    'f:spec',
    'f:containers',
    'k:{"name":"web"}',
  );
  assert.deepEqual(getPath(owned, 'f:env'), { '.': {}, 'k:{"name":"A"}': {} });
});

test('an update owns what it changed, parents that it made included', () => {
  const cell = new Cell(configMap);
  cell.update(
    (object) => Object.assign(object, { data: { a: '1' }, metadata: { ...object.metadata, labels: { l: '1' } } }),
    'kubectl',
  );
  assert.deepEqual(cell.owned(), {
    'kubectl Update': { 'f:data': { '.': {}, 'f:a': {} }, 'f:metadata': { 'f:labels': { '.': {}, 'f:l': {} } } },
  });
  cell.update((object) => Object.assign(object, { data: { a: '1', b: '2' } }), 'other');
  assert.deepEqual(cell.owned()['other Update'], { 'f:data': { 'f:b': {} } });
});

test('an update takes over what it changes and frees what it removes', () => {
  const cell = new Cell(configMap);
  cell.apply({ data: { a: '1', b: '1' } }, 'ci');
  cell.update((object) => Object.assign(object, { data: { a: '2' } }), 'hand');
  assert.deepEqual(cell.owned(), { 'hand Update': { 'f:data': { 'f:a': {} } } });
});

test('a conflict with an updater names its version', () => {
  const cell = new Cell(deployment);
  cell.apply(web(), 'ci');
  cell.update((object) => Object.assign(object['spec'] as JsonObject, { replicas: 4 }), 'kubectl-scale', 'scale');
  assert.throws(() => cell.apply(web({ replicas: 2 }), 'ci'), {
    message:
      'Apply failed with 1 conflict: conflict with "kubectl-scale" with subresource "scale" using apps/v1: .spec.replicas',
  });
  assert.deepEqual(cell.owned()['kubectl-scale Update scale'], { 'f:spec': { 'f:replicas': {} } });
});

test('a status write is an entry of its own, and keeps the owners of the spec', () => {
  const cell = new Cell(deployment);
  cell.apply(web(), 'ci');
  cell.update((object) => Object.assign(object, { status: { observedGeneration: 1 } }), 'controller', 'status');
  assert.deepEqual(cell.owned(), {
    'ci Apply': webFields,
    'controller Update status': { 'f:status': { 'f:observedGeneration': {} } },
  });
});

test('status in an apply of the main object is not owned', () => {
  const cell = new Cell(deployment);
  cell.apply({ ...web(), status: { observedGeneration: 9 } }, 'ci');
  assert.deepEqual(cell.owned(), { 'ci Apply': webFields });
});

test('forgetting all owners makes the next apply find before-first-apply', () => {
  const cell = new Cell(configMap);
  cell.update((object) => Object.assign(object, { data: { a: '1' } }), 'hand');
  cell.update((object) => Object.assign(object.metadata, { managedFields: [{}] }), 'hand');
  assert.deepEqual(cell.owned(), {});
  cell.update((object) => Object.assign(object, { data: { a: '1', b: '2' } }), 'hand');
  assert.deepEqual(cell.owned(), {}, 'an object without owners stays so on updates');
  assert.throws(() => cell.apply({ data: { a: '9' } }, 'ci'), {
    message: 'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.a',
  });
  cell.apply({ data: { a: '1' } }, 'ci');
  assert.deepEqual(cell.owned(), {
    'ci Apply': { 'f:data': { 'f:a': {} } },
    'before-first-apply Update': { 'f:data': { '.': {}, 'f:a': {}, 'f:b': {} } },
  });
});

test('managed fields given in an update count', () => {
  const cell = new Cell(configMap);
  cell.update((object) => Object.assign(object, { data: { a: '1' } }), 'kubectl-client-side-apply');
  cell.update((object) => {
    const [entry] = object.metadata.managedFields ?? [];
    assert.ok(entry);
    object.metadata.managedFields = [{ ...entry, manager: 'kubectl', operation: 'Apply' }];
  }, 'kubectl');
  assert.deepEqual(cell.owned(), { 'kubectl Apply': { 'f:data': { '.': {}, 'f:a': {} } } });
});

test('kubectl may take what its own client-side apply set', () => {
  const cell = new Cell(configMap);
  const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
  const last = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shop', namespace: 'dev' }, data: { a: '1' } };
  cell.update((object) => {
    Object.assign(object, { data: { a: '1', b: '1' } });
    object.metadata.annotations = { [annotation]: JSON.stringify(last) };
  }, 'kubectl-client-side-apply');
  const after = cell.apply({ data: { a: '2' } }, 'kubectl');
  assert.equal(getPath(after, 'data', 'a'), '2');
  assert.match(after.metadata.annotations?.[annotation] ?? '', /"a":"2"/);
  assert.throws(() => cell.apply({ data: { a: '2', b: '2' } }, 'kubectl'), /conflict with "kubectl-client-side-apply"/);
});

test('at most ten updaters stay; the oldest are merged', () => {
  const cell = new Cell(configMap);
  cell.apply({ data: { own: '1' } }, 'ci');
  for (let index = 0; index < 13; index += 1) {
    cell.update((object) => Object.assign(object['data'] as JsonObject, { [`k${index}`]: '1' }), `m${index}`);
  }
  const updaters = (cell.live?.metadata.managedFields ?? []).filter((entry) => entry.operation === 'Update');
  assert.equal(updaters.length, 10);
  const ancient = updaters.find((entry) => entry.manager === 'ancient-changes');
  assert.deepEqual(Object.keys(getPath(ancient?.fieldsV1, 'f:data') as JsonObject).sort(), [
    'f:k0',
    'f:k1',
    'f:k2',
    'f:k3',
  ]);
});

test('a port of a Service is one item per number and protocol', () => {
  const cell = new Cell(service);
  cell.apply(
    {
      spec: {
        ports: [
          { port: 53, name: 't' },
          { port: 53, protocol: 'UDP', name: 'u' },
        ],
      },
    },
    'ci',
  );
  assert.deepEqual(Object.keys(getPath(cell.owned()['ci Apply'], 'f:spec', 'f:ports') as JsonObject), [
    'k:{"port":53,"protocol":"TCP"}',
    'k:{"port":53,"protocol":"UDP"}',
  ]);
});

const refusals: { name: string; applied: JsonObject; code: number; message: string }[] = [
  {
    name: 'an unknown field',
    applied: web({ foo: 1 }),
    code: 500,
    message:
      'failed to create typed patch object (dev/shop; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema',
  },
  {
    name: 'a wrong type',
    applied: web({ replicas: 'two' }),
    code: 500,
    message:
      'failed to create typed patch object (dev/shop; apps/v1, Kind=Deployment): .spec.replicas: expected numeric (int or float), got string',
  },
  {
    name: 'two items with one key',
    applied: web({}, { ports: [{ containerPort: 80 }, { containerPort: 80, protocol: 'TCP' }] }),
    code: 500,
    message:
      'failed to create typed patch object (dev/shop; apps/v1, Kind=Deployment): .spec.template.spec.containers[name="web"].ports: duplicate entries for key [containerPort=80,protocol="TCP"]',
  },
  {
    name: 'managed fields in the body',
    applied: { metadata: { managedFields: [] } },
    code: 400,
    message: 'metadata.managedFields must be nil',
  },
  {
    name: 'another version',
    applied: { apiVersion: 'apps/v1beta1' },
    code: 400,
    message: 'Incorrect version specified in apply patch. Specified patch version: apps/v1beta1, expected: apps/v1',
  },
];

for (const { name, applied, code, message } of refusals) {
  test(`apply refuses ${name}`, () => {
    assert.throws(
      () => new Cell(deployment).apply(applied, 'ci'),
      (error: unknown) => {
        assert.ok(error instanceof ApiError);
        assert.deepEqual([error.code, error.message], [code, message]);
        return true;
      },
    );
  });
}
