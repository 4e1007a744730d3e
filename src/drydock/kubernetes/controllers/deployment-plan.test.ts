import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getArray, getNumber, getString, isObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { planDeployment } from './deployment-plan.ts';
import { readDeployment, readReplicaSet } from './deployment-view.ts';
import { planReplicas, replicaSetStatus } from './replica-set-plan.ts';

/** Deployment, sets and pods as plain values, moved by the pure plans alone. */
class Rollout {
  now = Date.UTC(2026, 0, 1);
  deployment: ApiObject;
  sets = new Map<string, ApiObject>();
  pods: ApiObject[] = [];
  trace: string[] = [];
  reasons: string[] = [];
  #names = 0;

  constructor(spec: Record<string, unknown>, image = 'a:1') {
    this.deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', namespace: 'n', uid: 'd-uid', generation: 1 },
      spec: { selector: { matchLabels: { a: 'b' } }, progressDeadlineSeconds: 600, ...spec, template: template(image) },
    };
  }

  change(spec: Record<string, unknown>): void {
    const old = isObject(this.deployment['spec']) ? this.deployment['spec'] : {};
    const { metadata } = this.deployment;
    this.deployment = {
      ...this.deployment,
      metadata: { ...metadata, generation: (metadata.generation ?? 0) + 1 },
      spec: { ...old, ...spec },
    };
  }

  step(): boolean {
    this.now += 10;
    const before = JSON.stringify([this.deployment, [...this.sets.values()], this.pods]);
    const plan = planDeployment({
      deployment: readDeployment(this.deployment),
      replicaSets: [...this.sets.values()].map(readReplicaSet),
      pods: this.pods,
      takenNames: new Set(),
      now: this.now,
    });
    for (const write of plan.writes) {
      const { name } = write.object.metadata;
      if (write.kind === 'delete') this.sets.delete(name);
      else this.sets.set(name, stored(write.object, this.now));
      this.#record();
    }
    const annotations = { ...this.deployment.metadata.annotations };
    if (plan.revision !== undefined) annotations['deployment.kubernetes.io/revision'] = plan.revision;
    this.deployment = {
      ...this.deployment,
      metadata: { ...this.deployment.metadata, annotations },
      status: plan.status,
    };
    const progressing = getArray(plan.status, 'conditions').find((item) => getString(item, 'type') === 'Progressing');
    const reason = getString(progressing, 'reason') ?? '';
    if (this.reasons.at(-1) !== reason) this.reasons.push(reason);
    for (const set of this.sets.values()) this.#stepSet(set);
    return JSON.stringify([this.deployment, [...this.sets.values()], this.pods]) !== before;
  }

  #record(): void {
    const sizes = [...this.sets.values()]
      .sort((a, b) => revision(b) - revision(a))
      .map((set) => getNumber(set, 'spec', 'replicas') ?? 0)
      .join('/');
    if (this.trace.at(-1) !== sizes) this.trace.push(sizes);
  }

  #stepSet(set: ApiObject): void {
    const mine = (): ApiObject[] =>
      this.pods.filter((pod) => pod.metadata.ownerReferences?.[0]?.uid === set.metadata.uid);
    const plan = planReplicas(getNumber(set, 'spec', 'replicas') ?? 0, mine());
    this.pods = this.pods.filter((pod) => !plan.remove.includes(pod));
    for (let at = 0; at < plan.create; at += 1) {
      this.#names += 1;
      this.pods.push({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: `p${this.#names}`,
          ownerReferences: [
            { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: set.metadata.name, uid: set.metadata.uid ?? '' },
          ],
        },
        spec: { nodeName: 'n' },
        status: { phase: 'Running' },
      });
    }
    const { status } = replicaSetStatus({ set, pods: mine(), failure: undefined, now: this.now });
    this.sets.set(set.metadata.name, { ...set, status });
  }

  /** Makes one more pod ready; false when all are. */
  readyOne(image?: string): boolean {
    const at = this.pods.findIndex(
      (pod) => getArray(pod, 'status', 'conditions').length === 0 && this.#runs(pod, image),
    );
    const pod = this.pods[at];
    if (!pod) return false;
    this.pods[at] = {
      ...pod,
      status: {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
      },
    };
    return true;
  }

  #runs(pod: ApiObject, image: string | undefined): boolean {
    const set = [...this.sets.values()].find((one) => one.metadata.uid === pod.metadata.ownerReferences?.[0]?.uid);
    return image === undefined || getString(set, 'spec', 'template', 'spec', 'containers', 0, 'image') === image;
  }

  settle(): void {
    for (let steps = 0; this.step(); steps += 1) assert.ok(steps < 100, 'the plans come to rest');
  }

  /** Pods get ready one at a time, whenever everything else rests. */
  run(): void {
    this.settle();
    while (this.readyOne()) this.settle();
  }
}

