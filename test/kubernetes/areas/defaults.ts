import assert from 'node:assert/strict';
import { getObject, getPath, getString, isObject, type JsonObject } from '#base/json.ts';
import type { Area, Case } from '../suite/case.ts';
import { bare } from '../suite/cluster.ts';
import { claim, configMap, job, pod, secret, service, workload } from '../suite/objects.ts';

const seen = 'object stored by kube-apiserver 1.33';

interface Defaulted {
  id: string;
  resource: string;
  /** Of the whole cluster; made by a dry run, so that nothing stays. */
  clustered?: boolean;
  body: JsonObject;
  /** What the server adds or rewrites: path by path, everything else stays as it was sent. */
  adds: Record<string, unknown>;
}

const container = {
  resources: {},
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  imagePullPolicy: 'IfNotPresent',
};

/** What a template of one container gets below `at`. */
function templateDefaults(at: string, restartPolicy = true): Record<string, unknown> {
  const adds: Record<string, unknown> = {
    [`${at}.metadata.creationTimestamp`]: null,
    [`${at}.spec.terminationGracePeriodSeconds`]: 30,
    [`${at}.spec.dnsPolicy`]: 'ClusterFirst',
    [`${at}.spec.securityContext`]: {},
  };
  if (restartPolicy) adds[`${at}.spec.restartPolicy`] = 'Always';
  for (const [key, value] of Object.entries(container)) adds[`${at}.spec.containers.0.${key}`] = value;
  return adds;
}

const tolerate = (key: string) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 });
const serviceDefaults = {
  'spec.ports.0.protocol': 'TCP',
  'spec.ports.0.targetPort': 80,
  'spec.sessionAffinity': 'None',
  'spec.internalTrafficPolicy': 'Cluster',
  status: { loadBalancer: {} },
};

