import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseYamlDocuments } from '#base/yaml.ts';
import type { KubeObject } from '#kube/port.ts';
import { builtinTypeKnowledge } from '#main/type-knowledge.ts';
import type { Application } from '#model/argocd/application.ts';
import { defaultSettings } from '#model/argocd/settings.ts';
import { diffObject } from './object-diff.ts';

const types = builtinTypeKnowledge();
const read = (text: string) => parseYamlDocuments(text, 'a test')[0] as KubeObject;

interface Row {
  name: string;
  desired: string;
  live: string;
  /** What was last applied by client-side apply, when it was not the desired object. */
  applied?: string;
  serverSide?: boolean;
  application?: Partial<Application['spec']>;
  settings?: Partial<typeof defaultSettings>;
  want: boolean;
}

const head = (kind: string, apiVersion = 'v1') =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a, namespace: shop}\n`;
const deployment = (containers: string, rest = '') =>
  `${head('Deployment', 'apps/v1')}spec:\n  selector: {matchLabels: {app: a}}\n${rest}  template: {metadata: {labels: {app: a}}, spec: {containers: ${containers}}}\n`;
const customResource = (spec: string) => `${head('Widget', 'example.com/v1')}spec: ${spec}\n`;
const owned = (object: string, fields: string) =>
  object.replace(
    'namespace: shop}',
    `namespace: shop, managedFields: [{manager: argocd-controller, operation: Apply, apiVersion: apps/v1, fieldsType: FieldsV1, fieldsV1: ${fields}}]}`,
  );

const rows: Row[] = [
  {
    name: 'quantities, defaults and int-or-strings of built-in kinds',
    desired: deployment(
      '[{name: a, image: i, resources: {limits: {cpu: 1000m, memory: 1024Mi}}, ports: [{containerPort: 80}]}]',
    ),
    live: deployment(
      '[{name: a, image: i, imagePullPolicy: Always, resources: {limits: {cpu: "1", memory: 1Gi}}, ports: [{containerPort: 80, protocol: TCP}]}]',
      '  replicas: 1\n  revisionHistoryLimit: 10\n',
    ),
    want: false,
  },
  {
    name: 'another replica count',
    desired: deployment('[{name: a, image: i}]', '  replicas: 2\n'),
    live: deployment('[{name: a, image: i}]', '  replicas: 1\n'),
    want: true,
  },
  {
    name: 'what only the server has',
    desired: `${head('ConfigMap')}data: {a: "1"}`,
    live: `${head('ConfigMap')}data: {a: "1", b: "2"}`,
    want: false,
  },
  {
    name: 'what the last apply had and this one has not',
    desired: `${head('ConfigMap')}data: {a: "1"}`,
    live: `${head('ConfigMap')}data: {a: "1", b: "2"}`,
    applied: `${head('ConfigMap')}data: {a: "1", b: "2"}`,
    want: true,
  },
  {
    name: 'a sidecar that somebody put in',
    desired: deployment('[{name: a, image: i}]'),
    live: deployment('[{name: a, image: i}, {name: proxy, image: p}]'),
    want: false,
  },
  {
    name: 'a container that is no longer wanted',
    desired: deployment('[{name: a, image: i}]'),
    live: deployment('[{name: a, image: i}, {name: b, image: p}]'),
    applied: deployment('[{name: a, image: i}, {name: b, image: p}]'),
    want: true,
  },
  {
    name: 'another order of containers',
    desired: deployment('[{name: a, image: i}, {name: b, image: p}]'),
    live: deployment('[{name: b, image: p}, {name: a, image: i}]'),
    want: true,
  },
  {
    name: 'two environment entries of one name',
    desired: deployment('[{name: a, image: i, env: [{name: X, value: "1"}, {name: X, value: "2"}]}]'),
    live: deployment('[{name: a, image: i, env: [{name: X, value: "1"}, {name: X, value: "2"}]}]'),
    want: false,
  },
  {
    name: 'two ports of one number',
    desired: deployment('[{name: a, image: i, ports: [{name: x, containerPort: 80}, {name: y, containerPort: 80}]}]'),
    live: deployment(
      '[{name: a, image: i, ports: [{name: x, containerPort: 80, protocol: TCP}, {name: y, containerPort: 80, protocol: TCP}]}]',
    ),
    want: false,
  },
  {
    name: 'a strategy that loses its parameters',
    desired: deployment('[{name: a, image: i}]', '  strategy: {type: Recreate}\n'),
    live: deployment('[{name: a, image: i}]', '  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}\n'),
    want: true,
  },
  {
    name: 'a field that the kind does not have',
    desired: `${head('ConfigMap')}data: {a: "1"}\nnoSuch: x`,
    live: `${head('ConfigMap')}data: {a: "1"}`,
    want: true,
  },
  {
    name: 'stringData as data',
    desired: `${head('Secret')}stringData: {a: x}`,
    live: `${head('Secret')}data: {a: eA==}\ntype: Opaque`,
    want: false,
  },
  {
    name: 'null data',
    desired: `${head('Secret')}data: {a: null}`,
    live: `${head('Secret')}data: {a: ""}\ntype: Opaque`,
    want: false,
  },
  {
    name: 'nulls and empty values',
    desired: deployment('[{name: a, image: i, env: [], securityContext: null}]'),
    live: deployment('[{name: a, image: i}]'),
    want: false,
  },
  {
    name: 'empty rules',
    desired: `${head('Role', 'rbac.authorization.k8s.io/v1')}rules: []`,
    live: `${head('Role', 'rbac.authorization.k8s.io/v1')}rules: null`,
    want: false,
  },
  {
    name: 'a status in Git',
    desired: `${customResource('{a: 1}')}status: {x: 1}`,
    live: `${customResource('{a: 1}')}status: {x: 2}`,
    want: false,
  },
  {
    name: 'a status in Git that is to count',
    desired: `${customResource('{a: 1}')}status: {x: 1}`,
    live: `${customResource('{a: 1}')}status: {x: 2}`,
    settings: { compare: { ...defaultSettings.compare, ignoreStatus: 'crd' } },
    want: true,
  },
  {
    name: 'a custom resource with fields that its server filled in',
    desired: customResource('{list: [{a: 1}]}'),
    live: customResource('{list: [{a: 1, b: 2}], c: 3}'),
    want: false,
  },
  {
    name: 'a custom resource whose list has one more',
    desired: customResource('{list: [{a: 1}]}'),
    live: customResource('{list: [{a: 1}, {a: 2}]}'),
    want: true,
  },
  {
    name: 'a known type in a custom resource',
    desired: customResource('{resources: {limits: {cpu: 1000m}}, size: 1024Mi}'),
    live: customResource('{resources: {limits: {cpu: "1"}}, size: 1Gi}'),
    settings: {
      customizations: [
        {
          group: 'example.com',
          kind: 'Widget',
          knownTypeFields: [
            { field: 'spec.resources', type: 'core/v1/ResourceRequirements' },
            { field: 'spec.size', type: 'core/Quantity' },
          ],
        },
      ],
    },
    want: false,
  },
  {
    name: 'a pod of a Rollout, without being told',
    desired: `${head('Rollout', 'argoproj.io/v1alpha1')}spec: {template: {spec: {containers: [{name: a, resources: {limits: {cpu: 1000m}}}]}}}`,
    live: `${head('Rollout', 'argoproj.io/v1alpha1')}spec: {template: {spec: {containers: [{name: a, resources: {limits: {cpu: "1"}}}]}}}`,
    want: false,
  },
  {
    name: 'claim templates with what the server fills in',
    desired: `${head('StatefulSet', 'apps/v1')}spec: {serviceName: a, volumeClaimTemplates: [{metadata: {name: d}, spec: {resources: {requests: {storage: 1024Mi}}}}]}`,
    live: `${head('StatefulSet', 'apps/v1')}spec: {serviceName: a, volumeClaimTemplates: [{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: d}, spec: {volumeMode: Filesystem, resources: {requests: {storage: 1Gi}}}, status: {phase: Pending}}]}`,
    want: false,
  },
  {
    name: 'ignoreDifferences of the application',
    desired: deployment('[{name: a, image: i}]', '  replicas: 2\n'),
    live: deployment('[{name: a, image: j}]', '  replicas: 1\n').replace(
      'namespace: shop}',
      'namespace: shop, annotations: {argocd.argoproj.io/tracking-id: "app:apps/Deployment:shop/a"}}',
    ),
    application: {
      ignoreDifferences: [
        {
          group: 'apps',
          kind: 'Deployment',
          jsonPointers: ['/spec/replicas'],
          jqPathExpressions: ['.spec.template.spec.containers[].image'],
        },
      ],
    },
    want: false,
  },
  {
    name: 'aggregated rules that are to be ignored',
    desired: `${head('ClusterRole', 'rbac.authorization.k8s.io/v1')}aggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}\nrules: []`,
    live: `${head('ClusterRole', 'rbac.authorization.k8s.io/v1')}aggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}\nrules: [{apiGroups: [""], resources: [pods], verbs: [get]}]`,
    settings: { compare: { ...defaultSettings.compare, ignoreAggregatedRoles: true } },
    want: false,
  },
  {
    name: 'server-side apply: a field that it owned and no longer says',
    desired: deployment('[{name: a, image: i}]'),
    live: owned(
      deployment('[{name: a, image: i, env: [{name: X, value: x}]}]'),
      '{"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\\"name\\":\\"a\\"}": {"f:env": {"k:{\\"name\\":\\"X\\"}": {".": {}, "f:name": {}, "f:value": {}}}}}}}}}',
    ),
    serverSide: true,
    want: true,
  },
  {
    name: 'server-side apply: a field of somebody else',
    desired: deployment('[{name: a, image: i}]'),
    live: deployment('[{name: a, image: i, env: [{name: X, value: x}]}]'),
    serverSide: true,
    want: false,
  },
];
for (const { name, desired, live, applied, serverSide, application, settings, want } of rows)
  test(`without a server: ${name}`, () => {
    const there = read(live);
    if (applied !== undefined)
      there.metadata.annotations = {
        'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(read(applied)),
      };
    const spec = { project: 'default', destination: { server: 'x', namespace: 'shop' }, ...application };
    const metadata = { name: 'app' };
    const diff = diffObject({
      desired: read(desired),
      live: there,
      application: application && { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', metadata, spec },
      settings: { ...defaultSettings, ...settings },
      types,
      serverSide,
    });
    assert.equal(diff.modified, want, `live ${JSON.stringify(diff.live)}\npredicted ${JSON.stringify(diff.predicted)}`);
  });

test('without a server: a missing object is modified, one that is not desired would be pruned', () => {
  const object = read(`${head('ConfigMap')}data: {a: "1"}`);
  const common = { application: undefined, settings: defaultSettings, types };
  const missing = diffObject({ desired: object, live: undefined, ...common });
  assert.deepEqual([missing.modified, missing.requiresPruning], [true, false]);
  const extra = diffObject({ desired: undefined, live: object, ...common });
  assert.deepEqual([extra.modified, extra.requiresPruning], [false, true]);
});

test('without a server: an object of the application that carries its mark is in sync, one that does not is not', () => {
  const spec = { project: 'default', destination: { server: 'x', namespace: 'shop' } };
  const application = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'app' },
    spec,
  } as const;
  const desired = read(`${head('ConfigMap')}data: {a: "1"}`);
  const marked = read(`${head('ConfigMap')}data: {a: "1"}`);
  marked.metadata.annotations = { 'argocd.argoproj.io/tracking-id': 'app:/ConfigMap:shop/a' };
  const labelled = read(`${head('ConfigMap')}data: {a: "1"}`);
  labelled.metadata.labels = { 'app.kubernetes.io/instance': 'app' };
  const modified = (live: KubeObject) =>
    diffObject({ desired, live, application, settings: defaultSettings, types }).modified;
  assert.deepEqual([modified(marked), modified(desired), modified(labelled)], [false, true, false]);
});
