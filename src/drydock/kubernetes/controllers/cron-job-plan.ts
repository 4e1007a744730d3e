import { Cron } from 'croner';
import { timestamp } from '#base/clock.ts';
import { getArray, getNumber, getObject, getPath, getString, isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { findCondition, parseConditions, parseTime } from './condition.ts';
import { ownerReferenceTo, stringMap } from './ownership.ts';

export interface CronJobPlan {
  create: ApiObject | undefined;
  remove: ApiObject[];
  status: JsonObject;
  events: { type: 'Normal' | 'Warning'; reason: string; message: string }[];
  recheckAfterMs: number | undefined;
}

const missedLimit = 100;

/** One step of a CronJob: the newest time that is due gets its Job, older ones that were missed do not. */
export function planCronJob(cron: ApiObject, jobs: readonly ApiObject[], now: number): CronJobPlan {
  const spec = getObject(cron, 'spec');
  const events: CronJobPlan['events'] = [];
  const history = planHistory(spec, jobs);
  const active = jobs.filter((job) => !isOver(job));
  const due = spec['suspend'] === true || cron.metadata.deletionTimestamp ? undefined : findDue(cron, now, events);
  let create: ApiObject | undefined;
  let lastScheduleTime = getString(cron, 'status', 'lastScheduleTime');
  const remove = [...history];
  if (due?.at !== undefined) {
    const policy = getString(spec, 'concurrencyPolicy') ?? 'Allow';
    if (policy === 'Forbid' && active.length > 0)
      events.push({
        type: 'Normal',
        reason: 'JobAlreadyActive',
        message: 'Not starting job because prior execution is running and concurrency policy is Forbid',
      });
    else {
      if (policy === 'Replace') remove.push(...active);
      create = jobFor(cron, due.at);
      lastScheduleTime = timestamp(due.at);
    }
  }
  const ends = jobs.map((job) => getString(job, 'status', 'completionTime')).filter((time) => time !== undefined);
  const lastSuccessful = [...ends, getString(cron, 'status', 'lastSuccessfulTime') ?? ''].sort().at(-1);
  const references = active
    .filter((job) => !remove.includes(job))
    .map((job) => ({
      kind: 'Job',
      namespace: job.metadata.namespace,
      name: job.metadata.name,
      uid: job.metadata.uid,
      apiVersion: job.apiVersion,
      resourceVersion: job.metadata.resourceVersion,
    }));
  const known = getArray(cron, 'status', 'active');
  return {
    create,
    remove,
    events,
    status: {
      // A job's own changes do not rewrite its reference: only who is active counts.
      ...(references.length > 0
        ? { active: references.map((one) => known.find((item) => getString(item, 'uid') === one.uid) ?? one) }
        : {}),
      ...(lastScheduleTime === undefined ? {} : { lastScheduleTime }),
      ...(lastSuccessful === undefined || lastSuccessful === '' ? {} : { lastSuccessfulTime: lastSuccessful }),
    },
    recheckAfterMs: due?.nextInMs,
  };
}

function isOver(job: ApiObject): boolean {
  const conditions = parseConditions(job['status']);
  return ['Complete', 'Failed'].some((type) => findCondition(conditions, type)?.status === 'True');
}

function findDue(
  cron: ApiObject,
  now: number,
  events: CronJobPlan['events'],
): { at: number | undefined; nextInMs: number | undefined } | undefined {
  const schedule = getString(cron, 'spec', 'schedule') ?? '';
  const timezone = getString(cron, 'spec', 'timeZone') ?? 'UTC';
  let pattern: Cron;
  try {
    pattern = new Cron(schedule, { timezone, mode: '5-part' });
    pattern.nextRun(new Date(now));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    events.push({
      type: 'Warning',
      reason: 'UnparseableSchedule',
      message: `unparseable schedule "${schedule}": ${why}`,
    });
    return undefined;
  }
  if (pattern.nextRun(new Date(now)) === null) {
    const why = 'time difference between two schedules is less than 1 second';
    events.push({ type: 'Warning', reason: 'InvalidSchedule', message: `invalid schedule: ${schedule} : ${why}` });
    return undefined;
  }
  const next = (from: number): number | undefined => pattern.nextRun(new Date(from))?.getTime();
  const deadline = getNumber(cron, 'spec', 'startingDeadlineSeconds');
  const since =
    parseTime(getString(cron, 'status', 'lastScheduleTime')) ?? parseTime(cron.metadata.creationTimestamp) ?? now;
  let from = deadline === undefined ? since : Math.max(since, now - deadline * 1000);
  let at: number | undefined;
  let count = 0;
  for (let run = next(from); run !== undefined && run <= now; run = next(from)) {
    at = run;
    from = run;
    count += 1;
    if (count <= missedLimit) continue;
    events.push({
      type: 'Warning',
      reason: 'TooManyMissedTimes',
      message: `too many missed start times: more than ${missedLimit}; set or decrease .spec.startingDeadlineSeconds or check clock skew`,
    });
    const interval = (next(run) ?? run + 60_000) - run;
    from = Math.max(from, now - 2 * interval);
    count = -1_000_000;
  }
  const following = next(now);
  return { at, nextInMs: following === undefined ? undefined : Math.min(Math.max(1, following - now), 2 ** 31 - 1) };
}

function planHistory(spec: JsonObject, jobs: readonly ApiObject[]): ApiObject[] {
  const removed: ApiObject[] = [];
  for (const [type, field, usual] of [
    ['Complete', 'successfulJobsHistoryLimit', 3],
    ['Failed', 'failedJobsHistoryLimit', 1],
  ] as const) {
    const over = jobs
      .filter((job) => findCondition(parseConditions(job['status']), type)?.status === 'True')
      .sort((a, b) => startOf(b) - startOf(a));
    removed.push(...over.slice(getNumber(spec, field) ?? usual));
  }
  return removed.filter((job) => job.metadata.deletionTimestamp === undefined);
}

function startOf(job: ApiObject): number {
  return parseTime(getString(job, 'status', 'startTime') ?? job.metadata.creationTimestamp) ?? 0;
}

function jobFor(cron: ApiObject, at: number): ApiObject {
  const template = getObject(cron, 'spec', 'jobTemplate');
  const metadata = isObject(template['metadata']) ? template['metadata'] : {};
  const labels = stringMap(metadata['labels']);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: `${cron.metadata.name}-${Math.floor(at / 60_000)}`,
      ...(cron.metadata.namespace === undefined ? {} : { namespace: cron.metadata.namespace }),
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      annotations: {
        ...stringMap(getPath(metadata, 'annotations')),
        'batch.kubernetes.io/cronjob-scheduled-timestamp': timestamp(at),
      },
      ownerReferences: [ownerReferenceTo(cron)],
    },
    spec: getObject(template, 'spec'),
  };
}
