import assert from 'node:assert/strict';
import { getArray, getPath, getString, isObject, type JsonObject } from '#base/json.ts';
import { servedKinds } from '../served-kinds.ts';
import type { Area, Case } from '../suite/case.ts';
import type { Cluster } from '../suite/cluster.ts';
import { configMap, deployment, job, pod, secret, service } from '../suite/objects.ts';

const seen = 'answer of kube-apiserver 1.33';
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

function columnsOf(body: JsonObject): string[] {
  return getArray(body, 'columnDefinitions')
    .filter(isObject)
    .map((column) => {
      const name = `${String(column['name'])}${column['priority'] === 1 ? '*' : ''}`;
      const type = `${String(column['type'])}${column['format'] ? `/${String(column['format'])}` : ''}`;
      return type === 'string' || (type === 'string/name' && column['name'] === 'Name') ? name : `${name}:${type}`;
    });
}

const columns: Case[] = servedKinds
  .filter(({ resource }) => !/^(?:componentstatuses|apiregistration)/.test(resource))
  .map((kind) => ({
    id: `columns-${kind.resource.replaceAll(/[/.]/g, '-')}`,
    title: `columns of ${kind.kind}`,
    source: seen,
    run: async (k) => {
      const path = kind.namespaced ? k.at(kind.resource) : k.everywhere(kind.resource);
      const { body } = await k.get(`${path}?limit=1`, { accept: table });
      assert.deepEqual([body['kind'], body['apiVersion']], ['Table', 'meta.k8s.io/v1']);
      assert.deepEqual(columnsOf(body), [...kind.columns]);
    },
  }));

async function cells(k: Cluster, resource: string, name: string): Promise<unknown[]> {
  const { body } = await k.get(k.at(resource, name), { accept: table });
  return getArray(getArray(body, 'rows')[0], 'cells');
}

interface Row {
  id: string;
  resource: string;
  body: JsonObject;
  want: unknown[];
}

const age = /^\d+(?:s|m\d*s?)$/;
const rowsOf: Row[] = [
  { id: 'config-map', resource: 'configmaps', body: configMap('row', { a: '1', b: '2' }), want: ['row', '2', age] },
  {
    id: 'secret',
    resource: 'secrets',
    body: secret('row', { data: { a: 'Yg==' } }),
    want: ['row', 'Opaque', '1', age],
  },
  {
    id: 'service',
    resource: 'services',
    body: service('row', {
      clusterIP: 'None',
      ports: [
        { name: 'a', port: 80 },
        { name: 'b', port: 53, protocol: 'UDP' },
      ],
    }),
    want: ['row', 'ClusterIP', 'None', '<none>', '80/TCP,53/UDP', age, 'app=row'],
  },
  {
    id: 'service-external-name',
    resource: 'services',
    body: service('row-out', { type: 'ExternalName', externalName: 'example.com', ports: [] }),
    want: ['row-out', 'ExternalName', '<none>', 'example.com', '<none>', age, 'app=row-out'],
  },
  {
    id: 'deployment',
    resource: 'apps/v1/deployments',
    body: deployment('row'),
    want: ['row', '0/0', '0', '0', age, 'main', 'example.com/app:1', 'app=row'],
  },
  {
    id: 'pod',
    resource: 'pods',
    body: pod('row'),
    want: ['row', '0/1', 'Pending', '0', age, '<none>', '<none>', '<none>', '<none>'],
  },
  {
    id: 'ingress',
    resource: 'networking.k8s.io/v1/ingresses',
    body: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'row' },
      spec: {
        ingressClassName: 'suite',
        tls: [{ hosts: ['a.example.com'] }],
        rules: [
          {
            host: 'a.example.com',
            http: {
              paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'a', port: { number: 80 } } } }],
            },
          },
        ],
      },
    },
    // Whether an address comes is the controller's matter.
    want: ['row', 'suite', 'a.example.com', /^(?:|127\.0\.0\.1)$/, '80, 443', age],
  },
  {
    id: 'suspended-job',
    resource: 'batch/v1/jobs',
    body: job('row', { suspend: true }),
    want: [
      'row',
      /^(?:Suspended|Running)$/,
      '0/1',
      '',
      age,
      'main',
      'example.com/job:1',
      /^batch\.kubernetes\.io\/controller-uid=/,
    ],
  },
  {
    id: 'cron-job',
    resource: 'batch/v1/cronjobs',
    body: {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'row' },
      spec: { schedule: '0 0 1 1 *', suspend: true, jobTemplate: { spec: job('x')['spec'] } },
    },
    want: ['row', '0 0 1 1 *', '<none>', 'True', 0, '<none>', age, 'main', 'example.com/job:1', '<none>'],
  },
  {
    id: 'autoscaler',
    resource: 'autoscaling/v2/horizontalpodautoscalers',
    body: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'row' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'absent' },
        minReplicas: 2,
        maxReplicas: 3,
      },
    },
    want: ['row', 'Deployment/absent', 'cpu: <unknown>/80%', '2', '3', '0', age],
  },
  {
    id: 'disruption-budget',
    resource: 'policy/v1/poddisruptionbudgets',
    body: {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'row' },
      spec: { maxUnavailable: '30%', selector: { matchLabels: { app: 'row' } } },
    },
    want: ['row', 'N/A', '30%', 0, age],
  },
  {
    id: 'network-policy',
    resource: 'networking.k8s.io/v1/networkpolicies',
    body: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'row' },
      spec: { podSelector: { matchLabels: { a: 'b' } } },
    },
    want: ['row', 'a=b', age],
  },
  {
    id: 'role-binding',
    resource: 'rbac.authorization.k8s.io/v1/rolebindings',
    body: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'row' },
      subjects: [
        { kind: 'User', name: 'u', apiGroup: 'rbac.authorization.k8s.io' },
        { kind: 'ServiceAccount', name: 's', namespace: 'n' },
      ],
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    },
    want: ['row', 'ClusterRole/view', age, 'u', '', 'n/s'],
  },
];

