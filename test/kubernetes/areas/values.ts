import assert from 'node:assert/strict';
import { getArray, getObject, getPath, getString, isObject, type JsonObject } from '#base/json.ts';
import { mergeRules } from '../merge-rules.ts';
import type { Area, Case } from '../suite/case.ts';
import type { Cluster } from '../suite/cluster.ts';
import { refused } from '../suite/expect.ts';
import { claim, configMap, pod } from '../suite/objects.ts';

const quantitySource = 'apimachinery: Quantity, canonical form';

const quantities: [sent: string | number, stored: string][] = [
  ['0.5', '500m'],
  [0.5, '500m'],
  [2, '2'],
  ['1000m', '1'],
  ['1500m', '1500m'],
  ['1024Mi', '1Gi'],
  ['1.5Gi', '1536Mi'],
  ['1000k', '1M'],
  ['100M', '100M'],
  ['128974848', '128974848'],
  ['129e6', '129e6'],
  ['0', '0'],
];

const stored: Case[] = [
  {
    id: 'quantities',
    title: 'quantities are stored in canonical form',
    source: quantitySource,
    run: async (k) => {
      const containers = quantities.map(([memory], index) => ({
        name: `c${index}`,
        image: 'x:1',
        resources: { limits: { memory } },
      }));
      const answer = await k.post(`${k.at('pods')}?dryRun=All`, pod('quantities', { containers }));
      assert.equal(answer.code, 201, answer.text);
      const stored = getArray(answer.body, 'spec', 'containers').map((item) =>
        getString(item, 'resources', 'limits', 'memory'),
      );
      assert.deepEqual(
        stored,
        quantities.map(([, want]) => want),
      );
    },
  },
  {
    id: 'quantity-no-change',
    title: 'the same quantity in another form is no change of a claim',
    source: quantitySource,
    run: async (k) => {
      await k.create(k.at('persistentvolumeclaims'), claim('same'));
      const { code, body } = await k.patch(k.at('persistentvolumeclaims', 'same'), {
        spec: { resources: { requests: { storage: '1024Mi' } } },
      });
      assert.deepEqual([code, getPath(body, 'spec', 'resources', 'requests', 'storage')], [200, '1Gi']);
    },
  },
  {
    id: 'times',
    title: 'times are in whole seconds of UTC, MicroTime in microseconds',
    source: 'apimachinery: Time, MicroTime',
    run: async (k) => {
      const event = {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: 'timed' },
        involvedObject: { kind: 'Pod', name: 'p', namespace: k.namespace },
        firstTimestamp: '2026-01-01T02:00:00+02:00',
        lastTimestamp: '2026-01-01T00:00:00.9Z',
      };
      const made = await k.create(k.at('events'), event);
      assert.deepEqual(
        [made['firstTimestamp'], made['lastTimestamp']],
        ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
      );
      const lease = await k.create(k.at('coordination.k8s.io/v1/leases'), {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'timed' },
        spec: { renewTime: '2026-01-01T01:00:00.500000+01:00' },
      });
      assert.equal(getPath(lease, 'spec', 'renewTime'), '2026-01-01T00:00:00.500000Z');
    },
  },
  {
    id: 'yaml-booleans',
    title: 'a YAML body is read as YAML 1.1: yes is a boolean, 010 is eight',
    source: 'sigs.k8s.io/yaml',
    run: async (k) => {
      const yaml = { type: 'application/yaml' };
      const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: truths\ndata:\n  a: yes\n';
      refused(await k.post(k.at('configmaps'), body, yaml), {
        code: 400,
        reason: 'BadRequest',
        message: /cannot unmarshal bool into Go struct field ConfigMap\.data of type string$/,
      });
      const octal =
        'apiVersion: apps/v1\nkind: ReplicaSet\nmetadata:\n  name: octal\nspec:\n  replicas: 010\n  selector:\n    matchLabels: {a: b}\n  template:\n    metadata:\n      labels: {a: b}\n    spec:\n      containers: [{name: c, image: x}]\n';
      const answer = await k.post(`${k.at('apps/v1/replicasets')}?dryRun=All`, octal, yaml);
      assert.deepEqual([answer.code, getPath(answer.body, 'spec', 'replicas')], [201, 8], answer.text);
    },
  },
  {
    id: 'empty-dropped',
    title: 'empty maps and lists are dropped where Go omits them',
    source: 'object stored by kube-apiserver 1.33',
    run: async (k) => {
      const made = await k.create(k.at('configmaps'), {
        ...configMap('empty'),
        metadata: { name: 'empty', labels: {}, annotations: {}, finalizers: [] },
      });
      const metadata = getObject(made, 'metadata');
      assert.deepEqual(
        [made['data'], metadata['labels'], metadata['annotations'], metadata['finalizers']],
        [undefined, undefined, undefined, undefined],
      );
    },
  },
];

async function builtinSchemas(k: Cluster): Promise<Map<string, JsonObject>> {
  const root = getObject((await k.get('/openapi/v3')).body, 'paths');
  const groups = [
    'api/v1',
    ...[
      'apps',
      'batch',
      'networking.k8s.io',
      'policy',
      'rbac.authorization.k8s.io',
      'storage.k8s.io',
      'admissionregistration.k8s.io',
      'discovery.k8s.io',
      'coordination.k8s.io',
    ].map((group) => `apis/${group}/v1`),
    'apis/autoscaling/v2',
  ];
  const schemas = new Map<string, JsonObject>();
  for (const group of groups) {
    const { body } = await k.get(getString(root, group, 'serverRelativeURL') ?? '');
    for (const [name, schema] of Object.entries(getObject(body, 'components', 'schemas')))
      if (isObject(schema)) schemas.set(name.replace(/^io\.k8s\.api\./, ''), schema);
  }
  return schemas;
}

const merging: Case[] = [
  {
    id: 'merge-rules',
    title: 'OpenAPI tells how every list merges: strategy, merge key, list type, keys',
    source: 'OpenAPI document of kube-apiserver 1.33',
    run: async (k) => {
      const schemas = await builtinSchemas(k);
      const wrong: string[] = [];
      let seen = 0;
      for (const line of mergeRules.trim().split('\n')) {
        const [type = '', field = ''] = line.split(' ');
        const schema = schemas.get(type);
        if (schema === undefined) continue;
        seen += 1;
        const told = getObject(schema, 'properties', field);
        const word = (name: string) => String(told[`x-kubernetes-${name}`] ?? '-');
        const have = [
          type,
          field,
          word('patch-strategy'),
          word('patch-merge-key'),
          word('list-type'),
          word('list-map-keys'),
        ].join(' ');
        if (have !== line) wrong.push(`${have} (real: ${line})`);
      }
      assert.deepEqual(wrong, []);
      assert.ok(seen > 50, `${seen} rules were looked at`);
    },
  },
];

export const values: Area = {
  name: 'values',
  title: 'Quantities, times, merge rules',
  cases: [...stored, ...merging],
};