const kinds: Defaulted[] = [
  {
    id: 'deployment',
    resource: 'apps/v1/deployments',
    body: workload('Deployment', 'x'),
    adds: {
      'metadata.generation': 1,
      'spec.replicas': 1,
      ...templateDefaults('spec.template'),
      'spec.strategy': { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      'spec.revisionHistoryLimit': 10,
      'spec.progressDeadlineSeconds': 600,
      status: {},
    },
  },
  {
    id: 'stateful-set',
    resource: 'apps/v1/statefulsets',
    body: workload('StatefulSet', 'x', {
      serviceName: 'x',
      volumeClaimTemplates: [
        {
          metadata: { name: 'd' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1024Mi' } } },
        },
      ],
    }),
    adds: {
      'metadata.generation': 1,
      'spec.replicas': 1,
      ...templateDefaults('spec.template'),
      'spec.volumeClaimTemplates.0.kind': 'PersistentVolumeClaim',
      'spec.volumeClaimTemplates.0.apiVersion': 'v1',
      'spec.volumeClaimTemplates.0.metadata.creationTimestamp': null,
      'spec.volumeClaimTemplates.0.spec.resources.requests.storage': '1Gi',
      'spec.volumeClaimTemplates.0.spec.volumeMode': 'Filesystem',
      'spec.volumeClaimTemplates.0.status': { phase: 'Pending' },
      'spec.podManagementPolicy': 'OrderedReady',
      'spec.updateStrategy': { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      'spec.revisionHistoryLimit': 10,
      'spec.persistentVolumeClaimRetentionPolicy': { whenDeleted: 'Retain', whenScaled: 'Retain' },
      status: { replicas: 0, availableReplicas: 0 },
    },
  },
  {
    id: 'daemon-set',
    resource: 'apps/v1/daemonsets',
    body: workload('DaemonSet', 'x'),
    adds: {
      'metadata.generation': 1,
      'metadata.annotations': { 'deprecated.daemonset.template.generation': '1' },
      ...templateDefaults('spec.template'),
      'spec.updateStrategy': { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      'spec.revisionHistoryLimit': 10,
      status: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
    },
  },
  {
    id: 'replica-set',
    resource: 'apps/v1/replicasets',
    body: workload('ReplicaSet', 'x'),
    adds: {
      'metadata.generation': 1,
      'spec.replicas': 1,
      ...templateDefaults('spec.template'),
      status: { replicas: 0 },
    },
  },
  {
    id: 'cron-job',
    resource: 'batch/v1/cronjobs',
    body: {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'x' },
      spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: getObject(job('x'), 'spec') } },
    },
    adds: {
      'metadata.generation': 1,
      'spec.concurrencyPolicy': 'Allow',
      'spec.suspend': false,
      'spec.jobTemplate.metadata.creationTimestamp': null,
      ...templateDefaults('spec.jobTemplate.spec.template', false),
      'spec.successfulJobsHistoryLimit': 3,
      'spec.failedJobsHistoryLimit': 1,
      status: {},
    },
  },
  {
    id: 'service-headless',
    resource: 'services',
    body: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x' },
      spec: { clusterIP: 'None', selector: { app: 'x' }, ports: [{ port: 80 }] },
    },
    adds: {
      ...serviceDefaults,
      'spec.clusterIPs': ['None'],
      'spec.type': 'ClusterIP',
      'spec.ipFamilies': ['IPv4'],
      'spec.ipFamilyPolicy': 'SingleStack',
    },
  },
  {
    id: 'ingress',
    resource: 'networking.k8s.io/v1/ingresses',
    body: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'x' },
      spec: { ingressClassName: 'suite', defaultBackend: { service: { name: 'a', port: { number: 80 } } } },
    },
    adds: { 'metadata.generation': 1, status: { loadBalancer: {} } },
  },
  {
    id: 'network-policy',
    resource: 'networking.k8s.io/v1/networkpolicies',
    body: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'x' },
      spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] },
    },
    adds: { 'metadata.generation': 1, 'spec.ingress.0.ports.0.protocol': 'TCP', 'spec.policyTypes': ['Ingress'] },
  },
  {
    id: 'claim',
    resource: 'persistentvolumeclaims',
    body: claim('x', { resources: { requests: { storage: '1024Mi' } } }),
    adds: {
      'metadata.finalizers': ['kubernetes.io/pvc-protection'],
      'spec.resources.requests.storage': '1Gi',
      'spec.volumeMode': 'Filesystem',
      status: { phase: 'Pending' },
    },
  },
  {
    id: 'volume',
    resource: 'persistentvolumes',
    clustered: true,
    body: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'x' },
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } },
    },
    adds: {
      'metadata.finalizers': ['kubernetes.io/pv-protection'],
      'spec.hostPath.type': '',
      'spec.persistentVolumeReclaimPolicy': 'Retain',
      'spec.volumeMode': 'Filesystem',
      'status.phase': 'Pending',
    },
  },
  {
    id: 'horizontal-pod-autoscaler',
    resource: 'autoscaling/v2/horizontalpodautoscalers',
    body: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'x' },
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' }, maxReplicas: 3 },
    },
    adds: {
      'spec.minReplicas': 1,
      'spec.metrics': [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
      ],
      status: { desiredReplicas: 0, currentMetrics: null },
    },
  },
  {
    id: 'disruption-budget',
    resource: 'policy/v1/poddisruptionbudgets',
    body: {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'x' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'x' } } },
    },
    adds: {
      'metadata.generation': 1,
      status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
    },
  },
  {
    id: 'secret',
    resource: 'secrets',
    body: secret('x', { data: { a: 'Yg==' } }),
    adds: { type: 'Opaque' },
  },
  { id: 'config-map', resource: 'configmaps', body: configMap('x', { a: 'b' }), adds: {} },
  {
    id: 'service-account',
    resource: 'serviceaccounts',
    body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'x' } },
    adds: {},
  },
  {
    id: 'role-binding',
    resource: 'rbac.authorization.k8s.io/v1/rolebindings',
    body: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'x' },
      subjects: [{ kind: 'User', name: 'u' }],
      roleRef: { kind: 'ClusterRole', name: 'view' },
    },
    adds: {
      'subjects.0.apiGroup': 'rbac.authorization.k8s.io',
      'roleRef.apiGroup': 'rbac.authorization.k8s.io',
    },
  },
  {
    id: 'storage-class',
    resource: 'storage.k8s.io/v1/storageclasses',
    clustered: true,
    body: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'x' },
      provisioner: 'example.com/none',
    },
    adds: { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' },
  },
  {
    id: 'webhook',
    resource: 'admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
    clustered: true,
    body: {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'x' },
      webhooks: [
        {
          name: 'a.example.com',
          clientConfig: { service: { namespace: 'default', name: 'a' } },
          rules: [
            {
              apiGroups: ['example.com'],
              apiVersions: ['v1'],
              operations: ['CREATE'],
              resources: ['things'],
              scope: '*',
            },
          ],
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    },
    adds: {
      'metadata.generation': 1,
      'webhooks.0.clientConfig.service.port': 443,
      'webhooks.0.failurePolicy': 'Fail',
      'webhooks.0.matchPolicy': 'Equivalent',
      'webhooks.0.namespaceSelector': {},
      'webhooks.0.objectSelector': {},
      'webhooks.0.timeoutSeconds': 10,
    },
  },
  {
    id: 'namespace',
    resource: 'namespaces',
    clustered: true,
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x' } },
    adds: {
      'metadata.labels.kubernetes\\.io/metadata\\.name': 'x',
      'spec.finalizers': ['kubernetes'],
      'status.phase': 'Active',
    },
  },
  {
    id: 'lease',
    resource: 'coordination.k8s.io/v1/leases',
    body: {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'x' },
      spec: { holderIdentity: 'a' },
    },
    adds: {},
  },
  {
    id: 'event',
    resource: 'events',
    body: {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'x' },
      involvedObject: { kind: 'Pod', name: 'p', namespace: '' },
      reason: 'Suite',
      message: 'm',
      type: 'Normal',
    },
    adds: {
      source: {},
      firstTimestamp: null,
      lastTimestamp: null,
      eventTime: null,
      reportingComponent: '',
      reportingInstance: '',
    },
  },
];

