import assert from 'node:assert/strict';
import { getPath, getString, isObject, type JsonObject } from '#base/json.ts';
import type { Area, Case } from '../suite/case.ts';
import { type Cluster, versionOf } from '../suite/cluster.ts';
import { refused } from '../suite/expect.ts';
import { configMap, deployment, service, template } from '../suite/objects.ts';

const docs = 'kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch';
const strategicSource = 'apimachinery: strategicpatch';
const resource = 'apps/v1/deployments';

interface Strategic {
  id: string;
  title: string;
  /** Of the pod template's spec, before. */
  spec: JsonObject;
  patch: JsonObject;
  /** Read below the template's spec; only what is named here is compared. */
  want: Record<string, unknown>;
}

const containers = [
  {
    name: 'main',
    image: 'a:1',
    env: [
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ],
  },
  { name: 'side', image: 'b:1' },
];
const names = (list: unknown): unknown => (Array.isArray(list) ? list.map((item) => getString(item, 'name')) : list);

const merges: Strategic[] = [
  {
    id: 'by-name',
    title: 'containers merge by name',
    spec: { containers },
    patch: { containers: [{ name: 'side', image: 'b:2' }] },
    want: { 'containers.0.image': 'a:1', 'containers.1.image': 'b:2', 'containers.0.env.1.name': 'B' },
  },
  {
    id: 'added-last',
    title: 'a new item comes where the order says',
    spec: { containers },
    patch: {
      '$setElementOrder/containers': [{ name: 'new' }, { name: 'main' }, { name: 'side' }],
      containers: [{ name: 'new', image: 'c:1' }],
    },
    want: { 'containers.0.name': 'new', 'containers.1.name': 'main', 'containers.2.name': 'side' },
  },
  {
    id: 'delete-item',
    title: '$patch: delete takes one item away',
    spec: { containers },
    patch: { containers: [{ name: 'side', $patch: 'delete' }] },
    want: { 'containers.0.name': 'main', 'containers.1': undefined },
  },
  {
    id: 'replace-list',
    title: '$patch: replace in a list replaces all of it',
    spec: { containers },
    patch: { containers: [{ $patch: 'replace' }, { name: 'only', image: 'd:1' }] },
    want: { 'containers.0.name': 'only', 'containers.1': undefined },
  },
  {
    id: 'replace-map',
    title: '$patch: replace in a map replaces all of it',
    spec: { containers, nodeSelector: { a: '1', b: '2' } },
    patch: { nodeSelector: { $patch: 'replace', c: '3' } },
    want: { nodeSelector: { c: '3' } },
  },
  {
    id: 'retain-keys',
    title: '$retainKeys leaves only the keys it names',
    spec: { containers, volumes: [{ name: 'v', emptyDir: {} }] },
    patch: { volumes: [{ $retainKeys: ['name', 'configMap'], name: 'v', configMap: { name: 'c' } }] },
    want: { 'volumes.0': { name: 'v', configMap: { name: 'c', defaultMode: 420 } }, 'volumes.1': undefined },
  },
  {
    id: 'null-deletes',
    title: 'null deletes a field',
    spec: { containers, nodeSelector: { a: '1', b: '2' } },
    patch: { nodeSelector: { a: null } },
    want: { nodeSelector: { b: '2' } },
  },
  {
    id: 'env-in-container',
    title: 'env merges by name inside its container, and goes by $patch: delete',
    spec: { containers },
    patch: {
      containers: [
        {
          name: 'main',
          env: [
            { name: 'A', $patch: 'delete' },
            { name: 'C', value: '3' },
          ],
        },
      ],
    },
    want: { 'containers.0.env': new Set(['B', 'C']) },
  },
  {
    id: 'tolerations-whole',
    title: 'tolerations are replaced as a whole',
    spec: { containers, tolerations: [{ key: 'a', operator: 'Exists' }] },
    patch: { tolerations: [{ key: 'b', operator: 'Exists' }] },
    want: { tolerations: [{ key: 'b', operator: 'Exists' }] },
  },
  {
    id: 'host-aliases',
    title: 'hostAliases merge by ip',
    spec: { containers, hostAliases: [{ ip: '10.0.0.1', hostnames: ['a'] }] },
    patch: { hostAliases: [{ ip: '10.0.0.2', hostnames: ['b'] }] },
    want: { 'hostAliases.1.ip': '10.0.0.1' },
  },
];

function at(value: unknown, path: string): unknown {
  return getPath(value, ...path.split('.').map((key) => (/^\d+$/.test(key) ? Number(key) : key)));
}

