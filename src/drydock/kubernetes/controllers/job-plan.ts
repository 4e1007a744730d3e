import { timestamp } from '#base/clock.ts';
import { getString, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { type Condition, findCondition, parseTime, withCondition } from './condition.ts';
import { failuresByIndex, matchFailurePolicy, metSuccessRule } from './job-policy.ts';
import { finishedAt, formatIndexes, indexOf, type JobView, trackingFinalizer } from './job-view.ts';
import { isDeleting, isPodReady, podPhase, restartsOf } from './pod-state.ts';

export interface JobPlan {
  create: NewPod[];
  remove: ApiObject[];
  /** Pods that are counted: their tracking finalizer goes, after the status was written. */
  release: ApiObject[];
  status: JsonObject;
  /** The job reached its end in this step. */
  finished: Pick<Condition, 'type' | 'reason' | 'message'> | undefined;
  deleteJob: boolean;
  recheckAfterMs: number | undefined;
}

export interface NewPod {
  /** Undefined for a job without indexes. */
  index: number | undefined;
  /** Earlier failures of the index, where the job limits them. */
  failures: number | undefined;
}

export interface JobBackoff {
  firstMs: number;
  maxMs: number;
}

interface Tally {
  succeeded: number;
  failed: number;
  uncountedSucceeded: string[];
  uncountedFailed: string[];
  completed: Set<number>;
  failedIndexes: Set<number>;
  /** Failed pods that the failure policy does not count. */
  ignored: string[];
  /** Why the failure policy ends the job. */
  fatal: string | undefined;
}

/**
 * One step of a Job. Pods are counted in two writes, so that none is lost or counted twice: first noted as uncounted,
 * then, when the finalizer that kept them is gone, added to the counts.
 */
export function planJob(
  job: JobView,
  pods: readonly ApiObject[],
  options: { now: number; backoff: JobBackoff },
): JobPlan {
  const { now } = options;
  const before = job.status.conditions;
  const over = before.find((item) => (item.type === 'Complete' || item.type === 'Failed') && item.status === 'True');
  if (over || job.deleting) return planFinished(job, pods, { over, now });
  const tally = countPods(job, pods);
  const active = pods.filter((pod) => !isDeleting(pod) && !isFinished(pod));
  const terminating = pods.filter((pod) => isDeleting(pod) && !isFinished(pod));
  const startTime = job.suspended ? undefined : (job.status.startTime ?? timestamp(now));
  const succeeded = tally.succeeded + tally.uncountedSucceeded.length;
  const failed = tally.failed + tally.uncountedFailed.length;
  const verdict = findVerdict(job, { succeeded, failed, active, tally, now, startTime });
  let conditions = withSuspension(job, now);
  let finished: JobPlan['finished'];
  let remove: ApiObject[] = [];
  let create: JobPlan['create'] = [];
  let wakes: (number | undefined)[] = [];
  if (verdict) {
    const interim = verdict.type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget';
    const { reason, message } = verdict;
    conditions = withCondition(conditions, { type: interim, status: 'True', ...told(reason, message) }, { now });
    remove = active;
    const counted = tally.uncountedSucceeded.length + tally.uncountedFailed.length === 0;
    if (active.length + terminating.length === 0 && counted) {
      conditions = withCondition(conditions, { type: verdict.type, status: 'True', ...told(reason, message) }, { now });
      finished = verdict;
    }
  } else if (job.suspended) remove = active;
  else {
    const next = planPods(job, { pods, active, terminating, tally, failed, options });
    create = next.create;
    remove = next.remove;
    wakes = [next.waitMs, deadlineInMs(job, startTime, now)];
  }
  const left = wakes.filter((wake) => wake !== undefined);
  const release = pods.filter((pod) => isTracked(pod) && isUncounted(pod, tally));
  return {
    create,
    remove,
    release,
    status: statusObject({
      job,
      tally,
      active: active.length - remove.length + create.length,
      terminating,
      pods,
      conditions,
      startTime,
      now,
      finished,
    }),
    finished,
    deleteJob: false,
    recheckAfterMs: left.length > 0 ? Math.max(1, Math.min(...left)) : undefined,
  };
}

function withSuspension(job: JobView, now: number): Condition[] {
  const { conditions } = job.status;
  const type = 'Suspended';
  if (job.suspended)
    return withCondition(
      conditions,
      { type, status: 'True', reason: 'JobSuspended', message: 'Job suspended' },
      { now },
    );
  if (findCondition(conditions, type)?.status !== 'True') return conditions;
  return withCondition(conditions, { type, status: 'False', reason: 'JobResumed', message: 'Job resumed' }, { now });
}

function told(reason: string | undefined, message: string | undefined): { reason: string; message: string } {
  return { reason: reason ?? '', message: message ?? '' };
}

function isFinished(pod: ApiObject): boolean {
  const phase = podPhase(pod);
  // A pod that was deleted and only waits for its finalizer will not run again, whatever its phase says.
  return (
    phase === 'Succeeded' || phase === 'Failed' || (isDeleting(pod) && pod.metadata.deletionGracePeriodSeconds === 0)
  );
}

function isTracked(pod: ApiObject): boolean {
  return pod.metadata.finalizers?.includes(trackingFinalizer) ?? false;
}

function isUncounted(pod: ApiObject, tally: Tally): boolean {
  const uid = pod.metadata.uid ?? '';
  return tally.uncountedSucceeded.includes(uid) || tally.uncountedFailed.includes(uid) || tally.ignored.includes(uid);
}

function countPods(job: JobView, pods: readonly ApiObject[]): Tally {
  const { status } = job;
  const tracked = new Set(pods.filter(isTracked).map((pod) => pod.metadata.uid));
  const tally: Tally = {
    succeeded: status.succeeded,
    failed: status.failed,
    uncountedSucceeded: status.uncountedSucceeded.filter((uid) => tracked.has(uid)),
    uncountedFailed: status.uncountedFailed.filter((uid) => tracked.has(uid)),
    completed: new Set(status.completedIndexes),
    failedIndexes: new Set(status.failedIndexes),
    ignored: [],
    fatal: undefined,
  };
  tally.succeeded += status.uncountedSucceeded.length - tally.uncountedSucceeded.length;
  tally.failed += status.uncountedFailed.length - tally.uncountedFailed.length;
  for (const pod of pods) {
    if (!isTracked(pod) || !isFinished(pod) || isUncounted(pod, tally)) continue;
    const uid = pod.metadata.uid ?? '';
    const index = indexOf(pod);
    if (podPhase(pod) !== 'Succeeded') countFailure(job, pod, tally);
    else if (job.indexed && (index === undefined || tally.completed.has(index))) continue;
    else {
      if (index !== undefined) tally.completed.add(index);
      tally.uncountedSucceeded.push(uid);
    }
  }
  if (job.backoffLimitPerIndex !== undefined) giveUpIndexes(job, pods, tally);
  return tally;
}

function countFailure(job: JobView, pod: ApiObject, tally: Tally): void {
  const uid = pod.metadata.uid ?? '';
  const match = matchFailurePolicy(job, pod);
  if (match?.action === 'Ignore') {
    tally.ignored.push(uid);
    return;
  }
  if (match?.action === 'FailJob') tally.fatal ??= match.message;
  tally.uncountedFailed.push(uid);
}

function giveUpIndexes(job: JobView, pods: readonly ApiObject[], tally: Tally): void {
  const { counts, givenUp } = failuresByIndex(job, pods);
  for (const index of givenUp) tally.failedIndexes.add(index);
  for (const [index, failures] of counts)
    if (failures > (job.backoffLimitPerIndex ?? 0)) tally.failedIndexes.add(index);
  for (const index of tally.completed) tally.failedIndexes.delete(index);
}

function findVerdict(
  job: JobView,
  seen: {
    succeeded: number;
    failed: number;
    active: ApiObject[];
    tally: Tally;
    now: number;
    startTime: string | undefined;
  },
): { type: 'Complete' | 'Failed'; reason: string; message: string } | undefined {
  const targets = job.status.conditions.find(
    (item) => item.type === 'FailureTarget' || item.type === 'SuccessCriteriaMet',
  );
  if (targets) {
    const type = targets.type === 'FailureTarget' ? 'Failed' : 'Complete';
    return { type, ...told(targets.reason, targets.message) };
  }
  if (seen.tally.fatal !== undefined) return { type: 'Failed', reason: 'PodFailurePolicy', message: seen.tally.fatal };
  if (job.suspended) return undefined;
  const rule = metSuccessRule(job, seen.tally.completed);
  if (rule !== undefined)
    return { type: 'Complete', reason: 'SuccessPolicy', message: `Matched rules at index ${rule}` };
  if (deadlineInMs(job, seen.startTime, seen.now) === 0)
    return { type: 'Failed', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
  const restarts = seen.active.reduce((sum, pod) => sum + restartsOf(pod), 0);
  const inPlace = getString(job.template, 'spec', 'restartPolicy') === 'OnFailure' && restarts > 0;
  if (seen.failed > job.backoffLimit || (inPlace && restarts >= job.backoffLimit && job.backoffLimit > 0))
    return {
      type: 'Failed',
      reason: 'BackoffLimitExceeded',
      message: 'Job has reached the specified backoff limit',
    };
  const lost = seen.tally.failedIndexes.size;
  if (job.maxFailedIndexes !== undefined && lost > job.maxFailedIndexes)
    return {
      type: 'Failed',
      reason: 'MaxFailedIndexesExceeded',
      message: 'Job has exceeded the specified maximal number of failed indexes',
    };
  if (lost > 0 && lost + seen.tally.completed.size >= (job.completions ?? 0))
    return { type: 'Failed', reason: 'FailedIndexes', message: 'Job has failed indexes' };
  const enough =
    job.completions === undefined ? seen.succeeded > 0 && seen.active.length === 0 : seen.succeeded >= job.completions;
  return enough
    ? { type: 'Complete', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }
    : undefined;
}

function deadlineInMs(job: JobView, startTime: string | undefined, now: number): number | undefined {
  const from = parseTime(startTime);
  if (job.activeDeadlineSeconds === undefined || from === undefined) return undefined;
  return Math.max(0, from + job.activeDeadlineSeconds * 1000 - now);
}

function planPods(
  job: JobView,
  seen: {
    pods: readonly ApiObject[];
    active: ApiObject[];
    terminating: ApiObject[];
    tally: Tally;
    failed: number;
    options: { now: number; backoff: JobBackoff };
  },
): { create: NewPod[]; remove: ApiObject[]; waitMs: number | undefined } {
  const { active, tally, options } = seen;
  const ending = job.replacesFailedOnly ? seen.terminating : [];
  const succeeded = tally.succeeded + tally.uncountedSucceeded.length;
  const wanted =
    job.completions === undefined
      ? succeeded > 0
        ? active.length
        : job.parallelism
      : Math.min(job.parallelism, job.completions - succeeded - tally.failedIndexes.size);
  if (active.length >= wanted) return { create: [], remove: active.slice(wanted), waitMs: undefined };
  const missing = wanted - active.length - ending.length;
  if (missing <= 0) return { create: [], remove: [], waitMs: undefined };
  if (job.backoffLimitPerIndex !== undefined) return planIndexes(job, { ...seen, ending, missing });
  const waitMs = backoffInMs(seen.pods, seen.failed, options);
  if (waitMs > 0) return { create: [], remove: [], waitMs };
  const unnumbered = { index: undefined, failures: undefined };
  if (!job.indexed) return { create: Array.from({ length: missing }, () => unnumbered), remove: [], waitMs: undefined };
  const free = freeIndexes(job, tally, [...active, ...ending]).slice(0, missing);
  return { create: free.map((index) => ({ index, failures: undefined })), remove: [], waitMs: undefined };
}

function freeIndexes(job: JobView, tally: Tally, there: readonly ApiObject[]): number[] {
  const used = new Set([...tally.completed, ...tally.failedIndexes, ...there.map(indexOf)]);
  return Array.from({ length: job.completions ?? 0 }, (_, index) => index).filter((index) => !used.has(index));
}

/** Each index waits for its own failures only. */
function planIndexes(
  job: JobView,
  seen: Parameters<typeof planPods>[1] & { ending: ApiObject[]; missing: number },
): { create: NewPod[]; remove: ApiObject[]; waitMs: number | undefined } {
  const { counts } = failuresByIndex(job, seen.pods);
  const create: NewPod[] = [];
  const waits: number[] = [];
  for (const index of freeIndexes(job, seen.tally, [...seen.active, ...seen.ending])) {
    const failures = counts.get(index) ?? 0;
    const own = seen.pods.filter((pod) => indexOf(pod) === index);
    const waitMs = backoffInMs(own, failures, seen.options);
    if (waitMs > 0) waits.push(waitMs);
    else if (create.length < seen.missing) create.push({ index, failures });
  }
  return { create, remove: [], waitMs: waits.length > 0 ? Math.min(...waits) : undefined };
}

/** The wait since the last failure: none before the first, then doubled with each. */
function backoffInMs(
  pods: readonly ApiObject[],
  failed: number,
  options: { now: number; backoff: JobBackoff },
): number {
  if (failed === 0) return 0;
  const ends = pods.filter((pod) => podPhase(pod) === 'Failed').map((pod) => finishedAt(pod) ?? 0);
  if (ends.length === 0) return 0;
  const { firstMs, maxMs } = options.backoff;
  return Math.max(...ends) + Math.min(maxMs, firstMs * 2 ** Math.min(failed - 1, 20)) - options.now;
}

function statusObject(input: {
  job: JobView;
  tally: Tally;
  active: number;
  terminating: readonly ApiObject[];
  pods: readonly ApiObject[];
  conditions: Condition[];
  startTime: string | undefined;
  now: number;
  finished: JobPlan['finished'];
}): JsonObject {
  const { job, tally, active, terminating, conditions, startTime, finished, now } = input;
  const ready = input.pods.filter((pod) => !isDeleting(pod) && !isFinished(pod) && isPodReady(pod)).length;
  const done = finished?.type === 'Complete';
  return {
    ...(conditions.length > 0 ? { conditions } : {}),
    ...(startTime === undefined ? {} : { startTime }),
    ...(done ? { completionTime: timestamp(now) } : {}),
    ...(active > 0 ? { active } : {}),
    ...(tally.succeeded > 0 ? { succeeded: tally.succeeded } : {}),
    ...(tally.failed > 0 ? { failed: tally.failed } : {}),
    terminating: terminating.length,
    ...(job.indexed && tally.completed.size > 0 ? { completedIndexes: formatIndexes(tally.completed) } : {}),
    ...(job.backoffLimitPerIndex === undefined ? {} : { failedIndexes: formatIndexes(tally.failedIndexes) }),
    uncountedTerminatedPods: {
      ...(tally.uncountedSucceeded.length > 0 ? { succeeded: tally.uncountedSucceeded } : {}),
      ...(tally.uncountedFailed.length > 0 ? { failed: tally.uncountedFailed } : {}),
    },
    ready: active > 0 ? ready : 0,
  };
}

/** A job that is over or being deleted: nothing is created, its pods are let go, and after its time it is deleted. */
function planFinished(
  job: JobView,
  pods: readonly ApiObject[],
  at: { over: Condition | undefined; now: number },
): JobPlan {
  const since = parseTime(at.over?.lastTransitionTime);
  const leftMs =
    job.ttlSeconds === undefined || since === undefined || job.deleting
      ? undefined
      : since + job.ttlSeconds * 1000 - at.now;
  const status = job.object['status'];
  return {
    create: [],
    remove: [],
    release: pods.filter(isTracked),
    status: typeof status === 'object' && status !== null ? { ...status } : {},
    finished: undefined,
    deleteJob: leftMs !== undefined && leftMs <= 0,
    recheckAfterMs: leftMs !== undefined && leftMs > 0 ? leftMs : undefined,
  };
}