/** `object` with `value` at the dotted path; a backslash keeps a dot in a key. */
function put(object: unknown, path: string, value: unknown): void {
  const keys = path.split(/(?<!\\)\./).map((key) => key.replaceAll('\\', ''));
  let here: unknown = object;
  for (const key of keys.slice(0, -1)) {
    if (Array.isArray(here)) here = here[Number(key)];
    else if (isObject(here)) here = here[key] ??= {};
  }
  if (isObject(here)) here[keys.at(-1) ?? ''] = value;
}

function expected({ body, adds }: Defaulted, namespace: string | undefined): JsonObject {
  const want: JsonObject = structuredClone(body);
  if (namespace !== undefined) put(want, 'metadata.namespace', namespace);
  for (const [path, value] of Object.entries(adds)) put(want, path, value);
  return want;
}

const tables: Case[] = kinds.map((kind) => ({
  id: kind.id,
  title: `what is added to a ${getString(kind.body, 'kind')}`,
  source: seen,
  run: async (k) => {
    // A dry run shows what is stored before any controller has its say.
    const path = kind.clustered ? k.everywhere(kind.resource) : k.at(kind.resource);
    const body: JsonObject = structuredClone(kind.body);
    if (kind.id === 'event') put(body, 'involvedObject.namespace', k.namespace);
    const answer = await k.post(`${path}?dryRun=All`, body);
    assert.equal(answer.code, 201, answer.text);
    const want = expected({ ...kind, body }, kind.clustered ? undefined : k.namespace);
    const have = bare(answer.body);
    if (kind.id === 'volume') delete getObject(have, 'status')['lastPhaseTransitionTime'];
    assert.deepEqual(have, want);
  },
}));

