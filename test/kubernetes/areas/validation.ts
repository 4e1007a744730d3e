import assert from 'node:assert/strict';
import { getArray, getObject, getString, type JsonObject } from '#base/json.ts';
import type { Area, Case } from '../suite/case.ts';
import { type Cluster, uidOf } from '../suite/cluster.ts';
import { invalid, refused } from '../suite/expect.ts';
import { claim, configMap, deployment, job, pod, secret, service, template, workload } from '../suite/objects.ts';

const seen = 'answer of kube-apiserver 1.33';
const immutableSelector =
  'Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"z":"q"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable';
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const qualifiedName =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

interface Refused {
  id: string;
  title: string;
  resource: string;
  body: JsonObject;
  kind: string;
  errors: [field: string, text: string][];
}

const creations: Refused[] = [
  {
    id: 'deployment-two-faults',
    title: 'every fault of a Deployment is told at once',
    resource: 'apps/v1/deployments',
    body: deployment('faulty', { replicas: -1, template: template({ app: 'else' }) }),
    kind: 'Deployment.apps',
    errors: [
      ['spec.replicas', 'Invalid value: -1: must be greater than or equal to 0'],
      [
        'spec.template.metadata.labels',
        'Invalid value: map[string]string{"app":"else"}: `selector` does not match template `labels`',
      ],
    ],
  },
  {
    id: 'name-not-subdomain',
    title: 'a name that is no DNS subdomain',
    resource: 'configmaps',
    body: configMap('Bad_Name'),
    kind: 'ConfigMap',
    errors: [['metadata.name', `Invalid value: "Bad_Name": ${subdomain}`]],
  },
  {
    id: 'name-missing',
    title: 'no name at all',
    resource: 'configmaps',
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} },
    kind: 'ConfigMap',
    errors: [['metadata.name', 'Required value: name or generateName is required']],
  },
  {
    id: 'limit-below-request',
    title: 'a request above its limit',
    resource: 'pods',
    body: pod('greedy', {
      containers: [{ name: 'c', image: 'x', resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } }],
    }),
    kind: 'Pod',
    errors: [
      ['spec.containers[0].resources.requests', 'Invalid value: "2": must be less than or equal to cpu limit of 1'],
    ],
  },
  {
    id: 'pod-five-faults',
    title: 'every fault of a Pod is told, in the order of its fields',
    resource: 'pods',
    body: pod(
      'faulty',
      {
        restartPolicy: 'Sometimes',
        containers: [{ name: 'C' }, { name: 'd', image: 'x', imagePullPolicy: 'Foo' }],
      },
      { labels: { 'bad key!': 'v' } },
    ),
    kind: 'Pod',
    errors: [
      ['metadata.labels', `Invalid value: "bad key!": ${qualifiedName}`],
      ['spec.containers[0].name', `Invalid value: "C": ${label}`],
      ['spec.containers[0].image', 'Required value'],
      [
        'spec.containers[1].imagePullPolicy',
        'Unsupported value: "Foo": supported values: "Always", "IfNotPresent", "Never"',
      ],
      ['spec.restartPolicy', 'Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
    ],
  },
  {
    id: 'service-ports',
    title: 'several ports need names, and each a number',
    resource: 'services',
    body: service('ports', { ports: [{ port: 0 }, { port: 80 }] }),
    kind: 'Service',
    errors: [
      ['spec.ports[0].name', 'Required value'],
      ['spec.ports[0].port', 'Invalid value: 0: must be between 1 and 65535, inclusive'],
      ['spec.ports[0].targetPort', 'Invalid value: 0: must be between 1 and 65535, inclusive'],
      ['spec.ports[1].name', 'Required value'],
    ],
  },
  {
    id: 'finalizer-name',
    title: 'a finalizer without a domain',
    resource: 'configmaps',
    body: configMap('finalized', {}, { finalizers: ['nodomain'] }),
    kind: 'ConfigMap',
    errors: [
      [
        'metadata.finalizers[0]',
        'Invalid value: "nodomain": name is neither a standard finalizer name nor is it fully qualified',
      ],
    ],
  },
];

