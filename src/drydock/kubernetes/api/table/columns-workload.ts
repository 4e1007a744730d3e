import { getArray, getNumber, getObject, getPath, getString } from '#base/json.ts';
import type { ApiObject } from '../port.ts';
import { selectorText } from '../protocol/selector-text.ts';
import { ageOf, humanDuration } from './age.ts';
import { integer, orNone, text } from './columns-core.ts';
import { containerColumns, selectorColumn } from './columns-pod.ts';
import type { TableColumn } from './table-columns.ts';

const template = ['spec', 'template', 'spec'];

function status(field: string): TableColumn['cell'] {
  return (object) => getNumber(object, 'status', field) ?? 0;
}

function ready(object: ApiObject): string {
  return `${getNumber(object, 'status', 'readyReplicas') ?? 0}/${getNumber(object, 'spec', 'replicas') ?? 0}`;
}

function jobStatus(job: ApiObject): string {
  if (job.metadata.deletionTimestamp !== undefined) return 'Terminating';
  const is = (type: string): boolean =>
    getArray(job, 'status', 'conditions').some(
      (condition) => getString(condition, 'type') === type && getString(condition, 'status') === 'True',
    );
  if (is('Complete')) return 'Complete';
  if (is('Failed')) return 'Failed';
  if (is('Suspended')) return 'Suspended';
  if (is('FailureTarget')) return 'FailureTarget';
  return is('SuccessCriteriaMet') ? 'SuccessCriteriaMet' : 'Running';
}

function completions(job: ApiObject): string {
  const done = getNumber(job, 'status', 'succeeded') ?? 0;
  const wanted = getNumber(job, 'spec', 'completions');
  if (wanted !== undefined) return `${done}/${wanted}`;
  const parallelism = getNumber(job, 'spec', 'parallelism') ?? 0;
  return parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`;
}

function jobDuration(job: ApiObject, now: number): string {
  const start = getString(job, 'status', 'startTime');
  if (start === undefined) return '';
  const end = getString(job, 'status', 'completionTime');
  return humanDuration((end === undefined ? now : Date.parse(end)) - Date.parse(start));
}

function controllerOf(object: ApiObject): string {
  const owner = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
  if (!owner) return '<none>';
  const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : '';
  return `${owner.kind.toLowerCase()}${group}/${owner.name}`;
}

export const workloadColumns: Record<string, (TableColumn | 'age')[]> = {
  'deployments.apps': [
    text('Ready', ready),
    text('Up-to-date', (object) => getNumber(object, 'status', 'updatedReplicas') ?? 0),
    text('Available', (object) => getNumber(object, 'status', 'availableReplicas') ?? 0),
    'age',
    ...containerColumns(...template),
    selectorColumn('spec', 'selector'),
  ],
  'replicasets.apps': [
    integer('Desired', (object) => getNumber(object, 'spec', 'replicas') ?? 0),
    integer('Current', status('replicas')),
    integer('Ready', status('readyReplicas')),
    'age',
    ...containerColumns(...template),
    selectorColumn('spec', 'selector'),
  ],
  'statefulsets.apps': [text('Ready', ready), 'age', ...containerColumns(...template)],
  'daemonsets.apps': [
    integer('Desired', status('desiredNumberScheduled')),
    integer('Current', status('currentNumberScheduled')),
    integer('Ready', status('numberReady')),
    integer('Up-to-date', status('updatedNumberScheduled')),
    integer('Available', status('numberAvailable')),
    text('Node Selector', (object) => orNone(selectorText(getObject(object, ...template, 'nodeSelector')))),
    'age',
    ...containerColumns(...template),
    selectorColumn('spec', 'selector'),
  ],
  'controllerrevisions.apps': [
    text('Controller', controllerOf),
    text('Revision', (object) => String(getNumber(object, 'revision') ?? 0)),
    'age',
  ],
  'jobs.batch': [
    text('Status', jobStatus),
    text('Completions', completions),
    text('Duration', jobDuration),
    'age',
    ...containerColumns(...template),
    selectorColumn('spec', 'selector'),
  ],
  'cronjobs.batch': [
    text('Schedule', (object) => getString(object, 'spec', 'schedule') ?? ''),
    text('Timezone', (object) => orNone(getString(object, 'spec', 'timeZone'))),
    {
      name: 'Suspend',
      type: 'boolean',
      cell: (object) => (getPath(object, 'spec', 'suspend') === true ? 'True' : 'False'),
    },
    integer('Active', (object) => getArray(object, 'status', 'active').length),
    text('Last Schedule', (object, now) => {
      const last = getString(object, 'status', 'lastScheduleTime');
      return last === undefined ? '<none>' : ageOf(last, now);
    }),
    'age',
    ...containerColumns('spec', 'jobTemplate', ...template),
    selectorColumn('spec', 'jobTemplate', 'spec', 'selector'),
  ],
  'horizontalpodautoscalers.autoscaling': [
    text('Reference', (object) => {
      const target = getObject(object, 'spec', 'scaleTargetRef');
      return `${String(target['kind'] ?? '')}/${String(target['name'] ?? '')}`;
    }),
    text('Targets', (object) => orNone(getArray(object, 'spec', 'metrics').map(metricTarget).join(', '))),
    text('MinPods', (object) => String(getNumber(object, 'spec', 'minReplicas') ?? '<unset>')),
    text('MaxPods', (object) => getNumber(object, 'spec', 'maxReplicas') ?? 0),
    text('Replicas', (object) => getNumber(object, 'status', 'currentReplicas') ?? 0),
    'age',
  ],
};

function metricTarget(metric: unknown): string {
  const name = getString(metric, 'resource', 'name') ?? '';
  const utilization = getNumber(metric, 'resource', 'target', 'averageUtilization');
  if (utilization !== undefined) return `${name}: <unknown>/${utilization}%`;
  const value = getPath(metric, 'resource', 'target', 'averageValue');
  return value === undefined ? '<unknown>' : `${name}: <unknown>/${String(value)}`;
}
