import assert from 'node:assert/strict';
import { getArray, getNumber, getObject, getPath, getString, isObject, type JsonObject } from '#base/json.ts';
import type { Area, Case, Need } from '../suite/case.ts';
import { type Cluster, itemsOf, nameOf, uidOf } from '../suite/cluster.ts';
import { includes } from '../suite/expect.ts';
import { Kubelet } from '../suite/kubelet.ts';
import { configMap, job, service, template, workload } from '../suite/objects.ts';

const seen = 'watched on kube-controller-manager 1.33';
const needs: readonly Need[] = ['controllers'];
const deployments = 'apps/v1/deployments';
const replicaSets = 'apps/v1/replicasets';

function condition(object: JsonObject, type: string): JsonObject {
  return (
    getArray(object, 'status', 'conditions')
      .filter(isObject)
      .find((item) => item['type'] === type) ?? {}
  );
}

const told = (object: JsonObject, type: string) => {
  const { status, reason } = condition(object, type);
  return `${type}=${String(status)} ${String(reason)}`;
};

function sized(name: string, replicas: number, more: JsonObject = {}): JsonObject {
  return workload('Deployment', name, { replicas, ...more });
}

/** Makes one pod after the other ready, each time when nothing moves any more, until `done`. */
async function readyOneByOne(
  k: Cluster,
  kubelet: Kubelet,
  name: string,
  done: (object: JsonObject) => boolean,
): Promise<JsonObject> {
  for (let step = 0; step < 20; step += 1) {
    const now = await k.settled(k.at(deployments, name), 400);
    if (done(now)) return now;
    const [waiting] = (await kubelet.pods(`app=${name}`)).filter((pod) => !pod.ready);
    if (waiting) await kubelet.ready(waiting.name);
  }
  throw new Error(`${name} is not done after 20 pods`);
}

const complete = (object: JsonObject): boolean => {
  const status = getObject(object, 'status');
  const { replicas } = getObject(object, 'spec');
  return (
    status['observedGeneration'] === getPath(object, 'metadata', 'generation') &&
    status['availableReplicas'] === replicas &&
    status['updatedReplicas'] === replicas &&
    status['replicas'] === replicas
  );
};

const image = (name: string) => ({ spec: { template: { spec: { containers: [{ name: 'main', image: name }] } } } });

/** The sizes that ReplicaSets were given, in order, as `first 4`, `second 1`. */
function sizes(events: JsonObject[]): string[] {
  const names: string[] = [];
  const last = new Map<string, number>();
  const steps: string[] = [];
  for (const event of events) {
    const name = nameOf(event['object']);
    const size = getNumber(event, 'object', 'spec', 'replicas') ?? 0;
    if (!names.includes(name)) names.push(name);
    if (event['type'] === 'DELETED' || last.get(name) === size) continue;
    last.set(name, size);
    steps.push(`${['first', 'second', 'third'][names.indexOf(name)]} ${size}`);
  }
  return steps;
}

