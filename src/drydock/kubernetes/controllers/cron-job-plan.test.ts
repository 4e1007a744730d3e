import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { planCronJob } from './cron-job-plan.ts';

const minute = 60_000;
const now = Date.UTC(2026, 0, 1, 12, 0, 30);

function cron(spec: JsonObject, status: JsonObject = {}): ApiObject {
  const metadata = { name: 'c', namespace: 'n', uid: 'c', creationTimestamp: '2026-01-01T11:59:10Z' };
  return { apiVersion: 'batch/v1', kind: 'CronJob', metadata, spec: { schedule: '* * * * *', ...spec }, status };
}

function job(name: string, over?: 'Complete' | 'Failed', startTime = '2026-01-01T11:00:00Z'): ApiObject {
  const conditions = over === undefined ? [] : [{ type: over, status: 'True' }];
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: 'n', uid: name },
    status: { conditions, startTime },
  };
}

const rows: {
  name: string;
  cron: ApiObject;
  jobs?: ApiObject[];
  create?: string;
  remove?: string[];
  next?: number;
  events?: string[];
}[] = [
  { name: 'due', cron: cron({}), create: `c-${Date.UTC(2026, 0, 1, 12) / minute}`, next: 30_000 },
  { name: 'done already', cron: cron({}, { lastScheduleTime: '2026-01-01T12:00:00Z' }), next: 30_000 },
  { name: 'suspended', cron: cron({ suspend: true }) },
  {
    name: 'missed ones are made up for once',
    cron: cron({}, { lastScheduleTime: '2026-01-01T11:50:00Z' }),
    create: `c-${Date.UTC(2026, 0, 1, 12) / minute}`,
    next: 30_000,
  },
  {
    name: 'too many missed ones are told',
    cron: cron({}, { lastScheduleTime: '2026-01-01T01:00:00Z' }),
    create: `c-${Date.UTC(2026, 0, 1, 12) / minute}`,
    next: 30_000,
    events: ['TooManyMissedTimes'],
  },
  { name: 'a day that never comes', cron: cron({ schedule: '59 23 31 2 *' }), events: ['InvalidSchedule'] },
  { name: 'the deadline has passed', cron: cron({ startingDeadlineSeconds: 10 }), next: 30_000 },
  {
    name: 'forbid',
    cron: cron({ concurrencyPolicy: 'Forbid' }),
    jobs: [job('running')],
    next: 30_000,
    events: ['JobAlreadyActive'],
  },
  {
    name: 'replace',
    cron: cron({ concurrencyPolicy: 'Replace' }),
    jobs: [job('running')],
    create: `c-${Date.UTC(2026, 0, 1, 12) / minute}`,
    remove: ['running'],
    next: 30_000,
  },
  {
    name: 'history limits',
    cron: cron({ suspend: true, successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 }),
    jobs: [job('old', 'Complete'), job('new', 'Complete', '2026-01-01T11:30:00Z'), job('bad', 'Failed')],
    remove: ['old', 'bad'],
  },
  {
    name: 'a time zone',
    cron: cron({ schedule: '0 21 * * *', timeZone: 'Asia/Tokyo' }),
    create: `c-${Date.UTC(2026, 0, 1, 12) / minute}`,
    next: 24 * 60 * minute - 30_000,
  },
  { name: 'nonsense', cron: cron({ schedule: 'every now and then' }), events: ['UnparseableSchedule'] },
];

for (const row of rows)
  test(`cron job: ${row.name}`, () => {
    const plan = planCronJob(row.cron, row.jobs ?? [], now);
    assert.deepEqual(
      {
        create: plan.create?.metadata.name,
        remove: plan.remove.map((one) => one.metadata.name),
        next: plan.recheckAfterMs,
        events: plan.events.map((event) => event.reason),
      },
      { create: row.create, remove: row.remove ?? [], next: row.next, events: row.events ?? [] },
    );
  });
