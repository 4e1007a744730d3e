import { getArray, getNumber, getString } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { indexOf, type JobView } from './job-view.ts';
import { podPhase } from './pod-state.ts';

/** How many pods of an index failed before this one; carried by the pods of jobs that limit failures per index. */
export const failureCountAnnotation = 'batch.kubernetes.io/job-index-failure-count';

export interface PolicyMatch {
  action: 'FailJob' | 'Ignore' | 'Count' | 'FailIndex';
  message: string;
}

/** The first rule of the job's failure policy that a failed pod falls under. */
export function matchFailurePolicy(job: JobView, pod: ApiObject): PolicyMatch | undefined {
  if (podPhase(pod) !== 'Failed') return undefined;
  const { namespace, name } = pod.metadata;
  for (const [index, rule] of job.failureRules.entries()) {
    const action = getString(rule, 'action');
    if (action !== 'FailJob' && action !== 'Ignore' && action !== 'Count' && action !== 'FailIndex') continue;
    const container = matchingExit(rule, pod);
    if (container) {
      const { name: which, code } = container;
      const message = `Container ${which} for pod ${namespace}/${name} failed with exit code ${code} matching ${action} rule at index ${index}`;
      return { action, message };
    }
    const condition = matchingCondition(rule, pod);
    if (condition !== undefined) {
      const message = `Pod ${namespace}/${name} has condition ${condition} matching ${action} rule at index ${index}`;
      return { action, message };
    }
  }
  return undefined;
}

function matchingExit(rule: unknown, pod: ApiObject): { name: string; code: number } | undefined {
  const operator = getString(rule, 'onExitCodes', 'operator');
  if (operator === undefined) return undefined;
  const only = getString(rule, 'onExitCodes', 'containerName');
  const values = getArray(rule, 'onExitCodes', 'values');
  const statuses = [
    ...getArray(pod, 'status', 'containerStatuses'),
    ...getArray(pod, 'status', 'initContainerStatuses'),
  ];
  for (const status of statuses) {
    const name = getString(status, 'name') ?? '';
    const code = getNumber(status, 'state', 'terminated', 'exitCode') ?? 0;
    if (code === 0 || (only !== undefined && only !== name)) continue;
    if (values.includes(code) === (operator === 'In')) return { name, code };
  }
  return undefined;
}

function matchingCondition(rule: unknown, pod: ApiObject): string | undefined {
  const conditions = getArray(pod, 'status', 'conditions');
  for (const pattern of getArray(rule, 'onPodConditions')) {
    const type = getString(pattern, 'type');
    const status = getString(pattern, 'status') ?? 'True';
    const met = conditions.some((item) => getString(item, 'type') === type && getString(item, 'status') === status);
    if (met && type !== undefined) return type;
  }
  return undefined;
}

/** The first rule of the success policy that is met by the indexes that succeeded. */
export function metSuccessRule(job: JobView, completed: ReadonlySet<number>): number | undefined {
  const met = job.successRules.findIndex(({ indexes, count }) => {
    const counted = indexes === undefined ? completed.size : [...indexes].filter((one) => completed.has(one)).length;
    return count === undefined ? indexes !== undefined && counted === indexes.size : counted >= count;
  });
  return met < 0 ? undefined : met;
}

/** How often each index failed, ignored failures left out, and which indexes a rule gave up. */
export function failuresByIndex(
  job: JobView,
  pods: readonly ApiObject[],
): { counts: ReadonlyMap<number, number>; givenUp: ReadonlySet<number> } {
  const counts = new Map<number, number>();
  const givenUp = new Set<number>();
  for (const pod of pods) {
    const index = indexOf(pod);
    if (index === undefined || podPhase(pod) !== 'Failed') continue;
    const action = matchFailurePolicy(job, pod)?.action;
    if (action === 'FailIndex') givenUp.add(index);
    const before = Number(pod.metadata.annotations?.[failureCountAnnotation] ?? 0);
    const failures = action === 'Ignore' ? before : before + 1;
    counts.set(index, Math.max(counts.get(index) ?? 0, failures));
  }
  return { counts, givenUp };
}