const atCreate: Case[] = creations.map(({ id, title, resource, body, kind, errors }) => ({
  id,
  title,
  source: seen,
  run: async (k) => {
    const name = getString(body, 'metadata', 'name') ?? '';
    invalid(await k.post(k.at(resource), body), kind, name, errors);
  },
}));

interface Frozen {
  id: string;
  title: string;
  resource: string;
  body: JsonObject;
  patch: JsonObject;
  kind: string;
  errors: [field: string, text: string][];
}

const stsSpec =
  "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

const changes: Frozen[] = [
  {
    id: 'deployment-selector',
    title: "a Deployment's selector stays",
    resource: 'apps/v1/deployments',
    body: deployment('selector', { selector: { matchLabels: { app: 'x' } }, template: template({ app: 'x', z: 'q' }) }),
    patch: { spec: { selector: { matchLabels: { app: null, z: 'q' } } } },
    kind: 'Deployment.apps',
    errors: [['spec.selector', immutableSelector]],
  },
  {
    id: 'stateful-set-spec',
    title: 'of a StatefulSet only some fields change',
    resource: 'apps/v1/statefulsets',
    body: workload('StatefulSet', 'frozen', { replicas: 0, serviceName: 'a' }),
    patch: { spec: { serviceName: 'b' } },
    kind: 'StatefulSet.apps',
    errors: [['spec', stsSpec]],
  },
  {
    id: 'config-map-immutable',
    title: 'an immutable ConfigMap keeps its data',
    resource: 'configmaps',
    body: { ...configMap('immutable', { a: '1' }), immutable: true },
    patch: { data: { a: '2' } },
    kind: 'ConfigMap',
    errors: [['data', 'Forbidden: field is immutable when `immutable` is set']],
  },
  {
    id: 'secret-type',
    title: "a Secret's type stays",
    resource: 'secrets',
    body: secret('typed'),
    patch: { type: 'x' },
    kind: 'Secret',
    errors: [['type', 'Invalid value: "x": field is immutable']],
  },
  {
    id: 'role-ref',
    title: "a RoleBinding's role stays",
    resource: 'rbac.authorization.k8s.io/v1/rolebindings',
    body: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'bound' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'User', name: 'suite-nobody' }],
    },
    patch: { roleRef: { name: 'edit' } },
    kind: 'RoleBinding.rbac.authorization.k8s.io',
    errors: [
      [
        'roleRef',
        'Invalid value: rbac.RoleRef{APIGroup:"rbac.authorization.k8s.io", Kind:"ClusterRole", Name:"edit"}: cannot change roleRef',
      ],
    ],
  },
];

const atChange: Case[] = changes.map(({ id, title, resource, body, patch, kind, errors }) => ({
  id,
  title,
  source: seen,
  run: async (k) => {
    const name = getString(body, 'metadata', 'name') ?? '';
    await k.create(k.at(resource), body);
    invalid(await k.patch(k.at(resource, name), patch), kind, name, errors);
  },
}));

const claimDiff = `Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims
  core.PersistentVolumeClaimSpec{
- \tAccessModes: []core.PersistentVolumeAccessMode{"ReadWriteOnce"},
+ \tAccessModes: []core.PersistentVolumeAccessMode{"ReadWriteMany"},
  \tSelector:    nil,
  \tResources:   {Requests: {s"storage": {i: {...}, s: "1Gi", Format: "BinarySI"}}},
  \t... // 6 identical fields
  }
`;
const podForbidden =
  'Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

async function messageAfter(k: Cluster, resource: string, body: JsonObject, patch: unknown): Promise<string> {
  const name = getString(body, 'metadata', 'name') ?? '';
  await k.create(k.at(resource), body);
  const answer = await k.patch(k.at(resource, name), patch, 'strategic');
  assert.equal(answer.code, 422);
  return getString(answer.body, 'message') ?? '';
}

