import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getArray, getNumber, getPath, getString, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { type JobPlan, planJob } from './job-plan.ts';
import { indexAnnotation, readJob, trackingFinalizer } from './job-view.ts';

const now = Date.UTC(2026, 0, 1, 12);
const backoff = { firstMs: 10_000, maxMs: 60_000 };

interface PodRow {
  phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  index?: number;
  exitCode?: number;
  condition?: string;
  /** Earlier failures of its index. */
  failures?: number;
  endedMsAgo?: number;
  counted?: true;
  deleting?: true;
}

function podOf(row: PodRow, at: number): ApiObject {
  const { phase = 'Running', index, exitCode, condition, failures, endedMsAgo = 3_600_000, counted, deleting } = row;
  const finishedAt = new Date(now - endedMsAgo).toISOString();
  const ended = phase === 'Failed' || phase === 'Succeeded';
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `p${at}`,
      namespace: 'n',
      uid: `u${at}`,
      annotations: {
        ...(index === undefined ? {} : { [indexAnnotation]: String(index) }),
        ...(failures === undefined ? {} : { 'batch.kubernetes.io/job-index-failure-count': String(failures) }),
      },
      ...(counted ? {} : { finalizers: [trackingFinalizer] }),
      ...(deleting ? { deletionTimestamp: finishedAt, deletionGracePeriodSeconds: 30 } : {}),
    },
    status: {
      phase,
      ...(condition === undefined ? {} : { conditions: [{ type: condition, status: 'True' }] }),
      ...(ended
        ? { containerStatuses: [{ name: 'c', state: { terminated: { exitCode: exitCode ?? 1, finishedAt } } }] }
        : {}),
    },
  };
}

function plan(spec: JsonObject, pods: PodRow[], status: JsonObject = {}): JobPlan {
  const job: ApiObject = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'j', namespace: 'n', uid: 'job' },
    spec: { parallelism: 1, completions: 1, backoffLimit: 6, template: { spec: { restartPolicy: 'Never' } }, ...spec },
    status: { startTime: '2026-01-01T11:00:00Z', ...status },
  };
  return planJob(readJob(job), pods.map(podOf), { now, backoff });
}

/** What a plan does, in one line. */
function told({ create, remove, status, finished, recheckAfterMs }: JobPlan): JsonObject {
  const conditions = getArray(status, 'conditions').map(
    (item) => `${getString(item, 'type')}=${getString(item, 'status')}:${getString(item, 'reason')}`,
  );
  return {
    ...(create.length > 0 ? { create: create.map(({ index, failures }) => index ?? failures ?? 'pod') } : {}),
    ...(remove.length > 0 ? { remove: remove.map((pod) => pod.metadata.name) } : {}),
    ...(conditions.length > 0 ? { conditions } : {}),
    ...(finished ? { finished: finished.type } : {}),
    ...(recheckAfterMs === undefined ? {} : { recheckAfterMs }),
  };
}

const indexed = { completionMode: 'Indexed', completions: 3, parallelism: 3 };
const failJob = { action: 'FailJob', onExitCodes: { containerName: 'c', operator: 'In', values: [42] } };
const ignore = { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] };
const perIndex = { ...indexed, backoffLimitPerIndex: 1, backoffLimit: 2147483647 };

