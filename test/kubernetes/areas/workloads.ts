import assert from 'node:assert/strict';
import { getArray, getObject, getPath, getString } from '#base/json.ts';
import type { Area, Case, Need } from '../suite/case.ts';
import { condition, itemsOf, nameOf } from '../suite/cluster.ts';
import { includes } from '../suite/expect.ts';
import { Kubelet } from '../suite/kubelet.ts';
import { configMap, job, service, template, workload } from '../suite/objects.ts';
import { rollouts } from './rollouts.ts';

const seen = 'watched on kube-controller-manager 1.33';
const needs: readonly Need[] = ['controllers'];
const replicaSets = 'apps/v1/replicasets';

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
