import assert from 'node:assert/strict';
import { getArray, getNumber, getObject, getPath, type JsonObject } from '#base/json.ts';
import type { Area, Case } from '../suite/case.ts';
import { versionOf } from '../suite/cluster.ts';
import { includes, refused } from '../suite/expect.ts';
import {
  applied,
  env,
  envEntry,
  envKey,
  fieldsOf,
  owned,
  part,
  resource,
  whole,
  wholeFields,
  without,
} from './apply-vectors.ts';

const seen = 'answer of kube-apiserver 1.33';

const ownership: Case[] = [
  {
    id: 'create',
    title: 'apply of what is not there creates it; the applied fields are owned, leaves only',
    source: seen,
    run: async (k) => {
      const body = whole('create', { labels: { a: 'b' }, finalizers: ['example.com/a'], env });
      const answer = await k.apply(k.at(resource, 'create'), 'm1', body);
      assert.deepEqual([answer.code, getNumber(answer.body, 'metadata', 'generation')], [201, 1]);
      k.later(() => k.patch(k.at(resource, 'create'), { metadata: { finalizers: null } }));
      assert.deepEqual(fieldsOf(answer.body), {
        'm1/Apply': {
          'f:metadata': { 'f:finalizers': { 'v:"example.com/a"': {} }, 'f:labels': { 'f:a': {} } },
          ...wholeFields({ 'f:env': { [envKey('A')]: envEntry, [envKey('B')]: envEntry } }),
        },
      });
    },
  },
  {
    id: 'again',
    title: 'the same apply again changes nothing, not even the version',
    source: seen,
    run: async (k) => {
      await applied(k, 'm1', whole('again'));
      const before = await k.settled(k.at(resource, 'again'));
      assert.equal(versionOf(await applied(k, 'm1', whole('again'))), versionOf(before));
    },
  },
  {
    id: 'conflict',
    title: 'another value for an owned field is a conflict',
    source: seen,
    run: async (k) => {
      await applied(k, 'm1', whole('conflict'));
      refused(await k.apply(k.at(resource, 'conflict'), 'm2', part('conflict', { spec: { replicas: 3 } })), {
        code: 409,
        reason: 'Conflict',
        message: 'Apply failed with 1 conflict: conflict with "m1": .spec.replicas',
        details: {
          causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "m1"', field: '.spec.replicas' }],
        },
      });
    },
  },
  {
    id: 'conflict-update',
    title: 'a conflict with who wrote without apply names the version of the API',
    source: seen,
    run: async (k) => {
      await k.create(`${k.at(resource)}?fieldManager=hand`, whole('updated'));
      refused(await k.apply(k.at(resource, 'updated'), 'm1', part('updated', { spec: { replicas: 3 } })), {
        code: 409,
        reason: 'Conflict',
        message: 'Apply failed with 1 conflict: conflict with "hand" using apps/v1: .spec.replicas',
        details: {
          causes: [
            { reason: 'FieldManagerConflict', message: 'conflict with "hand" using apps/v1', field: '.spec.replicas' },
          ],
        },
      });
    },
  },
  {
    id: 'conflicts-listed',
    title: 'several conflicts are listed by manager',
    source: 'structured-merge-diff: ConflictError; apimachinery: NewConflictError',
    run: async (k) => {
      await applied(k, 'm1', whole('listed', { labels: { a: '1' } }));
      const body = part('listed', { metadata: { name: 'listed', labels: { a: '2' } }, spec: { replicas: 3 } });
      refused(await k.apply(k.at(resource, 'listed'), 'm2', body), {
        code: 409,
        reason: 'Conflict',
        message: 'Apply failed with 2 conflicts: conflicts with "m1":\n- .metadata.labels.a\n- .spec.replicas',
      });
    },
  },
  {
    id: 'force',
    title: 'force takes the field over',
    source: 'kubernetes.io/docs/reference/using-api/server-side-apply: conflicts',
    run: async (k) => {
      await applied(k, 'm1', whole('force'));
      const body = part('force', {
        metadata: { name: 'force', labels: { b: '1' } },
        spec: { paused: true, replicas: 0 },
      });
      await applied(k, 'm1', whole('force', { labels: { b: '2' } }));
      const after = await applied(k, 'm2', body, '&force=true');
      const fields = fieldsOf(after);
      assert.deepEqual(fields['m2/Apply'], {
        'f:metadata': { 'f:labels': { 'f:b': {} } },
        'f:spec': { 'f:paused': {}, 'f:replicas': {} },
      });
      assert.deepEqual(fields['m1/Apply'], wholeFields());
    },
  },
  {
    id: 'shared',
    title: 'the same value is owned together; who drops it leaves it to the other',
    source: seen,
    run: async (k) => {
      const first = whole('shared', { labels: { a: 'b' }, env });
      await applied(k, 'm1', first);
      const other = part('shared', {
        spec: {
          replicas: 0,
          template: { spec: { containers: [{ name: 'c', env: [{ name: 'C', value: '3' }] }] } },
        },
      });
      const both = fieldsOf(await applied(k, 'm2', other));
      assert.deepEqual(both['m2/Apply'], {
        'f:spec': {
          'f:replicas': {},
          'f:template': {
            'f:spec': {
              'f:containers': { 'k:{"name":"c"}': { '.': {}, 'f:env': { [envKey('C')]: envEntry }, 'f:name': {} } },
            },
          },
        },
      });
      const less = without(whole('shared', { env: [{ name: 'B', value: '2' }] }), 'replicas');
      const after = await applied(k, 'm1', less);
      assert.deepEqual([getPath(after, 'spec', 'replicas'), getPath(after, 'metadata', 'labels')], [0, undefined]);
      assert.deepEqual(getPath(after, 'spec', 'template', 'spec', 'containers', 0, 'env'), [
        { name: 'B', value: '2' },
        { name: 'C', value: '3' },
      ]);
      assert.deepEqual(fieldsOf(after)['m1/Apply'], wholeFields({ 'f:env': { [envKey('B')]: envEntry } }, {}));
    },
  },
  {
    id: 'given-up',
    title: 'the last owner drops a field: it is gone, or takes its default again',
    source: seen,
    run: async (k) => {
      await applied(k, 'm1', whole('given-up', { env }));
      await applied(k, 'm2', part('given-up', { spec: { minReadySeconds: 5, revisionHistoryLimit: 3 } }));
      const after = await applied(k, 'm2', part('given-up', {}));
      assert.deepEqual(
        [getPath(after, 'spec', 'minReadySeconds'), getPath(after, 'spec', 'revisionHistoryLimit')],
        [undefined, 10],
      );
      assert.equal(fieldsOf(after)['m2/Apply'], undefined);
    },
  },
  {
    id: 'null',
    title: 'null for a list claims it and leaves it empty',
    source: seen,
    run: async (k) => {
      await applied(k, 'm1', whole('null', { env }));
      const after = await applied(k, 'm1', whole('null', { env: null }));
      assert.equal(getPath(after, 'spec', 'template', 'spec', 'containers', 0, 'env'), undefined);
      assert.deepEqual(fieldsOf(after)['m1/Apply'], wholeFields({ 'f:env': {} }));
    },
  },
  {
    id: 'two-protocols',
    title: 'the same port in TCP and UDP are two items',
    source: seen,
    run: async (k) => {
      const ports = [
        { name: 't', containerPort: 80, protocol: 'TCP' },
        { name: 'u', containerPort: 80, protocol: 'UDP' },
      ];
      const after = await applied(k, 'm1', whole('protocols', { ports }));
      assert.deepEqual(getPath(after, 'spec', 'template', 'spec', 'containers', 0, 'ports'), ports);
      const item = { '.': {}, 'f:containerPort': {}, 'f:name': {}, 'f:protocol': {} };
      const keys = ['TCP', 'UDP'].map((protocol) => [`k:{"containerPort":80,"protocol":"${protocol}"}`, item]);
      assert.deepEqual(fieldsOf(after)['m1/Apply'], wholeFields({ 'f:ports': Object.fromEntries(keys) }));
    },
  },
];