const rows: { name: string; spec?: JsonObject; pods: PodRow[]; status?: JsonObject; want: JsonObject }[] = [
  { name: 'the first pod', pods: [], want: { create: ['pod'] } },
  { name: 'one runs', pods: [{}], want: {} },
  {
    name: 'as many as may run at once',
    spec: { parallelism: 2, completions: 5 },
    pods: [{}],
    want: { create: ['pod'] },
  },
  {
    name: 'one succeeded and is counted first',
    pods: [{ phase: 'Succeeded' }],
    want: { conditions: ['SuccessCriteriaMet=True:CompletionsReached'] },
  },
  {
    name: 'all are counted',
    pods: [{ phase: 'Succeeded', counted: true }],
    status: {
      succeeded: 1,
      conditions: [{ type: 'SuccessCriteriaMet', status: 'True', reason: 'CompletionsReached' }],
    },
    want: {
      conditions: ['SuccessCriteriaMet=True:CompletionsReached', 'Complete=True:CompletionsReached'],
      finished: 'Complete',
    },
  },
  { name: 'a failure is waited for', pods: [{ phase: 'Failed', endedMsAgo: 4_000 }], want: { recheckAfterMs: 6_000 } },
  { name: 'after the wait', pods: [{ phase: 'Failed', endedMsAgo: 11_000 }], want: { create: ['pod'] } },
  {
    name: 'too many failures',
    spec: { backoffLimit: 0 },
    pods: [{ phase: 'Failed' }],
    want: { conditions: ['FailureTarget=True:BackoffLimitExceeded'] },
  },
  {
    name: 'longer than it may take',
    spec: { activeDeadlineSeconds: 60 },
    pods: [{}],
    want: { remove: ['p0'], conditions: ['FailureTarget=True:DeadlineExceeded'] },
  },
  {
    name: 'suspended',
    spec: { suspend: true },
    pods: [{}],
    want: { remove: ['p0'], conditions: ['Suspended=True:JobSuspended'] },
  },
  {
    name: 'resumed',
    pods: [],
    status: { conditions: [{ type: 'Suspended', status: 'True', reason: 'JobSuspended' }] },
    want: { create: ['pod'], conditions: ['Suspended=False:JobResumed'] },
  },
  { name: 'every index once', spec: indexed, pods: [{ index: 1 }], want: { create: [0, 2] } },
  {
    name: 'an exit code that ends the job',
    spec: { podFailurePolicy: { rules: [failJob] } },
    pods: [{ phase: 'Failed', exitCode: 42 }],
    want: { conditions: ['FailureTarget=True:PodFailurePolicy'] },
  },
  {
    name: 'a failure that does not count',
    spec: { backoffLimit: 0, podFailurePolicy: { rules: [ignore] } },
    pods: [{ phase: 'Failed', condition: 'DisruptionTarget' }],
    want: { create: ['pod'] },
  },
  {
    name: 'a pod that is ending may be replaced',
    pods: [{ deleting: true }],
    want: { create: ['pod'] },
  },
  {
    name: 'a pod that is ending keeps its place',
    spec: { podReplacementPolicy: 'Failed' },
    pods: [{ deleting: true }],
    want: {},
  },
  {
    name: 'an index fails by itself and waits by itself',
    spec: perIndex,
    pods: [{ index: 0, phase: 'Failed', endedMsAgo: 1_000 }, { index: 1 }],
    want: { create: [2], recheckAfterMs: 9_000 },
  },
  {
    name: 'an index that failed too often is given up',
    spec: perIndex,
    pods: [{ index: 0, phase: 'Failed', failures: 1 }, { index: 1 }, { index: 2 }],
    want: {},
  },
  {
    name: 'the last index is lost',
    spec: perIndex,
    pods: [{ index: 0, phase: 'Failed', failures: 1 }],
    status: { completedIndexes: '1,2', succeeded: 2 },
    want: { conditions: ['FailureTarget=True:FailedIndexes'] },
  },
  {
    name: 'more indexes are lost than may be',
    spec: { ...perIndex, maxFailedIndexes: 0 },
    pods: [{ index: 0, phase: 'Failed', failures: 1 }, { index: 1 }],
    want: { remove: ['p1'], conditions: ['FailureTarget=True:MaxFailedIndexesExceeded'] },
  },
  {
    name: 'a rule gives an index up at once',
    spec: { ...perIndex, podFailurePolicy: { rules: [{ ...failJob, action: 'FailIndex' }] } },
    pods: [{ index: 0, phase: 'Failed', exitCode: 42 }, { index: 1 }, { index: 2 }],
    want: {},
  },
  {
    name: 'enough indexes succeeded',
    spec: { ...indexed, successPolicy: { rules: [{ succeededIndexes: '0-1', succeededCount: 1 }] } },
    pods: [{ index: 1, phase: 'Succeeded' }, { index: 0 }],
    want: { remove: ['p1'], conditions: ['SuccessCriteriaMet=True:SuccessPolicy'] },
  },
  {
    name: 'all of the named indexes are asked for',
    spec: { ...indexed, successPolicy: { rules: [{ succeededIndexes: '0-1' }] } },
    pods: [{ index: 1, phase: 'Succeeded' }, { index: 0 }, { index: 2 }],
    want: {},
  },
];

for (const { name, spec = {}, pods, status, want } of rows)
  test(`job: ${name}`, () => assert.deepEqual(told(plan(spec, pods, status)), want));

test('a failure that does not count is let go and leaves no trace; others are counted in two steps', () => {
  const policy = { podFailurePolicy: { rules: [ignore] } };
  const first = plan(policy, [{ phase: 'Failed', condition: 'DisruptionTarget' }, { phase: 'Failed' }]);
  assert.deepEqual(
    first.release.map((pod) => pod.metadata.name),
    ['p0', 'p1'],
  );
  assert.deepEqual(getPath(first.status, 'uncountedTerminatedPods', 'failed'), ['u1']);
  const second = plan(policy, [{ phase: 'Failed', condition: 'DisruptionTarget', counted: true }], first.status);
  assert.equal(getNumber(second.status, 'failed'), 1);
});

test('what happened to indexes is told in the status, and in the next pod', () => {
  const { status, create } = plan(perIndex, [
    { index: 0, phase: 'Failed', failures: 1 },
    { index: 1, phase: 'Failed' },
    { index: 2, phase: 'Succeeded' },
  ]);
  assert.deepEqual([getString(status, 'failedIndexes'), getString(status, 'completedIndexes')], ['0', '2']);
  assert.deepEqual(create, [{ index: 1, failures: 1 }]);
});

test('a finished job is deleted when its time is over', () => {
  const over = (secondsAgo: number) => ({
    conditions: [
      { type: 'Complete', status: 'True', lastTransitionTime: new Date(now - secondsAgo * 1000).toISOString() },
    ],
  });
  assert.equal(plan({ ttlSecondsAfterFinished: 10 }, [], over(11)).deleteJob, true);
  const early = plan({ ttlSecondsAfterFinished: 10 }, [], over(4));
  assert.deepEqual([early.deleteJob, early.recheckAfterMs], [false, 6_000]);
});