const strategic: Case[] = merges.map(({ id, title, spec, patch, want }) => ({
  id: `strategic-${id}`,
  title,
  source: strategicSource,
  run: async (k) => {
    const path = await madeWith(k, `s-${id}`, spec);
    const answer = await k.patch(path, { spec: { template: { spec: patch } } }, 'strategic');
    assert.equal(answer.code, 200, answer.text);
    const have = getPath(answer.body, 'spec', 'template', 'spec');
    for (const [key, value] of Object.entries(want)) {
      if (value instanceof Set) {
        const listed = names(at(have, key));
        assert.deepEqual(new Set(Array.isArray(listed) ? listed : []), value, key);
      } else assert.deepEqual(at(have, key), value, key);
    }
  },
}));

async function madeWith(k: Cluster, name: string, spec: JsonObject): Promise<string> {
  await k.create(k.at(resource), deployment(name, { template: template({ app: name }, spec) }));
  return k.at(resource, name);
}

const more: Case[] = [
  {
    id: 'strategic-primitive-list',
    title: '$deleteFromPrimitiveList takes values out of a set, and a value is added by naming it',
    source: strategicSource,
    run: async (k) => {
      const path = k.at('configmaps', 'set');
      await k.create(k.at('configmaps'), configMap('set', {}, { finalizers: ['example.com/a', 'example.com/b'] }));
      const patch = {
        metadata: { '$deleteFromPrimitiveList/finalizers': ['example.com/a'], finalizers: ['example.com/c'] },
      };
      const { body } = await k.patch(path, patch, 'strategic');
      const left = getPath(body, 'metadata', 'finalizers');
      await k.patch(path, { metadata: { finalizers: null } });
      assert.deepEqual(new Set(Array.isArray(left) ? left : []), new Set(['example.com/b', 'example.com/c']));
    },
  },
  {
    id: 'strategic-service-ports',
    title: "a Service's ports merge by port number",
    source: strategicSource,
    run: async (k) => {
      await k.create(
        k.at('services'),
        service('ports', {
          ports: [
            { name: 'a', port: 80 },
            { name: 'b', port: 81 },
          ],
        }),
      );
      const patch = { spec: { ports: [{ port: 81, targetPort: 8081 }] } };
      const { body } = await k.patch(k.at('services', 'ports'), patch, 'strategic');
      const ports = getPath(body, 'spec', 'ports');
      const have = Array.isArray(ports) ? ports.filter(isObject).map((port) => [port['name'], port['targetPort']]) : [];
      assert.deepEqual(
        new Map(have.map(([name, target]) => [name, target])),
        new Map([
          ['a', 80],
          ['b', 8081],
        ]),
      );
    },
  },
  {
    id: 'strategic-config-map',
    title: 'a map merges key by key',
    source: docs,
    run: async (k) => {
      await k.create(k.at('configmaps'), configMap('keys', { a: '1', b: '2' }));
      const { body } = await k.patch(k.at('configmaps', 'keys'), { data: { b: null, c: '3' } }, 'strategic');
      assert.deepEqual(body['data'], { a: '1', c: '3' });
    },
  },
  {
    id: 'merge',
    title: 'a merge patch replaces lists and deletes with null',
    source: 'RFC 7386',
    run: async (k) => {
      const path = await madeWith(k, 'merged', { containers });
      const patch = {
        spec: { minReadySeconds: 3, template: { spec: { containers: [{ name: 'one', image: 'x:1' }] } } },
      };
      const { body } = await k.patch(path, patch);
      assert.equal(getPath(body, 'spec', 'template', 'spec', 'containers', 1), undefined);
      const { body: less } = await k.patch(path, { spec: { minReadySeconds: null } });
      assert.equal(getPath(less, 'spec', 'minReadySeconds'), undefined);
    },
  },
  {
    id: 'json',
    title: 'a JSON patch: test, add, replace, copy, move, remove in order',
    source: 'RFC 6902',
    run: async (k) => {
      await k.create(k.at('configmaps'), configMap('steps', { a: '1', b: '2', c: '3' }));
      const steps = [
        { op: 'test', path: '/data/a', value: '1' },
        { op: 'add', path: '/data/d', value: '4' },
        { op: 'replace', path: '/data/a', value: '5' },
        { op: 'copy', from: '/data/a', path: '/data/f' },
        { op: 'move', from: '/data/b', path: '/data/g' },
        { op: 'remove', path: '/data/c' },
      ];
      const { body } = await k.patch(k.at('configmaps', 'steps'), steps, 'json');
      assert.deepEqual(body['data'], { a: '5', d: '4', f: '5', g: '2' });
    },
  },
  {
    id: 'json-labels',
    title: 'a JSON patch reaches keys with a slash by ~1, and the end of a list by -',
    source: 'RFC 6901',
    run: async (k) => {
      const path = await madeWith(k, 'pointers', { containers });
      const { body } = await k.patch(
        path,
        [
          { op: 'add', path: '/metadata/labels', value: {} },
          { op: 'add', path: '/metadata/labels/example.com~1a', value: 'x' },
          { op: 'add', path: '/spec/template/spec/containers/-', value: { name: 'last', image: 'z:1' } },
          { op: 'remove', path: '/spec/template/spec/containers/1' },
        ],
        'json',
      );
      assert.deepEqual(getPath(body, 'metadata', 'labels'), { 'example.com/a': 'x' });
      assert.deepEqual(names(getPath(body, 'spec', 'template', 'spec', 'containers')), ['main', 'last']);
    },
  },
  {
    id: 'json-no-list',
    title: 'a JSON patch that is no list is refused',
    source: 'RFC 6902',
    run: async (k) => {
      await k.create(k.at('configmaps'), configMap('no-list'));
      assert.equal((await k.patch(k.at('configmaps', 'no-list'), { op: 'add' }, 'json')).code, 400);
    },
  },
  {
    id: 'generation',
    title: 'generation counts changes of the spec, not of labels',
    source: 'answer of kube-apiserver 1.33',
    run: async (k) => {
      const path = await madeWith(k, 'counted', { containers });
      const labelled = await k.patch(path, { metadata: { labels: { a: '1' } } });
      const changed = await k.patch(path, { spec: { minReadySeconds: 1 } });
      const again = await k.patch(path, { spec: { minReadySeconds: 1 } });
      assert.deepEqual(
        [labelled, changed, again].map((answer) => getPath(answer.body, 'metadata', 'generation')),
        [1, 2, 2],
      );
    },
  },
  {
    id: 'no-generation',
    title: 'Services, ConfigMaps and Roles have no generation',
    source: 'answer of kube-apiserver 1.33',
    run: async (k) => {
      const made = [
        await k.create(k.at('services'), service('unnumbered')),
        await k.create(k.at('configmaps'), configMap('unnumbered')),
        await k.create(k.at('rbac.authorization.k8s.io/v1/roles'), {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'Role',
          metadata: { name: 'unnumbered' },
          rules: [],
        }),
      ];
      assert.deepEqual(
        made.map((object) => getPath(object, 'metadata', 'generation')),
        [undefined, undefined, undefined],
      );
    },
  },
  {
    id: 'status-through-main',
    title: 'the status in a patch of the object itself is not taken',
    source: 'kubernetes.io/docs/reference/using-api/api-concepts: status subresource',
    run: async (k) => {
      const path = await madeWith(k, 'main', { containers });
      await k.patch(path, { status: { readyReplicas: 7 } });
      assert.equal(getPath(await k.settled(path), 'status', 'readyReplicas'), undefined);
    },
  },
  {
    id: 'system-fields',
    title: 'uid, creation time and generation are not changed by who asks',
    source: 'kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta',
    run: async (k) => {
      const made = await k.create(k.at('configmaps'), configMap('system'));
      const metadata = { creationTimestamp: '2001-01-01T00:00:00Z', selfLink: '/x' };
      const { body } = await k.patch(k.at('configmaps', 'system'), { metadata });
      assert.equal(getPath(body, 'metadata', 'creationTimestamp'), getPath(made, 'metadata', 'creationTimestamp'));
      assert.equal(versionOf(body), versionOf(made));
    },
  },
  {
    id: 'unknown-strict',
    title: 'a patch with an unknown field is refused under Strict',
    source: 'answer of kube-apiserver 1.33',
    run: async (k) => {
      const path = await madeWith(k, 'strict', { containers });
      const answer = await k.patch(`${path}?fieldValidation=Strict`, { spec: { foo: 1 } });
      refused(answer, {
        code: 422,
        reason: 'Invalid',
        message: /^ "" is invalid: patch: Invalid value: ".*": strict decoding error: unknown field "spec\.foo"$/s,
      });
    },
  },
];

export const patching: Area = {
  name: 'patching',
  title: 'JSON patch, merge patch, strategic merge patch',
  cases: [...strategic, ...more],
};