const faults: Case[] = (
  [
    [
      'duplicate-keys',
      'two items of one key',
      whole('faults', { ports: [{ containerPort: 80 }, { containerPort: 80 }] }),
      '?fieldManager=m1',
      {
        code: 500,
        message:
          'failed to create typed patch object (/faults; apps/v1, Kind=Deployment): .spec.template.spec.containers[name="c"].ports: duplicate entries for key [containerPort=80,protocol="TCP"]',
      },
    ],
    [
      'unknown-field',
      'a field that is not in the schema',
      part('faults', { spec: { foo: 1 } }),
      '?fieldManager=m1',
      {
        code: 500,
        message:
          'failed to create typed patch object (/faults; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema',
      },
    ],
    [
      'wrong-type',
      'a text for a number',
      part('faults', { spec: { replicas: 'three' } }),
      '?fieldManager=m1',
      {
        code: 500,
        message:
          'failed to create typed patch object (/faults; apps/v1, Kind=Deployment): .spec.replicas: expected numeric (int or float), got string',
      },
    ],
    [
      'managed-fields',
      'managedFields in the body',
      part('faults', { metadata: { name: 'faults', managedFields: [{ manager: 'x', operation: 'Apply' }] } }),
      '?fieldManager=m1',
      { code: 400, reason: 'BadRequest', message: 'metadata.managedFields must be nil' },
    ],
    [
      'no-manager',
      'no fieldManager',
      part('faults', {}),
      '',
      {
        code: 422,
        reason: 'Invalid',
        message: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      },
    ],
    [
      'other-name',
      'another name than the path',
      part('other', {}),
      '?fieldManager=m1',
      {
        code: 400,
        reason: 'BadRequest',
        message: 'the name of the object (other) does not match the name on the URL (faults)',
      },
    ],
    [
      'stale-version',
      'an older version in the body',
      part('faults', { metadata: { name: 'faults', resourceVersion: '1' }, spec: { paused: true } }),
      '?fieldManager=m1',
      {
        code: 409,
        reason: 'Conflict',
        message:
          'Operation cannot be fulfilled on deployments.apps "faults": the object has been modified; please apply your changes to the latest version and try again',
      },
    ],
  ] satisfies [string, string, JsonObject, string, { code: number; reason?: string; message: string }][]
).map(([id, title, body, query, want]) => ({
  id,
  title: `apply of ${title}`,
  source: seen,
  run: async (k) => {
    if ((await k.get(k.at(resource, 'faults'))).code === 404) await applied(k, 'm0', whole('faults'));
    const answer = await k.patch(k.at(resource, 'faults') + query, body, 'apply');
    refused(answer, want);
  },
}));

