import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { builtinSchema } from './builtin-schema.ts';
import type { SchemaNode } from './schema-node.ts';
import { strategicMerge } from './strategic-merge.ts';

function merge(type: string, live: JsonObject, patch: JsonObject): JsonObject {
  const node: SchemaNode = { kind: 'struct', type: builtinSchema().struct(type), atomic: false };
  const before = structuredClone([live, patch]);
  const merged = strategicMerge(node, live as ApiObject, patch);
  assert.deepEqual([live, patch], before, 'the inputs are not changed');
  return merged;
}

const pod = 'core/v1.PodSpec';
const two = {
  containers: [
    { name: 'a', image: '1' },
    { name: 'b', image: '1' },
  ],
};

const rows: { name: string; type: string; live: JsonObject; patch: JsonObject; want: JsonObject }[] = [
  {
    name: 'list items merge by key',
    type: pod,
    live: two,
    patch: { containers: [{ name: 'b', image: '2' }] },
    want: {
      containers: [
        { name: 'a', image: '1' },
        { name: 'b', image: '2' },
      ],
    },
  },
  {
    name: 'a new item goes before what only the server has',
    type: pod,
    live: two,
    patch: { containers: [{ name: 'c' }] },
    want: { containers: [{ name: 'c' }, { name: 'a', image: '1' }, { name: 'b', image: '1' }] },
  },
  {
    name: '$setElementOrder places patched and server-only items',
    type: pod,
    live: { containers: [{ name: 'a' }, { name: 'sidecar' }, { name: 'b' }] },
    patch: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }], containers: [{ name: 'b', image: '2' }] },
    want: { containers: [{ name: 'sidecar' }, { name: 'b', image: '2' }, { name: 'a' }] },
  },
  {
    name: '$setElementOrder alone reorders',
    type: pod,
    live: two,
    patch: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] },
    want: {
      containers: [
        { name: 'b', image: '1' },
        { name: 'a', image: '1' },
      ],
    },
  },
  {
    name: 'a deletion lets what only the server has go before new items',
    type: pod,
    live: { containers: [{ name: 'old' }, { name: 'sidecar' }] },
    patch: {
      '$setElementOrder/containers': [{ name: 'new' }],
      containers: [{ name: 'new' }, { name: 'old', $patch: 'delete' }],
    },
    want: { containers: [{ name: 'sidecar' }, { name: 'new' }] },
  },
  {
    name: 'directives inside a new item stay, as unknown fields',
    type: pod,
    live: { containers: [] },
    patch: { containers: [{ name: 'a', env: [{ name: 'X', $patch: 'delete' }] }] },
    want: { containers: [{ name: 'a', env: [{ name: 'X', $patch: 'delete' }] }] },
  },
  {
    name: '$patch delete takes an item away',
    type: pod,
    live: two,
    patch: { containers: [{ name: 'a', $patch: 'delete' }] },
    want: { containers: [{ name: 'b', image: '1' }] },
  },
  {
    name: '$patch replace in a list replaces it',
    type: pod,
    live: two,
    patch: { containers: [{ name: 'c', image: '3' }, { $patch: 'replace' }] },
    want: { containers: [{ name: 'c', image: '3' }] },
  },
  {
    name: '$patch replace in a map replaces it',
    type: pod,
    live: { securityContext: { runAsUser: 1, fsGroup: 2 } },
    patch: { securityContext: { $patch: 'replace', runAsUser: 3 } },
    want: { securityContext: { runAsUser: 3 } },
  },
  {
    name: '$patch delete in a map empties it',
    type: pod,
    live: { securityContext: { runAsUser: 1 } },
    patch: { securityContext: { $patch: 'delete' } },
    want: { securityContext: {} },
  },
  {
    name: '$retainKeys drops the other members',
    type: 'apps/v1.DeploymentSpec',
    live: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } },
    patch: { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
    want: { strategy: { type: 'Recreate' } },
  },
  {
    name: 'a volume changes its source by $retainKeys',
    type: pod,
    live: { volumes: [{ name: 'v', emptyDir: {} }] },
    patch: { volumes: [{ $retainKeys: ['name', 'configMap'], name: 'v', configMap: { name: 'm' } }] },
    want: { volumes: [{ name: 'v', configMap: { name: 'm' } }] },
  },
  {
    name: 'lists of primitives unite',
    type: 'meta/v1.ObjectMeta',
    live: { finalizers: ['x/a', 'x/b'] },
    patch: { finalizers: ['x/c', 'x/a'] },
    want: { finalizers: ['x/c', 'x/a', 'x/b'] },
  },
  {
    name: '$deleteFromPrimitiveList takes primitives away',
    type: 'meta/v1.ObjectMeta',
    live: { finalizers: ['x/a', 'x/b', 'x/c'] },
    patch: { '$deleteFromPrimitiveList/finalizers': ['x/b'], '$setElementOrder/finalizers': ['x/c', 'x/a'] },
    want: { finalizers: ['x/c', 'x/a'] },
  },
  {
    name: 'atomic lists are replaced',
    type: pod,
    live: { tolerations: [{ key: 'a' }, { key: 'b' }] },
    patch: { tolerations: [{ key: 'c' }] },
    want: { tolerations: [{ key: 'c' }] },
  },
  {
    name: 'null deletes, also in maps of text',
    type: 'meta/v1.ObjectMeta',
    live: { labels: { a: '1', b: '2' }, annotations: { c: '3' } },
    patch: { labels: { a: null, d: '4' }, annotations: null },
    want: { labels: { b: '2', d: '4' } },
  },
  {
    name: 'nulls in what is new are dropped',
    type: pod,
    live: {},
    patch: { securityContext: { runAsUser: null, fsGroup: 1 } },
    want: { securityContext: { fsGroup: 1 } },
  },
  {
    name: 'ports of a Service merge by number alone, so two protocols collapse',
    type: 'core/v1.ServiceSpec',
    live: { ports: [{ port: 53, protocol: 'TCP', name: 't' }] },
    patch: { ports: [{ port: 53, protocol: 'UDP', name: 'u' }] },
    want: { ports: [{ port: 53, protocol: 'UDP', name: 'u' }] },
  },
  {
    name: 'nested lists merge too',
    type: pod,
    live: {
      containers: [
        {
          name: 'a',
          env: [
            { name: 'X', value: '1' },
            { name: 'Y', value: '2' },
          ],
        },
      ],
    },
    patch: {
      containers: [
        {
          name: 'a',
          env: [
            { name: 'X', $patch: 'delete' },
            { name: 'Y', value: '3' },
          ],
        },
      ],
    },
    want: { containers: [{ name: 'a', env: [{ name: 'Y', value: '3' }] }] },
  },
];

