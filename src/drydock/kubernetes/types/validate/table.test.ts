import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '#base/json.ts';
import type { ApiObject, KindType } from '../../api/port.ts';
import { createTypeRegistry } from '../registry.ts';

const registry = createTypeRegistry();

function kind(gvk: string): KindType {
  const [group = '', version = '', name = ''] = gvk.split('/');
  const type = registry.builtin({ group, version, kind: name });
  assert.ok(type, gvk);
  return type;
}

function ready(type: KindType, raw: JsonObject, old?: ApiObject): ApiObject {
  const { object } = type.decode({ metadata: { name: 'x' }, ...raw });
  object.metadata.uid = 'u';
  type.applyDefaults(object, old);
  return object;
}

/** `field: message` of every finding. */
function findings(gvk: string, raw: JsonObject, before?: JsonObject): string[] {
  const type = kind(gvk);
  if (before === undefined)
    return type.validateCreate(ready(type, raw)).map(({ field, message }) => `${field}: ${message}`);
  const old = ready(type, before);
  return type.validateUpdate(ready(type, raw, old), old).map(({ field, message }) => `${field}: ${message}`);
}

const labels = { app: 'shop' };
function workload(spec: JsonObject = {}, pod: JsonObject = {}): JsonObject {
  const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'shop:1' }], ...pod } };
  return { spec: { selector: { matchLabels: labels }, template, ...spec } };
}
function pod(container: JsonObject, spec: JsonObject = {}): JsonObject {
  return { spec: { containers: [{ name: 'web', image: 'shop:1', ...container }], ...spec } };
}
const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

const selector = { matchLabels: { job: 'a' } };

