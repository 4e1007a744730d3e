import assert from 'node:assert/strict';
import { getObject, getPath, getString, isObject, type JsonObject } from '#base/json.ts';
import type { Area, Case } from '../suite/case.ts';
import { bare } from '../suite/cluster.ts';
import { job, pod, secret, service } from '../suite/objects.ts';
import { type Defaulted, kinds, serviceDefaults, templateDefaults, tolerate } from './defaults-kinds.ts';

const seen = 'object stored by kube-apiserver 1.33';

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
