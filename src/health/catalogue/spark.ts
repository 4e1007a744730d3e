import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from '../health.ts';
import { always, at, field, firstOf, items, present, textAt } from '../rules.ts';

interface Range {
  least: number;
  most: number;
}

/** The executors that dynamic allocation may choose, from the specification or Spark's own settings. */
function allocation(object: KubeObject): Range | undefined {
  const bounds = (least: unknown, most: unknown): Range => ({
    least: Number(least ?? 0),
    most: Number(most ?? Number.POSITIVE_INFINITY),
  });
  const own = 'spec.dynamicAllocation';
  if (at(object, `${own}.enabled`) === true)
    return bounds(at(object, `${own}.minExecutors`), at(object, `${own}.maxExecutors`));
  const settings = at(object, 'spec.sparkConf');
  const setting = (name: string): unknown => new Map(Object.entries(settings ?? {})).get(name);
  for (const prefix of ['spark.streaming.dynamicAllocation', 'spark.dynamicAllocation']) {
    if (setting(`${prefix}.enabled`) === 'true')
      return bounds(setting(`${prefix}.minExecutors`), setting(`${prefix}.maxExecutors`));
  }
  return undefined;
}

function running(object: KubeObject): Health | undefined {
  const isRunning = textAt(object, 'status.applicationState.state') === 'RUNNING';
  if (!isRunning || !present(object, 'status.executorState')) return undefined;
  const count = items(object, 'status.executorState').filter((state) => state === 'RUNNING').length;
  const range = allocation(object);
  const instances = at(object, 'spec.executor.instances');
  const unspecified = instances === undefined && at(object, 'spec.dynamicAllocation') === undefined;
  const enough =
    instances === count ||
    (range === undefined ? unspecified && count >= 1 : count >= range.least && count <= range.most);
  return enough ? health('Healthy', 'SparkApplication is Running') : undefined;
}

const failure = '{.status.applicationState.errorMessage}';

/** sparkoperator.k8s.io/SparkApplication: its state, and while it runs whether enough executors do. */
export const sparkApplication = firstOf(
  running,
  field('status.applicationState.state', {
    '': ['Progressing', 'SparkApplication was added, enqueuing it for submission'],
    SUBMITTED: ['Progressing', 'SparkApplication was submitted successfully'],
    COMPLETED: ['Healthy', 'SparkApplication was Completed'],
    FAILED: ['Degraded', failure],
    SUBMISSION_FAILED: ['Degraded', failure],
    PENDING_RERUN: ['Progressing', 'SparkApplication is Pending Rerun'],
    INVALIDATING: ['Missing', 'SparkApplication is in InvalidatingState'],
    SUCCEEDING: [
      'Progressing',
      'The driver pod has been completed successfully. The executor pods terminate and are cleaned up.\n' +
        'Under this circumstances, we assume the executor pod are completed.',
    ],
    FAILING: ['Degraded', failure],
    UNKNOWN: [
      'Progressing',
      'SparkApplication is in UnknownState because either driver pod or one or all executor pods in unknown state  ',
    ],
  }),
  always('Progressing', 'Waiting for Executor pods'),
);