function template(image: string): object {
  return { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image }] } };
}

function stored(object: ApiObject, now: number): ApiObject {
  const { metadata } = object;
  const first = metadata.uid === undefined;
  return {
    ...object,
    metadata: {
      ...metadata,
      generation: 1,
      uid: metadata.uid ?? `uid-${metadata.name}`,
      creationTimestamp: first ? new Date(now).toISOString() : (metadata.creationTimestamp ?? ''),
    },
  };
}

function revision(set: ApiObject): number {
  return Number(set.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0);
}

const rolling = (maxSurge: unknown, maxUnavailable: unknown): Record<string, unknown> => ({
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
});

const traces: { name: string; spec: Record<string, unknown>; want: string[] }[] = [
  {
    name: '4 replicas, 25 % and 25 %',
    spec: { replicas: 4, ...rolling('25%', '25%') },
    // New up by one, old down by one, and so on: never more than 5, never fewer than 3 available.
    want: ['4', '1/4', '1/3', '2/3', '2/2', '3/2', '3/1', '4/1', '4/0'],
  },
  { name: 'no surge', spec: { replicas: 2, ...rolling(0, 1) }, want: ['2', '0/2', '0/1', '1/1', '1/0', '2/0'] },
  { name: 'no unavailable', spec: { replicas: 2, ...rolling(1, 0) }, want: ['2', '1/2', '1/1', '2/1', '2/0'] },
  {
    name: 'both zero is one unavailable',
    spec: { replicas: 2, ...rolling(0, 0) },
    want: ['2', '0/2', '0/1', '1/1', '1/0', '2/0'],
  },
  { name: 'everything at once', spec: { replicas: 2, ...rolling('100%', '100%') }, want: ['2', '2/2', '2/0'] },
  { name: 'recreate', spec: { replicas: 2, strategy: { type: 'Recreate' } }, want: ['2', '0', '2/0'] },
];

for (const { name, spec, want } of traces)
  test(`rollout: ${name}`, () => {
    const rollout = new Rollout(spec);
    rollout.run();
    rollout.change({ template: template('a:2') });
    rollout.run();
    assert.deepEqual(rollout.trace, want);
    assert.deepEqual(rollout.reasons, [
      'NewReplicaSetCreated',
      'ReplicaSetUpdated',
      'NewReplicaSetAvailable',
      // Recreate makes the new set when the last old pod is gone, which is progress already.
      ...(name === 'recreate' ? [] : ['NewReplicaSetCreated']),
      'ReplicaSetUpdated',
      'NewReplicaSetAvailable',
    ]);
    assert.equal(rollout.deployment.metadata.annotations?.['deployment.kubernetes.io/revision'], '2');
    assert.equal(rollout.step(), false);
  });

test('rollout: never more than surge allows, never fewer available than promised', () => {
  const rollout = new Rollout({ replicas: 4, ...rolling('25%', '25%') });
  rollout.run();
  rollout.change({ template: template('a:2') });
  const check = (): void => {
    const available = rollout.pods.filter((pod) => getArray(pod, 'status', 'conditions').length > 0).length;
    assert.ok(rollout.pods.length <= 5, `${rollout.pods.length} pods`);
    assert.ok(available >= 3, `${available} available`);
  };
  for (let steps = 0; steps < 60; steps += 1) {
    if (!rollout.step()) rollout.readyOne();
    check();
  }
});