const created: { name: string; gvk: string; raw: JsonObject; want: string[] }[] = [
  { name: 'a good Deployment', gvk: 'apps/v1/Deployment', raw: workload(), want: [] },
  {
    name: 'a negative count and a selector that misses',
    gvk: 'apps/v1/Deployment',
    raw: workload({ replicas: -1, selector: { matchLabels: { app: 'other' } } }),
    want: [
      'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
      'spec.template.metadata.labels: Invalid value: map[string]string{"app":"shop"}: `selector` does not match template `labels`',
    ],
  },
  {
    name: 'no selector',
    gvk: 'apps/v1/Deployment',
    raw: workload({ selector: null }),
    want: [
      'spec.selector: Required value',
      'spec.template.metadata.labels: Invalid value: map[string]string{"app":"shop"}: `selector` does not match template `labels`',
    ],
  },
  {
    name: 'restartPolicy of a Deployment',
    gvk: 'apps/v1/Deployment',
    raw: workload({}, { restartPolicy: 'Never' }),
    want: ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
  },
  {
    name: 'surge and unavailable both nothing',
    gvk: 'apps/v1/Deployment',
    raw: workload({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }),
    want: ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0'],
  },
  {
    name: 'rolling parameters of Recreate',
    gvk: 'apps/v1/Deployment',
    raw: workload({ strategy: { type: 'Recreate', rollingUpdate: {} } }),
    want: ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
  },
  {
    name: 'no containers',
    gvk: '/v1/Pod',
    raw: { spec: { containers: [] } },
    want: ['spec.containers: Required value'],
  },
  {
    name: 'container names, images and policies',
    gvk: '/v1/Pod',
    raw: {
      spec: {
        containers: [{ name: 'A' }, { name: 'b', image: 'x', imagePullPolicy: 'Ever' }, { name: 'b', image: 'x' }],
      },
    },
    want: [
      `spec.containers[0].name: Invalid value: "A": ${label}`,
      'spec.containers[0].image: Required value',
      'spec.containers[1].imagePullPolicy: Unsupported value: "Ever": supported values: "Always", "IfNotPresent", "Never"',
      'spec.containers[2].name: Duplicate value: "b"',
    ],
  },
  {
    name: 'requests above limits',
    gvk: '/v1/Pod',
    raw: pod({ resources: { limits: { memory: '1Gi' }, requests: { memory: '2Gi' } } }),
    want: [
      'spec.containers[0].resources.requests: Invalid value: "2Gi": must be less than or equal to memory limit of 1Gi',
    ],
  },
  {
    name: 'a mount without its volume',
    gvk: '/v1/Pod',
    raw: pod({ volumeMounts: [{ name: 'data', mountPath: '/d' }] }),
    want: ['spec.containers[0].volumeMounts[0].name: Not found: "data"'],
  },
  {
    name: 'two sources of a variable',
    gvk: '/v1/Pod',
    raw: pod({ env: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
    want: ['spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'],
  },
  {
    name: 'a probe without a way to ask',
    gvk: '/v1/Pod',
    raw: pod({ livenessProbe: { periodSeconds: 1 } }),
    want: ['spec.containers[0].livenessProbe: Required value: must specify a handler type'],
  },
  {
    name: 'a volume with two sources',
    gvk: '/v1/Pod',
    raw: pod({}, { volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/' } }] }),
    want: ['spec.volumes[0].emptyDir: Forbidden: may not specify more than 1 volume type'],
  },
  {
    name: 'port 0 and unnamed ports of a Service',
    gvk: '/v1/Service',
    raw: { spec: { ports: [{ port: 0 }, { port: 81, name: 'ok' }] } },
    want: [
      'spec.ports[0].name: Required value',
      'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      'spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive',
    ],
  },
  { name: 'a Service without ports', gvk: '/v1/Service', raw: { spec: {} }, want: ['spec.ports: Required value'] },
  { name: 'a headless Service without ports', gvk: '/v1/Service', raw: { spec: { clusterIP: 'None' } }, want: [] },
  {
    name: 'labels and annotations',
    gvk: '/v1/ConfigMap',
    raw: { metadata: { name: 'x', labels: { 'a/b/c': 'ok' }, annotations: { 'Ok.io/name': '1' } } },
    want: [
      "metadata.labels: Invalid value: \"a/b/c\": a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    ],
  },
  {
    name: 'a finalizer without a domain',
    gvk: '/v1/ConfigMap',
    raw: { metadata: { name: 'x', finalizers: ['mine', 'x.io/ok', 'orphan'] } },
    want: [
      'metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ],
  },
  {
    name: 'an Ingress without rules',
    gvk: 'networking.k8s.io/v1/Ingress',
    raw: { spec: {} },
    want: ['spec: Invalid value: []networking.IngressRule(nil): either `defaultBackend` or `rules` must be specified'],
  },
  {
    name: 'an Ingress path without type and port',
    gvk: 'networking.k8s.io/v1/Ingress',
    raw: { spec: { rules: [{ http: { paths: [{ path: '/', backend: { service: { name: 's' } } }] } }] } },
    want: [
      'spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified',
      'spec.rules[0].http.paths[0].backend.service.port: Required value: port name or number is required',
    ],
  },
  {
    name: 'a Job that always restarts',
    gvk: 'batch/v1/Job',
    raw: {
      spec: {
        selector,
        manualSelector: true,
        template: { metadata: { labels: { job: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      },
    },
    want: ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
  },
  {
    name: 'the schedule of a CronJob',
    gvk: 'batch/v1/CronJob',
    raw: {
      spec: {
        schedule: '* * *',
        jobTemplate: {
          spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } },
        },
      },
    },
    want: ['spec.schedule: Invalid value: "* * *": expected exactly 5 fields, found 3: [* * *]'],
  },
  {
    name: 'a claim without anything',
    gvk: '/v1/PersistentVolumeClaim',
    raw: { spec: {} },
    want: [
      'spec.accessModes: Required value: at least 1 access mode is required',
      'spec.resources[storage]: Required value',
    ],
  },
  {
    name: 'an autoscaler upside down',
    gvk: 'autoscaling/v2/HorizontalPodAutoscaler',
    raw: { spec: { minReplicas: 5, maxReplicas: 2, scaleTargetRef: { kind: 'Deployment', name: 'd' } } },
    want: ['spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`'],
  },
  {
    name: 'a role without verbs',
    gvk: 'rbac.authorization.k8s.io/v1/Role',
    raw: { rules: [{ apiGroups: [''], resources: ['pods'] }] },
    want: ['rules[0].verbs: Required value: verbs must contain at least one value'],
  },
  {
    name: 'a TLS secret without its key',
    gvk: '/v1/Secret',
    raw: { type: 'kubernetes.io/tls', data: { 'tls.crt': 'AA==' } },
    want: ['data[tls.key]: Required value'],
  },
  {
    name: 'a definition with a wrong name',
    gvk: 'apiextensions.k8s.io/v1/CustomResourceDefinition',
    raw: { metadata: { name: 'things' }, spec: definition({ type: 'object' }) },
    want: ['metadata.name: Invalid value: "things": must be spec.names.plural+"."+spec.group'],
  },
  {
    name: 'a definition with a rule that does not compile',
    gvk: 'apiextensions.k8s.io/v1/CustomResourceDefinition',
    raw: {
      metadata: { name: 'things.x.io' },
      spec: definition({
        type: 'object',
        properties: { spec: { type: 'object', 'x-kubernetes-validations': [{ rule: 'self.a' }] } },
      }),
    },
    want: [
      'spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule: Invalid value: apiextensions.ValidationRule{Rule:"self.a", Message:"", MessageExpression:"", Reason:(*apiextensions.FieldValueErrorReason)(nil), FieldPath:"", OptionalOldSelf:(*bool)(nil)}: compilation failed: ERROR: <input>:1:5: undefined field \'a\'\n | self.a\n | ....^',
    ],
  },
  {
    name: 'a default of the wrong type',
    gvk: 'apiextensions.k8s.io/v1/CustomResourceDefinition',
    raw: {
      metadata: { name: 'things.x.io' },
      spec: definition({ type: 'object', properties: { n: { type: 'integer', default: 'x' } } }),
    },
    want: [
      'spec.validation.openAPIV3Schema.properties[n].default: Invalid value: "string":  in body must be of type integer: "string"',
    ],
  },
  {
    name: 'a definition that is not structural',
    gvk: 'apiextensions.k8s.io/v1/CustomResourceDefinition',
    raw: {
      metadata: { name: 'things.x.io' },
      spec: definition({ type: 'object', properties: { spec: { properties: { a: { type: 'array' } } } } }),
    },
    want: [
      'spec.validation.openAPIV3Schema.properties[spec].properties[a].items: Required value: must be specified',
      'spec.validation.openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields',
    ],
  },
];

function definition(openAPIV3Schema: JsonObject): JsonObject {
  const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }];
  return { group: 'x.io', scope: 'Namespaced', names: { plural: 'things', kind: 'Thing' }, versions };
}

for (const { name, gvk, raw, want } of created) {
  test(`create: ${name}`, () => assert.deepEqual(findings(gvk, raw), want));
}

const changed: { name: string; gvk: string; before: JsonObject; raw: JsonObject; want: string[] }[] = [
  { name: 'nothing', gvk: 'apps/v1/Deployment', before: workload(), raw: workload({ replicas: 4 }), want: [] },
  {
    name: 'the selector of a ReplicaSet',
    gvk: 'apps/v1/ReplicaSet',
    before: workload(),
    raw: workload({ selector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['shop'] }] } }),
    want: [
      'spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), MatchExpressions:[]v1.LabelSelectorRequirement{v1.LabelSelectorRequirement{Key:"app", Operator:"In", Values:[]string{"shop"}}}}: field is immutable',
    ],
  },
  {
    name: 'the service name of a StatefulSet',
    gvk: 'apps/v1/StatefulSet',
    before: workload({ serviceName: 'a' }),
    raw: workload({ serviceName: 'b', replicas: 3 }),
    want: [
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ],
  },
  {
    name: 'the address of a Service',
    gvk: '/v1/Service',
    before: { spec: { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'], ports: [{ port: 80 }] } },
    raw: { spec: { clusterIP: '10.96.0.8', clusterIPs: ['10.96.0.8'], ports: [{ port: 80 }] } },
    want: ['spec.clusterIPs[0]: Invalid value: []string{"10.96.0.8"}: may not change once set'],
  },
  {
    name: 'an immutable ConfigMap',
    gvk: '/v1/ConfigMap',
    before: { immutable: true, data: { a: '1' } },
    raw: { data: { a: '2' } },
    want: [
      'immutable: Forbidden: field is immutable when `immutable` is set',
      'data: Forbidden: field is immutable when `immutable` is set',
    ],
  },
  {
    name: 'the type of a Secret',
    gvk: '/v1/Secret',
    before: {},
    raw: { type: 'mine' },
    want: ['type: Invalid value: "mine": field is immutable'],
  },
  {
    name: 'the role of a binding',
    gvk: 'rbac.authorization.k8s.io/v1/RoleBinding',
    before: { roleRef: { kind: 'ClusterRole', name: 'view' } },
    raw: { roleRef: { kind: 'ClusterRole', name: 'edit' } },
    want: [
      'roleRef: Invalid value: rbac.RoleRef{APIGroup:"rbac.authorization.k8s.io", Kind:"ClusterRole", Name:"edit"}: cannot change roleRef',
    ],
  },
  { name: 'the image of a Pod may change', gvk: '/v1/Pod', before: pod({}), raw: pod({ image: 'shop:2' }), want: [] },
  { name: 'a Pod may be bound once', gvk: '/v1/Pod', before: pod({}), raw: pod({}, { nodeName: 'node-1' }), want: [] },
  {
    name: 'the command of a Pod may not',
    gvk: '/v1/Pod',
    before: pod({}),
    raw: pod({ command: ['sh'] }),
    want: [
      'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
    ],
  },
  {
    name: 'the provisioner of a StorageClass',
    gvk: 'storage.k8s.io/v1/StorageClass',
    before: { provisioner: 'a' },
    raw: { provisioner: 'b' },
    want: ['provisioner: Forbidden: updates to provisioner are forbidden.'],
  },
];

for (const { name, gvk, before, raw, want } of changed) {
  test(`update: ${name}`, () => assert.deepEqual(findings(gvk, raw, before), want));
}

test('the template of a Job may not change', () => {
  const job = (image: string): JsonObject => ({
    spec: { selector, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image }] } } },
  });
  const type = kind('batch/v1/Job');
  const old = ready(type, job('a'));
  const next = structuredClone(old);
  Object.assign((next['spec'] as { template: { spec: JsonObject } }).template.spec, {
    containers: [{ name: 'c', image: 'b' }],
  });
  const [finding] = type.validateUpdate(next, old);
  assert.equal(finding?.field, 'spec.template');
  assert.match(finding?.message ?? '', /field is immutable$/);
});