const longTexts: Case[] = [
  {
    id: 'pod-spec',
    title: 'of a Pod only some fields change: which ones is told',
    source: seen,
    run: async (k) => {
      const message = await messageAfter(k, 'pods', pod('frozen'), { spec: { restartPolicy: 'Never' } });
      assert.ok(message.startsWith(`Pod "frozen" is invalid: spec: ${podForbidden}`), message);
    },
  },
  {
    id: 'pod-spec-diff',
    title: 'the message of a refused Pod change shows the changed fields as Go prints them',
    source: seen,
    run: async (k) => {
      const message = await messageAfter(k, 'pods', pod('shown'), { spec: { restartPolicy: 'Never' } });
      assert.ok(message.includes('\n- \tRestartPolicy:'), message);
      assert.ok(message.includes('\n+ \tRestartPolicy:'), message);
    },
  },
  {
    id: 'claim-spec',
    title: 'a claim that is not bound stays as it is',
    source: seen,
    run: async (k) => {
      const message = await messageAfter(k, 'persistentvolumeclaims', claim('frozen'), {
        spec: { accessModes: ['ReadWriteMany'] },
      });
      assert.ok(
        message.startsWith(`PersistentVolumeClaim "frozen" is invalid: spec: ${claimDiff.split('\n')[0]}`),
        message,
      );
    },
  },
  {
    id: 'job-template',
    title: "a Job's template stays",
    source: seen,
    run: async (k) => {
      const message = await messageAfter(k, 'batch/v1/jobs', job('frozen', { parallelism: 0 }), {
        spec: { template: { spec: { containers: [{ name: 'main', image: 'y' }] } } },
      });
      assert.match(message, /^Job\.batch "frozen" is invalid: spec\.template: Invalid value: core\.PodTemplateSpec\{/);
      assert.match(message, /: field is immutable$/);
    },
  },
];

const services: Case[] = [
  {
    id: 'cluster-ip',
    title: "a Service's address stays",
    source: seen,
    run: async (k) => {
      await k.create(k.at('services'), service('address'));
      const patch = { spec: { clusterIP: '10.96.9.9', clusterIPs: ['10.96.9.9'] } };
      invalid(await k.patch(k.at('services', 'address'), patch), 'Service', 'address', [
        ['spec.clusterIPs[0]', 'Invalid value: []string{"10.96.9.9"}: may not change once set'],
      ]);
    },
  },
  {
    id: 'node-port-range',
    title: 'a node port outside the range',
    source: seen,
    run: async (k) => {
      const body = service('low', { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] });
      const answer = await k.post(k.at('services'), body);
      refused(answer, {
        code: 422,
        reason: 'Invalid',
        message:
          /^Service "low" is invalid: spec\.ports\[0\]\.nodePort: Invalid value: 80: provided port is not in the valid range\. The range of valid ports is \d+-\d+$/,
      });
    },
  },
  {
    id: 'put-keeps-cluster-ip',
    title: 'PUT of a Service without address and version keeps the address',
    source: seen,
    run: async (k) => {
      const made = await k.create(k.at('services'), service('kept'));
      const answer = await k.put(k.at('services', 'kept'), service('kept', { ports: [{ port: 81 }] }));
      assert.equal(answer.code, 200);
      assert.equal(getString(answer.body, 'spec', 'clusterIP'), getString(made, 'spec', 'clusterIP'));
      assert.equal(uidOf(answer.body), uidOf(made));
      assert.equal(getObject(getArray(answer.body, 'spec', 'ports')[0])['port'], 81);
    },
  },
];

const allowed: Case[] = [
  {
    id: 'put-without-version',
    title: 'PUT of a built-in kind without a version overwrites',
    source: seen,
    run: async (k) => {
      await k.create(k.at('apps/v1/deployments'), deployment('over'));
      const answer = await k.put(k.at('apps/v1/deployments', 'over'), deployment('over', { minReadySeconds: 3 }));
      assert.equal(answer.code, 200);
      assert.equal(getObject(answer.body, 'spec')['minReadySeconds'], 3);
    },
  },
  {
    id: 'default-namespace-stays',
    title: 'the namespace default is not deleted',
    source: seen,
    run: async (k) =>
      refused(await k.delete('/api/v1/namespaces/default'), {
        code: 403,
        reason: 'Forbidden',
        message: 'namespaces "default" is forbidden: this namespace may not be deleted',
        details: { name: 'default', kind: 'namespaces' },
      }),
  },
];

export const validation: Area = {
  name: 'validation',
  title: 'Validation and immutability',
  cases: [...atCreate, ...atChange, ...longTexts, ...services, ...allowed],
};