const rollouts: Case[] = [
  {
    id: 'rolling-update',
    title: 'a rolling update of 4 with 25 % goes step by step: never more than 5, never fewer than 3 ready',
    source: seen,
    needs,
    run: async (k) => {
      const kubelet = new Kubelet(k);
      const path = k.at(deployments, 'rolling');
      await using watch = await k.watch(`${k.at(replicaSets)}?watch=true&labelSelector=app%3Drolling`);
      await k.create(k.at(deployments), sized('rolling', 4));
      const waiting = await k.settled(path, 400);
      assert.deepEqual(
        [told(waiting, 'Available'), told(waiting, 'Progressing')],
        ['Available=False MinimumReplicasUnavailable', 'Progressing=True ReplicaSetUpdated'],
      );
      includes(waiting['status'], { observedGeneration: 1, replicas: 4, updatedReplicas: 4, unavailableReplicas: 4 });
      const up = await readyOneByOne(k, kubelet, 'rolling', complete);
      assert.deepEqual(
        [told(up, 'Available'), told(up, 'Progressing')],
        ['Available=True MinimumReplicasAvailable', 'Progressing=True NewReplicaSetAvailable'],
      );
      await k.patch(path, image('example.com/app:2'), 'strategic');
      const half = await k.settled(path, 400);
      includes(half['status'], {
        observedGeneration: 2,
        replicas: 5,
        updatedReplicas: 2,
        readyReplicas: 3,
        unavailableReplicas: 2,
      });
      const done = await readyOneByOne(k, kubelet, 'rolling', complete);
      includes(done['status'], {
        observedGeneration: 2,
        replicas: 4,
        updatedReplicas: 4,
        readyReplicas: 4,
        availableReplicas: 4,
      });
      assert.equal(getPath(done, 'status', 'unavailableReplicas'), undefined);
      assert.equal(told(done, 'Progressing'), 'Progressing=True NewReplicaSetAvailable');
      const want = [
        'first 4',
        'second 1',
        'first 3',
        'second 2',
        'first 2',
        'second 3',
        'first 1',
        'second 4',
        'first 0',
      ];
      assert.deepEqual(sizes(watch.events), want);
    },
  },
  {
    id: 'replica-set',
    title: 'names, labels, annotations and owners of what a Deployment makes',
    source: seen,
    needs,
    run: async (k) => {
      const made = await k.create(k.at(deployments), sized('owner', 4));
      await k.settled(k.at(deployments, 'owner'), 400);
      const [set = {}] = itemsOf((await k.get(`${k.at(replicaSets)}?labelSelector=app%3Downer`)).body);
      const hash = getString(set, 'metadata', 'labels', 'pod-template-hash') ?? '';
      assert.match(hash, /^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
      includes(set, {
        metadata: {
          name: `owner-${hash}`,
          labels: { app: 'owner' },
          annotations: {
            'deployment.kubernetes.io/desired-replicas': '4',
            'deployment.kubernetes.io/max-replicas': '5',
            'deployment.kubernetes.io/revision': '1',
          },
          ownerReferences: [
            {
              apiVersion: 'apps/v1',
              kind: 'Deployment',
              name: 'owner',
              uid: uidOf(made),
              controller: true,
              blockOwnerDeletion: true,
            },
          ],
        },
        spec: { selector: { matchLabels: { app: 'owner', 'pod-template-hash': hash } } },
      });
      const pods = itemsOf((await k.get(`${k.at('pods')}?labelSelector=app%3Downer`)).body);
      assert.equal(pods.length, 4);
      for (const pod of pods) {
        assert.match(nameOf(pod), new RegExp(`^owner-${hash}-[bcdfghjklmnpqrstvwxz2456789]{5}$`));
        includes(pod, {
          metadata: {
            generateName: `owner-${hash}-`,
            labels: { app: 'owner', 'pod-template-hash': hash },
            ownerReferences: [
              {
                apiVersion: 'apps/v1',
                kind: 'ReplicaSet',
                name: nameOf(set),
                uid: uidOf(set),
                controller: true,
                blockOwnerDeletion: true,
              },
            ],
          },
        });
      }
      const events = itemsOf((await k.get(`${k.at('events')}?fieldSelector=involvedObject.uid%3D${uidOf(set)}`)).body);
      const created = events.filter((event) => event['reason'] === 'SuccessfulCreate').map((event) => event['message']);
      assert.deepEqual(created.sort(), pods.map((pod) => `Created pod: ${nameOf(pod)}`).sort());
      assert.deepEqual(
        [getString(events[0], 'source', 'component'), events[0]?.['type']],
        ['replicaset-controller', 'Normal'],
      );
    },
  },
  {
    id: 'recreate',
    title: 'Recreate: the old pods are gone before a new one comes',
    source: 'kubernetes.io/docs/concepts/workloads/controllers/deployment: recreate deployment',
    needs,
    run: async (k) => {
      const kubelet = new Kubelet(k);
      await using watch = await k.watch(`${k.at('pods')}?watch=true&labelSelector=app%3Drecreated`);
      await k.create(k.at(deployments), sized('recreated', 2, { strategy: { type: 'Recreate' } }));
      await readyOneByOne(k, kubelet, 'recreated', complete);
      await k.patch(k.at(deployments, 'recreated'), image('example.com/app:2'), 'strategic');
      await readyOneByOne(k, kubelet, 'recreated', complete);
      const order = watch.events
        .filter((event) => event['type'] !== 'MODIFIED')
        .map(
          (event) => `${String(event['type'])} ${getString(event, 'object', 'spec', 'containers', 0, 'image')?.at(-1)}`,
        );
      assert.deepEqual(order, ['ADDED 1', 'ADDED 1', 'DELETED 1', 'DELETED 1', 'ADDED 2', 'ADDED 2']);
    },
  },
  {
    id: 'paused',
    title: 'a paused Deployment is scaled, not rolled out',
    source: 'kubernetes.io/docs/concepts/workloads/controllers/deployment: pausing and resuming',
    needs,
    run: async (k) => {
      const path = k.at(deployments, 'paused');
      await k.create(k.at(deployments), sized('paused', 1));
      await k.settled(path, 400);
      await k.patch(path, { spec: { paused: true } });
      await k.patch(path, image('example.com/app:2'), 'strategic');
      await k.patch(path, { spec: { replicas: 2 } });
      const held = await k.settled(path, 400);
      const list = async () => itemsOf((await k.get(`${k.at(replicaSets)}?labelSelector=app%3Dpaused`)).body);
      assert.deepEqual(
        (await list()).map((set) => getPath(set, 'spec', 'replicas')),
        [2],
      );
      assert.equal(told(held, 'Progressing'), 'Progressing=Unknown DeploymentPaused');
      await k.patch(path, { spec: { paused: false } });
      await k.settled(path, 400);
      assert.equal((await list()).length, 2);
    },
  },
  {
    id: 'rollback',
    title: 'the old template again is the old ReplicaSet with a new revision',
    source: 'kubernetes.io/docs/concepts/workloads/controllers/deployment: rolling back',
    needs,
    run: async (k) => {
      const path = k.at(deployments, 'back');
      await k.create(k.at(deployments), sized('back', 0));
      for (const tag of ['2', '1']) {
        await k.settled(path, 400);
        await k.patch(path, image(`example.com/app:${tag}`), 'strategic');
      }
      const now = await k.settled(path, 400);
      const sets = itemsOf((await k.get(`${k.at(replicaSets)}?labelSelector=app%3Dback`)).body);
      const revisions = sets.map((set) => [
        getString(set, 'spec', 'template', 'spec', 'containers', 0, 'image'),
        getObject(set, 'metadata', 'annotations')['deployment.kubernetes.io/revision'],
        getObject(set, 'metadata', 'annotations')['deployment.kubernetes.io/revision-history'],
      ]);
      assert.deepEqual(revisions.sort(), [
        ['example.com/app:1', '3', '1'],
        ['example.com/app:2', '2', undefined],
      ]);
      assert.equal(getObject(now, 'metadata', 'annotations')['deployment.kubernetes.io/revision'], '3');
    },
  },
  {
    id: 'deadline',
    title: 'a rollout that stands still past its deadline says so',
    source: seen,
    needs,
    run: async (k) => {
      const path = k.at(deployments, 'late');
      await k.create(k.at(deployments), sized('late', 1, { progressDeadlineSeconds: 2 }));
      const late = await k.eventually('the deadline is told', async () => {
        const { body } = await k.get(path);
        return condition(body, 'Progressing')['status'] === 'False' ? body : undefined;
      });
      const { reason, message } = condition(late, 'Progressing');
      assert.equal(reason, 'ProgressDeadlineExceeded');
      assert.match(String(message), /^ReplicaSet "late-[a-z0-9]+" has timed out progressing\.$/);
    },
  },
];

const others: Case[] = [
  {
    id: 'scale-down',
    title: 'a ReplicaSet that shrinks lets pods that are not ready go first',
    source: 'kubernetes.io/docs/concepts/workloads/controllers/replicaset: scaling down',
    needs,
    run: async (k) => {
      const kubelet = new Kubelet(k);
      await k.create(k.at(replicaSets), workload('ReplicaSet', 'shrinking', { replicas: 3 }));
      const pods = await k.eventually('three pods', async () => {
        const now = await kubelet.pods('app=shrinking');
        return now.length === 3 ? now : undefined;
      });
      const kept = pods.slice(1).map((pod) => pod.name);
      for (const name of kept) await kubelet.ready(name);
      await k.eventually('two are ready', async () =>
        getPath((await k.get(k.at(replicaSets, 'shrinking'))).body, 'status', 'readyReplicas') === 2 ? true : undefined,
      );
      await k.patch(k.at(replicaSets, 'shrinking'), { spec: { replicas: 2 } });
      const left = await k.eventually('two pods', async () => {
        const now = await kubelet.pods('app=shrinking');
        return now.length === 2 ? now : undefined;
      });
      assert.deepEqual(left.map((pod) => pod.name).sort(), kept.sort());
    },
  },
  {
    id: 'stateful-set',
    title: 'a StatefulSet starts its pods in order, each when the one before is ready',
    source: 'kubernetes.io/docs/concepts/workloads/controllers/statefulset',
    needs,
    run: async (k) => {
      const kubelet = new Kubelet(k);
      const path = k.at('apps/v1/statefulsets', 'ordered');
      await k.create(
        k.at('apps/v1/statefulsets'),
        workload('StatefulSet', 'ordered', { replicas: 2, serviceName: 'ordered' }),
      );
      const names = async () => (await kubelet.pods('app=ordered')).map((pod) => pod.name);
      await k.settled(path, 400);
      assert.deepEqual(await names(), ['ordered-0']);
      await kubelet.ready('ordered-0');
      await k.eventually('the second pod', async () => ((await names()).length === 2 ? true : undefined));
      await kubelet.ready('ordered-1');
      const ready = await k.eventually('all are ready', async () => {
        const { body } = await k.get(path);
        return getPath(body, 'status', 'readyReplicas') === 2 ? body : undefined;
      });
      includes(ready['status'], { replicas: 2, availableReplicas: 2, updatedReplicas: 2, collisionCount: 0 });
      const { body: second } = await k.get(k.at('pods', 'ordered-1'));
      includes(second, {
        metadata: {
          labels: { 'statefulset.kubernetes.io/pod-name': 'ordered-1', 'apps.kubernetes.io/pod-index': '1' },
        },
        spec: { hostname: 'ordered-1', subdomain: 'ordered' },
      });
      assert.match(getString(ready, 'status', 'updateRevision') ?? '', /^ordered-[a-z0-9]+$/);
    },
  },
  {
    id: 'job-complete',
    title: 'a Job whose pod succeeds: SuccessCriteriaMet, then Complete',
    source: seen,
    needs,
    run: async (k) => {
      const kubelet = new Kubelet(k);
      await k.create(k.at('batch/v1/jobs'), job('complete'));
      const [pod] = await k.eventually('its pod', async () => {
        const now = await kubelet.pods('job-name=complete');
        return now.length === 1 ? now : undefined;
      });
      const { body: running } = await k.get(k.at('pods', pod?.name));
      assert.deepEqual(getPath(running, 'metadata', 'finalizers'), ['batch.kubernetes.io/job-tracking']);
      await kubelet.finished(pod?.name ?? '', 0);
      const done = await k.eventually('the Job is complete', async () => {
        const { body } = await k.get(k.at('batch/v1/jobs', 'complete'));
        return condition(body, 'Complete')['status'] === 'True' ? body : undefined;
      });
      assert.deepEqual(
        getArray(done, 'status', 'conditions').map((item) => [getString(item, 'type'), getString(item, 'reason')]),
        [
          ['SuccessCriteriaMet', 'CompletionsReached'],
          ['Complete', 'CompletionsReached'],
        ],
      );
      includes(done['status'], { succeeded: 1, ready: 0, uncountedTerminatedPods: {} });
      assert.ok(getString(done, 'status', 'completionTime'));
    },
  },
  {
    id: 'job-failed',
    title: 'a Job past its backoffLimit: FailureTarget, then Failed',
    source: seen,
    needs,
    run: async (k) => {
      const kubelet = new Kubelet(k);
      await k.create(k.at('batch/v1/jobs'), job('failed', { backoffLimit: 0 }));
      const [pod] = await k.eventually('its pod', async () => {
        const now = await kubelet.pods('job-name=failed');
        return now.length === 1 ? now : undefined;
      });
      await kubelet.finished(pod?.name ?? '', 1);
      const done = await k.eventually('the Job has failed', async () => {
        const { body } = await k.get(k.at('batch/v1/jobs', 'failed'));
        return condition(body, 'Failed')['status'] === 'True' ? body : undefined;
      });
      assert.deepEqual(
        getArray(done, 'status', 'conditions').map((item) => [
          getString(item, 'type'),
          getString(item, 'reason'),
          getString(item, 'message'),
        ]),
        [
          ['FailureTarget', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit'],
          ['Failed', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit'],
        ],
      );
      assert.equal(getPath(done, 'status', 'failed'), 1);
    },
  },
  {
    id: 'endpoints',
    title: 'a Service lists its ready pods in an EndpointSlice and in Endpoints',
    source: 'kubernetes.io/docs/concepts/services-networking/endpoint-slices',
    needs,
    run: async (k) => {
      const kubelet = new Kubelet(k);
      await k.create(k.at('services'), service('reached', { ports: [{ name: 'web', port: 80, targetPort: 8080 }] }));
      const pods = template({ app: 'reached' });
      await k.create(k.at('pods'), {
        apiVersion: 'v1',
        kind: 'Pod',
        ...pods,
        metadata: { name: 'reached-a', labels: { app: 'reached' } },
      });
      await kubelet.ready('reached-a');
      const slice = await k.eventually('a ready endpoint', async () => {
        const { body } = await k.get(
          `${k.at('discovery.k8s.io/v1/endpointslices')}?labelSelector=kubernetes.io/service-name%3Dreached`,
        );
        return itemsOf(body).find((item) => getPath(item, 'endpoints', 0, 'conditions', 'ready') === true);
      });
      const address = getString((await k.get(k.at('pods', 'reached-a'))).body, 'status', 'podIP');
      assert.match(nameOf(slice), /^reached-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
      includes(slice, {
        metadata: { labels: { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' } },
        addressType: 'IPv4',
        endpoints: [
          {
            addresses: [address],
            conditions: { ready: true, serving: true, terminating: false },
            targetRef: { kind: 'Pod', name: 'reached-a', namespace: k.namespace },
          },
        ],
        ports: [{ name: 'web', port: 8080, protocol: 'TCP' }],
      });
      const endpoints = await k.eventually('Endpoints', async () => {
        const { body } = await k.get(k.at('endpoints', 'reached'));
        return getArray(body, 'subsets').length > 0 ? body : undefined;
      });
      includes(endpoints['subsets'], [
        { addresses: [{ ip: address }], ports: [{ name: 'web', port: 8080, protocol: 'TCP' }] },
      ]);
    },
  },
  {
    id: 'namespace-content',
    title: 'a namespace gets its account and the authority of the cluster',
    source: 'kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin',
    needs,
    run: async (k) => {
      assert.equal((await k.get(k.at('serviceaccounts', 'default'))).code, 200);
      const authority = await k.eventually('kube-root-ca.crt', async () => {
        const { body } = await k.get(k.at('configmaps', 'kube-root-ca.crt'));
        return getString(body, 'data', 'ca.crt');
      });
      assert.match(authority, /^-----BEGIN CERTIFICATE-----/);
    },
  },
  {
    id: 'disruption-budget',
    title: 'a disruption budget counts its pods',
    source: 'kubernetes.io/docs/concepts/workloads/pods/disruptions',
    needs,
    run: async (k) => {
      const kubelet = new Kubelet(k);
      await k.create(k.at(replicaSets), workload('ReplicaSet', 'counted', { replicas: 2 }));
      await k.create(k.at('policy/v1/poddisruptionbudgets'), {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'counted' },
        spec: { minAvailable: 1, selector: { matchLabels: { app: 'counted' } } },
      });
      const pods = await k.eventually('two pods', async () => {
        const now = await kubelet.pods('app=counted');
        return now.length === 2 ? now : undefined;
      });
      for (const pod of pods) await kubelet.ready(pod.name);
      await k.eventually('one may go', async () => {
        const { body } = await k.get(k.at('policy/v1/poddisruptionbudgets', 'counted'));
        const { disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods } = getObject(body, 'status');
        const now = [disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods].join(' ');
        if (now === '1 2 1 2') return true;
        throw new Error(now);
      });
    },
  },
  {
    id: 'claim-protection',
    title: 'what nobody uses is let go in spite of its protection finalizer',
    source: 'kubernetes.io/docs/concepts/storage/persistent-volumes: storage object in use protection',
    needs,
    run: async (k) => {
      await k.create(k.at('configmaps'), configMap('unrelated'));
      await k.create(k.at('persistentvolumeclaims'), {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'unused' },
        spec: { storageClassName: '', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      });
      await k.delete(k.at('persistentvolumeclaims', 'unused'));
      await k.eventually('the claim is gone', async () =>
        (await k.get(k.at('persistentvolumeclaims', 'unused'))).code === 404 ? true : undefined,
      );
    },
  },
];

export const workloads: Area = { name: 'workloads', title: 'What controllers do', cases: [...rollouts, ...others] };
