import { getArray, getNumber, getObject, getPath, getString, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { type Condition, parseConditions, parseTime } from './condition.ts';

export const trackingFinalizer = 'batch.kubernetes.io/job-tracking';
const ownController = 'kubernetes.io/job-controller';
export const indexAnnotation = 'batch.kubernetes.io/job-completion-index';

/** A Job as its controller reads it. */
export interface JobView {
  object: ApiObject;
  template: JsonObject;
  parallelism: number;
  /** Undefined: done when one pod succeeded and the others ended. */
  completions: number | undefined;
  indexed: boolean;
  backoffLimit: number;
  activeDeadlineSeconds: number | undefined;
  ttlSeconds: number | undefined;
  suspended: boolean;
  /** Another controller runs it. */
  foreign: boolean;
  failureRules: readonly unknown[];
  successRules: readonly { indexes: ReadonlySet<number> | undefined; count: number | undefined }[];
  /** Failures that each index may have; undefined without such a limit. */
  backoffLimitPerIndex: number | undefined;
  maxFailedIndexes: number | undefined;
  /** A pod that is ending keeps its place until it has failed. */
  replacesFailedOnly: boolean;
  deleting: boolean;
  status: {
    succeeded: number;
    failed: number;
    startTime: string | undefined;
    completionTime: string | undefined;
    completedIndexes: ReadonlySet<number>;
    failedIndexes: ReadonlySet<number>;
    uncountedSucceeded: readonly string[];
    uncountedFailed: readonly string[];
    conditions: Condition[];
  };
}

export function readJob(object: ApiObject): JobView {
  const spec = getObject(object, 'spec');
  const strings = (...path: string[]): string[] =>
    getArray(object, 'status', ...path).filter((item): item is string => typeof item === 'string');
  return {
    object,
    template: getObject(spec, 'template'),
    parallelism: getNumber(spec, 'parallelism') ?? 1,
    completions: getNumber(spec, 'completions'),
    indexed: getString(spec, 'completionMode') === 'Indexed',
    backoffLimit: getNumber(spec, 'backoffLimit') ?? 6,
    activeDeadlineSeconds: getNumber(spec, 'activeDeadlineSeconds'),
    ttlSeconds: getNumber(spec, 'ttlSecondsAfterFinished'),
    suspended: getPath(spec, 'suspend') === true,
    foreign: (getString(spec, 'managedBy') ?? ownController) !== ownController,
    failureRules: getArray(spec, 'podFailurePolicy', 'rules'),
    successRules: getArray(spec, 'successPolicy', 'rules').map((rule) => {
      const indexes = getString(rule, 'succeededIndexes');
      return {
        indexes: indexes === undefined ? undefined : parseIndexes(indexes),
        count: getNumber(rule, 'succeededCount'),
      };
    }),
    backoffLimitPerIndex: getNumber(spec, 'backoffLimitPerIndex'),
    maxFailedIndexes: getNumber(spec, 'maxFailedIndexes'),
    replacesFailedOnly: getString(spec, 'podReplacementPolicy') === 'Failed',
    deleting: object.metadata.deletionTimestamp !== undefined,
    status: {
      succeeded: getNumber(object, 'status', 'succeeded') ?? 0,
      failed: getNumber(object, 'status', 'failed') ?? 0,
      startTime: getString(object, 'status', 'startTime'),
      completionTime: getString(object, 'status', 'completionTime'),
      completedIndexes: parseIndexes(getString(object, 'status', 'completedIndexes') ?? ''),
      failedIndexes: parseIndexes(getString(object, 'status', 'failedIndexes') ?? ''),
      uncountedSucceeded: strings('uncountedTerminatedPods', 'succeeded'),
      uncountedFailed: strings('uncountedTerminatedPods', 'failed'),
      conditions: parseConditions(object['status']),
    },
  };
}

/** `0-2,5` to the numbers. */
export function parseIndexes(text: string): Set<number> {
  const found = new Set<number>();
  for (const part of text.split(',')) {
    const [first, last = first] = part.split('-').map(Number);
    if (part === '' || first === undefined || last === undefined) continue;
    for (let index = first; index <= last; index += 1) found.add(index);
  }
  return found;
}

export function formatIndexes(indexes: ReadonlySet<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length; at += 1) {
    const first = sorted[at];
    while (sorted[at + 1] === (sorted[at] ?? 0) + 1) at += 1;
    const last = sorted[at];
    parts.push(first === last ? `${first}` : last === (first ?? 0) + 1 ? `${first},${last}` : `${first}-${last}`);
  }
  return parts.join(',');
}

export function indexOf(pod: ApiObject): number | undefined {
  const text = pod.metadata.annotations?.[indexAnnotation];
  return text === undefined ? undefined : Number(text);
}

/** When a pod's last container ended. */
export function finishedAt(pod: ApiObject): number | undefined {
  const times = getArray(pod, 'status', 'containerStatuses')
    .map((status) => parseTime(getString(status, 'state', 'terminated', 'finishedAt')))
    .filter((time) => time !== undefined);
  return times.length > 0 ? Math.max(...times) : undefined;
}