const others: Case[] = [
  {
    id: 'update-entries',
    title: 'who writes without apply owns leaves and their parents',
    source: seen,
    run: async (k) => {
      const body = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'updated', labels: { l: '1' } },
        data: { a: '1' },
      };
      const made = await k.create(`${k.at('configmaps')}?fieldManager=maker`, body);
      assert.deepEqual(fieldsOf(made), {
        'maker/Update': { 'f:data': { '.': {}, 'f:a': {} }, 'f:metadata': { 'f:labels': { '.': {}, 'f:l': {} } } },
      });
      const { body: changed } = await k.patch(`${k.at('configmaps', 'updated')}?fieldManager=second`, {
        data: { a: '2', b: '1' },
      });
      const fields = fieldsOf(changed);
      assert.deepEqual(fields['second/Update'], { 'f:data': { 'f:a': {}, 'f:b': {} } });
      assert.equal(getPath(fields['maker/Update'], 'f:data', 'f:a'), undefined);
    },
  },
  {
    id: 'user-agent',
    title: 'without fieldManager the user agent up to its slash is the manager',
    source: 'kubernetes.io/docs/reference/using-api/server-side-apply: managers',
    run: async (k) => {
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'agent' }, data: { a: '1' } };
      const answer = await k.post(k.at('configmaps'), body, { headers: { 'user-agent': 'some-tool/v1.2 (linux)' } });
      assert.deepEqual(Object.keys(owned(answer.body)), ['some-tool/Update']);
    },
  },
  {
    id: 'tracking-off',
    title: 'managedFields set to an empty list end tracking; the next apply starts it with before-first-apply',
    source: seen,
    run: async (k) => {
      const path = k.at('configmaps', 'untracked');
      const made = await k.create(k.at('configmaps'), {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'untracked' },
        data: { a: '1' },
      });
      const metadata = { ...getObject(made, 'metadata'), managedFields: [{}] };
      const { body: bare } = await k.put(path, { ...made, metadata });
      assert.deepEqual(getArray(bare, 'metadata', 'managedFields'), []);
      const { body: after } = await k.apply(path, 'm1', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'untracked' },
        data: { b: '1' },
      });
      assert.deepEqual(fieldsOf(after), {
        'm1/Apply': { 'f:data': { 'f:b': {} } },
        'before-first-apply/Update': { 'f:data': { '.': {}, 'f:a': {} } },
      });
    },
  },
  {
    id: 'scale',
    title: 'the scale subresource has an entry of its own',
    source: seen,
    run: async (k) => {
      await applied(k, 'm1', without(whole('scaled'), 'replicas'));
      const path = k.at(resource, 'scaled', 'scale');
      await k.patch(`${path}?fieldManager=scaler`, { spec: { replicas: 0 } });
      const { body } = await k.get(k.at(resource, 'scaled'));
      assert.deepEqual(fieldsOf(body)['scaler/Update/scale'], { 'f:spec': { 'f:replicas': {} } });
      assert.deepEqual(fieldsOf(body)['m1/Apply'], wholeFields({}, {}));
    },
  },
  {
    id: 'status',
    title: 'a status is applied through its subresource, and owned there',
    source: seen,
    run: async (k) => {
      await applied(k, 'm1', whole('stated'));
      await k.settled(k.at(resource, 'stated'));
      const condition = {
        type: 'Suite',
        status: 'True',
        lastTransitionTime: '2026-01-01T00:00:00Z',
        lastUpdateTime: '2026-01-01T00:00:00Z',
      };
      const body = part('stated', { status: { conditions: [condition] } });
      const answer = await k.apply(k.at(resource, 'stated', 'status'), 'st', body);
      assert.equal(answer.code, 200, answer.text);
      assert.deepEqual(fieldsOf(answer.body)['st/Apply/status'], {
        'f:status': {
          'f:conditions': {
            'k:{"type":"Suite"}': {
              '.': {},
              'f:lastTransitionTime': {},
              'f:lastUpdateTime': {},
              'f:status': {},
              'f:type': {},
            },
          },
        },
      });
    },
  },
  {
    id: 'service-ports',
    title: "the default of a list's key is filled in: a Service port is TCP",
    source: seen,
    run: async (k) => {
      const answer = await k.apply(k.at('services', 'ported'), 'm1', {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'ported' },
        spec: { selector: { a: 'b' }, ports: [{ port: 80 }] },
      });
      assert.deepEqual(
        [answer.code, fieldsOf(answer.body)],
        [
          201,
          {
            'm1/Apply': {
              'f:spec': {
                'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {} } },
                'f:selector': {},
              },
            },
          },
        ],
      );
    },
  },
  {
    id: 'put-ends-apply',
    title: 'PUT of an applied object: the writer owns what it changed, without the parents that apply made',
    source: seen,
    run: async (k) => {
      const body = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'put', annotations: { x: '1' } },
        data: { a: '1', b: '2' },
      };
      await k.apply(k.at('configmaps', 'put'), 'm1', body);
      const put = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'put' }, data: { a: '3' } };
      const answer = await k.put(`${k.at('configmaps', 'put')}?fieldManager=putter`, put);
      assert.deepEqual(fieldsOf(answer.body), { 'putter/Update': { 'f:data': { 'f:a': {} } } });
    },
  },
  {
    id: 'yaml',
    title: 'the applied body may be YAML',
    source: 'kubernetes.io/docs/reference/using-api/server-side-apply',
    run: async (k) => {
      const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n  a: "1"\n';
      const answer = await k.patch(`${k.at('configmaps', 'yaml')}?fieldManager=m1`, body, 'apply');
      assert.equal(answer.code, 201, answer.text);
      includes(answer.body, { data: { a: '1' } });
    },
  },
  {
    id: 'dry-run',
    title: 'a dry run shows the outcome and stores nothing',
    source: seen,
    run: async (k) => {
      const answer = await k.apply(k.at(resource, 'dry'), 'm1', whole('dry'), '&dryRun=All');
      assert.equal(answer.code, 201);
      assert.deepEqual(fieldsOf(answer.body), { 'm1/Apply': wholeFields() });
      assert.equal((await k.get(k.at(resource, 'dry'))).code, 404);
    },
  },
];

export const apply: Area = {
  name: 'apply',
  title: 'Server-side apply',
  cases: [...ownership, ...faults, ...others],
};