/** As kubectl prints them: whether a number is sent as number or text shows nowhere. */
function matches(have: unknown[], want: unknown[]): void {
  const shown = have.map((cell, index) => {
    const wanted = want[index];
    return wanted instanceof RegExp && wanted.test(String(cell)) ? wanted : String(cell);
  });
  assert.deepEqual(
    shown,
    want.map((cell) => (cell instanceof RegExp ? cell : String(cell))),
  );
}

const rows: Case[] = rowsOf.map(({ id, resource, body, want }) => ({
  id: `row-${id}`,
  title: `cells of a ${getString(body, 'kind')}`,
  source: 'kubernetes: pkg/printers/internalversion',
  run: async (k) => {
    await k.create(k.at(resource), body);
    matches(await cells(k, resource, getString(body, 'metadata', 'name') ?? ''), want);
  },
}));

const shape: Case[] = [
  {
    id: 'row-object',
    title: 'includeObject: Metadata is the default, None and Object are the others',
    source: 'kubernetes.io/docs/reference/using-api/api-concepts: tables',
    run: async (k) => {
      await k.create(k.at('configmaps'), configMap('included', { a: '1' }));
      const show = async (query: string) =>
        getPath((await k.get(k.at('configmaps', 'included') + query, { accept: table })).body, 'rows', 0, 'object');
      const [metadata, none, object] = [
        await show(''),
        await show('?includeObject=None'),
        await show('?includeObject=Object'),
      ];
      assert.deepEqual(
        [getString(metadata, 'kind'), getString(metadata, 'metadata', 'name'), getPath(metadata, 'data')],
        ['PartialObjectMetadata', 'included', undefined],
      );
      assert.equal(none ?? null, null);
      assert.deepEqual([getString(object, 'kind'), getPath(object, 'data')], ['ConfigMap', { a: '1' }]);
    },
  },
  {
    id: 'numbers',
    title: 'counts are numbers, also in columns of type string',
    source: 'kubernetes: pkg/printers/internalversion',
    run: async (k) => {
      await k.create(k.at('configmaps'), configMap('counted', { a: '1', b: '2' }));
      await k.create(k.at('apps/v1/deployments'), deployment('counted'));
      assert.deepEqual((await cells(k, 'configmaps', 'counted')).slice(0, 2), ['counted', 2]);
      assert.deepEqual((await cells(k, 'apps/v1/deployments', 'counted')).slice(0, 4), ['counted', '0/0', 0, 0]);
    },
  },
  {
    id: 'pod-states',
    title: "a Pod's status column tells what its containers say",
    source: 'kubernetes: pkg/printers/internalversion',
    run: async (k) => {
      await k.create(k.at('pods'), pod('told'));
      const container = (state: JsonObject, more: JsonObject = {}) => ({
        phase: 'Running',
        containerStatuses: [{ name: 'main', image: 'x', imageID: '', ready: false, restartCount: 0, state, ...more }],
      });
      const states: [JsonObject, unknown[]][] = [
        [container({ waiting: { reason: 'ImagePullBackOff' } }), ['0/1', 'ImagePullBackOff', '0']],
        [container({ running: { startedAt: '2026-01-01T00:00:00Z' } }, { ready: true }), ['1/1', 'Running', '0']],
        [container({ terminated: { exitCode: 3 } }), ['0/1', 'ExitCode:3', '0']],
        [container({ terminated: { exitCode: 137, reason: 'OOMKilled' } }), ['0/1', 'OOMKilled', '0']],
      ];
      for (const [status, want] of states) {
        const answer = await k.patch(k.at('pods', 'told', 'status'), { status });
        assert.equal(answer.code, 200, answer.text);
        assert.deepEqual((await cells(k, 'pods', 'told')).slice(1, 4), want);
      }
    },
  },
];

export const tables: Area = {
  name: 'tables',
  title: 'Tables: columns and cells',
  cases: [...shape, ...rows, ...columns],
};