const special: Case[] = [
  {
    id: 'pod',
    title: 'what is added to a Pod with probes, volumes and references',
    source: seen,
    run: async (k) => {
      const probe = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
      const spec = {
        containers: [
          {
            name: 'main',
            image: 'nginx',
            ports: [{ containerPort: 80 }],
            env: [
              { name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
            ],
            resources: { limits: { cpu: '1000m', memory: '1024Mi' } },
            livenessProbe: { httpGet: { path: '/', port: 80 } },
            readinessProbe: { grpc: { port: 80 } },
          },
        ],
        volumes: [
          { name: 'a', secret: { secretName: 's' } },
          { name: 'b', configMap: { name: 'c' } },
          { name: 'c', hostPath: { path: '/x' } },
          { name: 'd', projected: { sources: [{ secret: { name: 's' } }] } },
          { name: 'e', downwardAPI: { items: [{ path: 'a', fieldRef: { fieldPath: 'metadata.name' } }] } },
          { name: 'f' },
        ],
        automountServiceAccountToken: false,
      };
      const answer = await k.post(`${k.at('pods')}?dryRun=All`, pod('x', spec));
      assert.equal(answer.code, 201, answer.text);
      const have = getObject(answer.body, 'spec');
      const [main] = (Array.isArray(have['containers']) ? have['containers'] : []).filter(isObject);
      assert.deepEqual(main, {
        name: 'main',
        image: 'nginx',
        ports: [{ containerPort: 80, protocol: 'TCP' }],
        env: [
          { name: 'A', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
          { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '0' } } },
        ],
        resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } },
        livenessProbe: { httpGet: { path: '/', port: 80, scheme: 'HTTP' }, ...probe },
        readinessProbe: { grpc: { port: 80, service: '' }, ...probe },
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
        imagePullPolicy: 'Always',
      });
      assert.deepEqual(have['volumes'], [
        { name: 'a', secret: { secretName: 's', defaultMode: 420 } },
        { name: 'b', configMap: { name: 'c', defaultMode: 420 } },
        { name: 'c', hostPath: { path: '/x', type: '' } },
        { name: 'd', projected: { sources: [{ secret: { name: 's' } }], defaultMode: 420 } },
        {
          name: 'e',
          downwardAPI: {
            items: [{ path: 'a', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } }],
            defaultMode: 420,
          },
        },
        { name: 'f', emptyDir: {} },
      ]);
      assert.deepEqual(
        [
          have['restartPolicy'],
          have['terminationGracePeriodSeconds'],
          have['dnsPolicy'],
          have['securityContext'],
          have['enableServiceLinks'],
          have['priority'],
          have['preemptionPolicy'],
        ],
        ['Always', 30, 'ClusterFirst', {}, true, 0, 'PreemptLowerPriority'],
      );
      assert.deepEqual(answer.body['status'], { phase: 'Pending', qosClass: 'Guaranteed' });
    },
  },
  {
    id: 'pod-tolerations',
    title: 'a Pod tolerates a lost node for five minutes',
    source: 'admission plug-in DefaultTolerationSeconds, on by default',
    needs: ['default-tolerations'],
    run: async (k) => {
      const { body } = await k.post(`${k.at('pods')}?dryRun=All`, pod('tolerant'));
      assert.deepEqual(getPath(body, 'spec', 'tolerations'), [
        tolerate('node.kubernetes.io/not-ready'),
        tolerate('node.kubernetes.io/unreachable'),
      ]);
    },
  },
  {
    id: 'job',
    title: 'what is added to a Job: selector and labels come from its uid',
    source: seen,
    run: async (k) => {
      const made = await k.create(`${k.at('batch/v1/jobs')}?dryRun=All`, job('x'));
      const uid = getString(made, 'metadata', 'uid') ?? '';
      const labels = {
        'batch.kubernetes.io/controller-uid': uid,
        'batch.kubernetes.io/job-name': 'x',
        'controller-uid': uid,
        'job-name': 'x',
      };
      const want = {
        ...expected(
          {
            id: '',
            resource: '',
            body: job('x'),
            adds: {
              'metadata.generation': 1,
              'metadata.labels': labels,
              'spec.parallelism': 1,
              'spec.completions': 1,
              'spec.backoffLimit': 6,
              'spec.selector': { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
              'spec.manualSelector': false,
              ...templateDefaults('spec.template', false),
              'spec.template.metadata.labels': labels,
              'spec.completionMode': 'NonIndexed',
              'spec.suspend': false,
              'spec.podReplacementPolicy': 'TerminatingOrFailed',
              status: {},
            },
          },
          k.namespace,
        ),
      };
      assert.ok(uid);
      assert.deepEqual(bare(made), want);
    },
  },
  {
    id: 'service',
    title: 'what is added to a Service',
    source: seen,
    run: async (k) => {
      const made = await k.create(k.at('services'), service('x'));
      const address = getString(made, 'spec', 'clusterIP') ?? '';
      assert.match(address, /^[0-9a-f.:]+$/);
      const adds = {
        ...serviceDefaults,
        'spec.clusterIP': address,
        'spec.clusterIPs': [address],
        'spec.type': 'ClusterIP',
        'spec.ipFamilies': [address.includes(':') ? 'IPv6' : 'IPv4'],
        'spec.ipFamilyPolicy': 'SingleStack',
      };
      assert.deepEqual(bare(made), expected({ id: '', resource: '', body: service('x'), adds }, k.namespace));
    },
  },
  {
    id: 'service-load-balancer',
    title: 'what is added to a Service of type LoadBalancer',
    source: seen,
    run: async (k) => {
      const made = await k.create(k.at('services'), service('balanced', { type: 'LoadBalancer' }));
      const spec = getObject(made, 'spec');
      assert.deepEqual(
        [spec['allocateLoadBalancerNodePorts'], spec['externalTrafficPolicy'], spec['internalTrafficPolicy']],
        [true, 'Cluster', 'Cluster'],
      );
      const port = Number(getPath(spec, 'ports', 0, 'nodePort'));
      assert.ok(port >= 1 && port <= 65_535, String(port));
    },
  },
  {
    id: 'string-data',
    title: 'stringData of a Secret becomes data',
    source: seen,
    run: async (k) => {
      const made = await k.create(k.at('secrets'), secret('texts', { stringData: { a: 'b' } }));
      assert.deepEqual([made['data'], made['stringData']], [{ a: Buffer.from('b').toString('base64') }, undefined]);
    },
  },
  {
    id: 'pull-policy',
    title: 'images of no tag or of latest are pulled always, others when absent',
    source: 'kubernetes.io/docs/concepts/containers/images: imagePullPolicy defaulting',
    run: async (k) => {
      const images = ['a', 'a:latest', 'a:1', `a@sha256:${'0'.repeat(64)}`, 'host:5000/a', 'host:5000/a:1'];
      const containers = images.map((image, index) => ({ name: `c${index}`, image }));
      const { body } = await k.post(`${k.at('pods')}?dryRun=All`, pod('pulled', { containers }));
      const policies = images.map((_, index) => getPath(body, 'spec', 'containers', index, 'imagePullPolicy'));
      const [always, absent] = ['Always', 'IfNotPresent'];
      assert.deepEqual(policies, [always, always, absent, absent, always, absent]);
    },
  },
];

export const defaults: Area = { name: 'defaults', title: 'Defaults, kind by kind', cases: [...tables, ...special] };