for (const { name, type, live, patch, want } of rows) {
  test(`strategic merge: ${name}`, () => {
    assert.deepEqual(merge(type, live, patch), want);
  });
}

const refusals: { name: string; patch: JsonObject; code: number; message: string }[] = [
  {
    name: 'an item without its key',
    patch: { containers: [{ image: '2' }] },
    code: 500,
    message: 'map: map[image:2] does not contain declared merge key: name',
  },
  {
    name: 'an unknown directive',
    patch: { securityContext: { $patch: 'merge', runAsUser: 1 } },
    code: 500,
    message: 'unknown patch type: merge in map: map[$patch:merge runAsUser:1]',
  },
  {
    name: 'merge of lists',
    patch: { containers: [{ name: 'a', $patch: 'merge' }] },
    code: 500,
    message: 'merging lists cannot yet be specified in the patch',
  },
  {
    name: 'retained keys that leave out a member of the patch',
    patch: { securityContext: { $retainKeys: ['fsGroup'], runAsUser: 1 } },
    code: 400,
    message: 'invalid patch format of retainKeys',
  },
  {
    name: 'an order that is no list',
    patch: { '$setElementOrder/containers': 'a' },
    code: 400,
    message: 'invalid patch format of setElementOrder list',
  },
  {
    name: 'deletions that are no list',
    patch: { '$deleteFromPrimitiveList/tolerations': 'a' },
    code: 400,
    message: 'invalid patch format of primitive list',
  },
];

for (const { name, patch, code, message } of refusals) {
  test(`strategic merge refuses ${name}`, () => {
    assert.throws(() => merge(pod, { ...two, securityContext: {} }, patch), { code, message });
  });
}

test('strategic merge refuses items in another order than the one given', () => {
  const patch = {
    '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }],
    containers: [{ name: 'b' }, { name: 'a' }],
  };
  assert.throws(() => merge(pod, two, patch), /doesn't match \$setElementOrder list/);
});
