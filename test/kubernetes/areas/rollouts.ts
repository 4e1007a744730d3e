import assert from 'node:assert/strict';
import { getNumber, getObject, getPath, getString, type JsonObject } from '#base/json.ts';
import type { Case, Need } from '../suite/case.ts';
import { type Cluster, condition, itemsOf, nameOf, uidOf } from '../suite/cluster.ts';
import { includes } from '../suite/expect.ts';
import { Kubelet } from '../suite/kubelet.ts';
import { workload } from '../suite/objects.ts';

const seen = 'watched on kube-controller-manager 1.33';
const needs: readonly Need[] = ['controllers'];
const deployments = 'apps/v1/deployments';
const replicaSets = 'apps/v1/replicasets';

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

export const rollouts: Case[] = [
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