test('an update that does not come up stops with the old pods serving, and its deadline passes', () => {
  const rollout = new Rollout({ replicas: 4, ...rolling('25%', '25%'), progressDeadlineSeconds: 8 });
  rollout.run();
  rollout.change({ template: template('bad:1') });
  rollout.settle();
  assert.equal(rollout.trace.at(-1), '2/3');
  const status = rollout.deployment['status'];
  assert.deepEqual(
    {
      replicas: getNumber(status, 'replicas'),
      updated: getNumber(status, 'updatedReplicas'),
      available: getNumber(status, 'availableReplicas'),
      unavailable: getNumber(status, 'unavailableReplicas'),
    },
    { replicas: 5, updated: 2, available: 3, unavailable: 2 },
  );
  rollout.now += 9000;
  rollout.settle();
  const conditions = getArray(rollout.deployment, 'status', 'conditions');
  const progressing = conditions.find((condition) => getString(condition, 'type') === 'Progressing');
  assert.equal(getString(progressing, 'status'), 'False');
  assert.equal(getString(progressing, 'reason'), 'ProgressDeadlineExceeded');
  assert.match(getString(progressing, 'message') ?? '', /^ReplicaSet "d-[a-z0-9]+" has timed out progressing\.$/);
});

test('a rollback to an earlier template takes its set again, as a new revision', () => {
  const rollout = new Rollout({ replicas: 1, ...rolling(1, 0) });
  rollout.run();
  const [first] = [...rollout.sets.keys()];
  rollout.change({ template: template('a:2') });
  rollout.run();
  rollout.change({ template: template('a:1') });
  rollout.run();
  assert.equal(rollout.sets.size, 2);
  const again = rollout.sets.get(first ?? '');
  assert.equal(getNumber(again, 'spec', 'replicas'), 1);
  assert.equal(again?.metadata.annotations?.['deployment.kubernetes.io/revision'], '3');
  assert.equal(again?.metadata.annotations?.['deployment.kubernetes.io/revision-history'], '1');
});

test('a paused deployment is scaled but not rolled out', () => {
  const rollout = new Rollout({ replicas: 2, ...rolling(1, 0) });
  rollout.run();
  rollout.change({ paused: true, replicas: 3, template: template('a:2') });
  rollout.run();
  assert.deepEqual(rollout.trace, ['2', '3']);
  rollout.change({ paused: false });
  rollout.run();
  assert.equal(rollout.trace.at(-1), '3/0');
});

test('a change of replicas in mid-rollout is shared out in proportion', () => {
  const rollout = new Rollout({ replicas: 10, ...rolling(3, 2) });
  rollout.run();
  rollout.change({ template: template('a:2') });
  rollout.settle();
  assert.equal(rollout.trace.at(-1), '5/8');
  rollout.change({ replicas: 15 });
  rollout.step();
  assert.equal(rollout.trace.at(-1), '7/11');
});

test('old empty sets beyond the history limit are deleted', () => {
  const rollout = new Rollout({ replicas: 1, revisionHistoryLimit: 1, ...rolling(1, 0) });
  for (const image of ['a:1', 'a:2', 'a:3', 'a:4']) {
    rollout.change({ template: template(image) });
    rollout.run();
  }
  assert.deepEqual([...rollout.sets.values()].map(revision).sort(), [3, 4]);
});

test('counts of zero are left out of the status, and the whole status is as recorded', () => {
  const rollout = new Rollout({ replicas: 4, ...rolling('25%', '25%') });
  rollout.settle();
  const status = rollout.deployment['status'];
  assert.ok(isObject(status));
  assert.deepEqual(Object.keys(status), [
    'observedGeneration',
    'replicas',
    'updatedReplicas',
    'unavailableReplicas',
    'conditions',
  ]);
  rollout.run();
  assert.deepEqual(Object.keys(rollout.deployment['status'] ?? {}), [
    'observedGeneration',
    'replicas',
    'updatedReplicas',
    'readyReplicas',
    'availableReplicas',
    'conditions',
  ]);
});
