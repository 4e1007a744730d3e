import { getArray, getNumber, getObject, getString, isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../port.ts';
import { selectorText } from '../protocol/selector-text.ts';
import { ageOf } from './age.ts';
import { integer, orNone, text } from './columns-core.ts';
import type { TableColumn } from './table-columns.ts';

const wide = { priority: 1 };

/** What `kubectl get pods` says of a pod, which is more than its phase. */
export interface PodSummary {
  ready: string;
  status: string;
  restarts: string;
}

export function podSummary(pod: ApiObject, now: number): PodSummary {
  const containers = getArray(pod, 'spec', 'containers');
  const statuses = getArray(pod, 'status', 'containerStatuses').filter(isObject);
  const initialising = initReason(pod);
  const counted = [...statuses, ...restartableInits(pod)];
  const ready = statuses.filter((status) => status['ready'] === true && isObject(stateOf(status, 'running'))).length;
  return {
    ready: `${ready}/${containers.length}`,
    status: deletionReason(pod, initialising ?? mainReason(pod, statuses)),
    restarts: restarts(initialising === undefined ? counted : getArray(pod, 'status', 'initContainerStatuses'), now),
  };
}

function mainReason(pod: ApiObject, statuses: JsonObject[]): string {
  let reason = getString(pod, 'status', 'reason') ?? getString(pod, 'status', 'phase') ?? 'Unknown';
  let running = false;
  for (const status of statuses.toReversed()) {
    const waiting = getString(status, 'state', 'waiting', 'reason') ?? '';
    const ended = stateOf(status, 'terminated');
    if (waiting !== '') reason = waiting;
    else if (ended) reason = terminatedReason(ended);
    else if (status['ready'] === true && stateOf(status, 'running')) running = true;
  }
  if (reason === 'Completed' && running) return isReady(pod) ? 'Running' : 'NotReady';
  return reason;
}

/** `Init:1/2` and the like while init containers run; undefined when they are through. */
function initReason(pod: ApiObject): string | undefined {
  const total = getArray(pod, 'spec', 'initContainers').length;
  const sidecars = new Set(restartableInits(pod).map((status) => status['name']));
  for (const [index, status] of getArray(pod, 'status', 'initContainerStatuses').entries()) {
    const ended = stateOf(status, 'terminated');
    if (ended && getNumber(ended, 'exitCode') === 0) continue;
    if (isObject(status) && sidecars.has(status['name']) && status['started'] === true) continue;
    if (ended) return `Init:${terminatedReason(ended)}`;
    const waiting = getString(status, 'state', 'waiting', 'reason') ?? '';
    if (waiting !== '' && waiting !== 'PodInitializing') return `Init:${waiting}`;
    return `Init:${index}/${total}`;
  }
  return undefined;
}

function restartableInits(pod: ApiObject): JsonObject[] {
  const always = getArray(pod, 'spec', 'initContainers')
    .filter((container) => getString(container, 'restartPolicy') === 'Always')
    .map((container) => getString(container, 'name'));
  return getArray(pod, 'status', 'initContainerStatuses')
    .filter(isObject)
    .filter((status) => always.includes(getString(status, 'name')));
}

function terminatedReason(ended: JsonObject): string {
  const reason = getString(ended, 'reason') ?? '';
  if (reason !== '') return reason;
  const signal = getNumber(ended, 'signal') ?? 0;
  return signal === 0 ? `ExitCode:${getNumber(ended, 'exitCode') ?? 0}` : `Signal:${signal}`;
}

function deletionReason(pod: ApiObject, reason: string): string {
  if (pod.metadata.deletionTimestamp === undefined) return reason;
  if (getString(pod, 'status', 'reason') === 'NodeLost') return 'Unknown';
  const phase = getString(pod, 'status', 'phase');
  return phase === 'Succeeded' || phase === 'Failed' ? reason : 'Terminating';
}

function restarts(statuses: unknown[], now: number): string {
  let total = 0;
  let last = '';
  for (const status of statuses) {
    total += getNumber(status, 'restartCount') ?? 0;
    const finished = getString(status, 'lastState', 'terminated', 'finishedAt') ?? '';
    if (finished > last) last = finished;
  }
  return total > 0 && last !== '' ? `${total} (${ageOf(last, now)} ago)` : String(total);
}

function stateOf(status: unknown, state: string): JsonObject | undefined {
  const found = getObject(status, 'state')[state];
  return isObject(found) ? found : undefined;
}

function isReady(pod: ApiObject): boolean {
  return getArray(pod, 'status', 'conditions').some(
    (condition) => getString(condition, 'type') === 'Ready' && getString(condition, 'status') === 'True',
  );
}

function readinessGates(pod: ApiObject): string {
  const gates = getArray(pod, 'spec', 'readinessGates').map((gate) => getString(gate, 'conditionType'));
  if (gates.length === 0) return '<none>';
  const met = getArray(pod, 'status', 'conditions').filter(
    (condition) => gates.includes(getString(condition, 'type')) && getString(condition, 'status') === 'True',
  );
  return `${met.length}/${gates.length}`;
}

/** Container names and images of a pod template, in two columns that `-o wide` shows. */
export function containerColumns(...path: string[]): TableColumn[] {
  const list = (object: ApiObject, member: string): string =>
    getArray(object, ...path, 'containers')
      .map((container) => getString(container, member) ?? '')
      .join(',');
  return [
    text('Containers', (object) => list(object, 'name'), wide),
    text('Images', (object) => list(object, 'image'), wide),
  ];
}

export function selectorColumn(...path: string[]): TableColumn {
  return text('Selector', (object) => orNone(selectorText(getObject(object, ...path))), wide);
}

export const podColumns: Record<string, (TableColumn | 'age')[]> = {
  pods: [
    text('Ready', (pod, now) => podSummary(pod, now).ready),
    text('Status', (pod, now) => podSummary(pod, now).status),
    text('Restarts', (pod, now) => podSummary(pod, now).restarts),
    'age',
    text('IP', (pod) => orNone(getString(pod, 'status', 'podIP')), wide),
    text('Node', (pod) => orNone(getString(pod, 'spec', 'nodeName')), wide),
    text('Nominated Node', (pod) => orNone(getString(pod, 'status', 'nominatedNodeName')), wide),
    text('Readiness Gates', readinessGates, wide),
  ],
  podtemplates: [
    ...containerColumns('template', 'spec').map((column) => ({ ...column, priority: 0 })),
    text('Pod Labels', (template) => orNone(selectorText(getObject(template, 'template', 'metadata', 'labels')))),
  ],
  replicationcontrollers: [
    integer('Desired', (object) => getNumber(object, 'spec', 'replicas') ?? 0),
    integer('Current', (object) => getNumber(object, 'status', 'replicas') ?? 0),
    integer('Ready', (object) => getNumber(object, 'status', 'readyReplicas') ?? 0),
    'age',
    ...containerColumns('spec', 'template', 'spec'),
    selectorColumn('spec', 'selector'),
  ],
};
