import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SyncWindow } from '#model/argocd/app-project.ts';
import type { Application } from '#model/argocd/application.ts';
import { nextCron, parseCron } from './cron-schedule.ts';
import { canSync, openWindows, windowsFor, windowsOf } from './sync-windows.ts';

const noon = Date.UTC(2026, 5, 10, 12);
const minutes = (count: number) => count * 60_000;

function window(fields: Partial<SyncWindow>): SyncWindow {
  return {
    kind: 'allow',
    schedule: '0 12 * * *',
    duration: '1h',
    applications: ['*'],
    namespaces: [],
    clusters: [],
    manualSync: false,
    timeZone: '',
    andOperator: false,
    description: '',
    syncOverrun: false,
    ...fields,
  };
}

/** Open at half past twelve, or not. */
const open = (kind: string, more: Partial<SyncWindow> = {}) => window({ kind, ...more });
const shut = (kind: string, more: Partial<SyncWindow> = {}) => window({ kind, schedule: '0 3 * * *', ...more });
const manual = { manualSync: true };

const verdicts: { name: string; windows: SyncWindow[]; auto: boolean; manual: boolean }[] = [
  { name: 'none', windows: [], auto: true, manual: true },
  { name: 'allow, open', windows: [open('allow')], auto: true, manual: true },
  { name: 'allow, shut', windows: [shut('allow')], auto: false, manual: false },
  { name: 'allow, shut, but by hand', windows: [shut('allow', manual)], auto: false, manual: true },
  { name: 'deny, shut', windows: [shut('deny')], auto: true, manual: true },
  { name: 'deny, open', windows: [open('deny')], auto: false, manual: false },
  { name: 'deny, open, but by hand', windows: [open('deny', manual)], auto: false, manual: true },
  { name: 'deny over allow', windows: [open('allow', manual), open('deny')], auto: false, manual: false },
  { name: 'deny over allow, but by hand', windows: [open('allow'), open('deny', manual)], auto: false, manual: true },
  { name: 'one of two allows', windows: [open('allow'), shut('allow')], auto: true, manual: true },
  { name: 'two denies, one by hand', windows: [open('deny', manual), open('deny')], auto: false, manual: false },
  { name: 'two denies by hand', windows: [open('deny', manual), open('deny', manual)], auto: false, manual: true },
  { name: 'two shut allows, one by hand', windows: [shut('allow', manual), shut('allow')], auto: false, manual: false },
  { name: 'a shut deny beside a shut allow', windows: [shut('deny'), shut('allow')], auto: false, manual: false },
  { name: 'a shut deny beside an open allow', windows: [shut('deny'), open('allow')], auto: true, manual: true },
  { name: 'another kind says nothing', windows: [open('maybe')], auto: true, manual: true },
  {
    name: 'a schedule that cannot be read',
    windows: [open('allow', { schedule: '@daily' })],
    auto: false,
    manual: false,
  },
  { name: 'a duration without unit', windows: [open('allow', { duration: '10' })], auto: false, manual: false },
];
for (const { name, windows, auto, manual: byHand } of verdicts)
  test(`windows: ${name}`, () => {
    const now = noon + minutes(30);
    assert.equal(canSync(windows, { manual: false, now }).allowed, auto);
    assert.equal(canSync(windows, { manual: true, now }).allowed, byHand);
  });

test('windows that cannot be read say which part', () => {
  const problem = (fields: Partial<SyncWindow>) => canSync([open('deny', fields)], { manual: true, now: noon }).problem;
  assert.match(
    problem({ schedule: '1 2 3' }) ?? '',
    /invalid sync windows: cannot parse schedule '1 2 3': expected exactly 5/,
  );
  assert.match(problem({ duration: 'soon' }) ?? '', /invalid sync windows: cannot parse duration 'soon'/);
});

const edges: { name: string; at: number; fields?: Partial<SyncWindow>; want: boolean }[] = [
  { name: 'a second before its begin', at: noon - 1000, want: false },
  { name: 'at its begin', at: noon, want: false },
  { name: 'a second after its begin', at: noon + 1000, want: true },
  { name: 'a second before its end', at: noon + minutes(60) - 1000, want: true },
  { name: 'at its end', at: noon + minutes(60), want: false },
  {
    name: 'over midnight',
    at: Date.UTC(2026, 5, 10, 1),
    fields: { schedule: '0 23 * * *', duration: '3h' },
    want: true,
  },
  { name: 'on another day', at: noon + 1000, fields: { schedule: '0 12 * * 0' }, want: false },
  { name: 'in a zone ahead', at: Date.UTC(2026, 5, 10, 6, 45), fields: { timeZone: 'Asia/Kolkata' }, want: true },
  { name: 'not at the same hour of UTC there', at: noon + 1000, fields: { timeZone: 'Asia/Kolkata' }, want: false },
  { name: 'in a zone behind', at: Date.UTC(2026, 5, 10, 16, 30), fields: { timeZone: 'America/New_York' }, want: true },
  { name: 'in winter there', at: Date.UTC(2026, 0, 10, 17, 30), fields: { timeZone: 'America/New_York' }, want: true },
  { name: 'a zone nobody knows is UTC', at: noon + 1000, fields: { timeZone: 'Mars/Olympus' }, want: true },
  { name: 'a day that never comes', at: noon, fields: { schedule: '0 0 31 2 *' }, want: true },
  { name: 'a duration of none', at: noon, fields: { duration: '0' }, want: false },
];
for (const { name, at, fields = {}, want } of edges)
  test(`open: ${name}`, () => {
    assert.equal(openWindows([window(fields)], at).length === 1, want);
  });

test('on the day of a change of clocks, the offset of now holds for all moments of that day', () => {
  // Clocks go from +1 to +2 at 01:00 UTC of 2026-03-29 in Berlin: 00:30 UTC counts with +1, 01:30 UTC with +2.
  const berlin = { timeZone: 'Europe/Berlin', schedule: '0 1 * * *', duration: '1h' };
  assert.equal(openWindows([window(berlin)], Date.UTC(2026, 2, 29, 0, 30)).length, 1);
  assert.equal(openWindows([window(berlin)], Date.UTC(2026, 2, 29, 1, 30)).length, 0);
  const later = { ...berlin, schedule: '0 3 * * *' };
  assert.equal(openWindows([window(later)], Date.UTC(2026, 2, 29, 1, 30)).length, 1);
});

const overrun = { syncOverrun: true };
const runs: { name: string; windows: SyncWindow[]; startedAt: number; now: number; want: boolean }[] = [
  { name: 'into a deny', windows: [open('deny', overrun)], startedAt: noon - 1000, now: noon + 1000, want: true },
  { name: 'into a deny that stops', windows: [open('deny')], startedAt: noon - 1000, now: noon + 1000, want: false },
  {
    name: 'begun within the deny',
    windows: [open('deny', overrun)],
    startedAt: noon + 1000,
    now: noon + 2000,
    want: false,
  },
  {
    name: 'out of an allow',
    windows: [open('allow', overrun)],
    startedAt: noon + 1000,
    now: noon + minutes(61),
    want: true,
  },
  {
    name: 'out of an allow that stops',
    windows: [open('allow')],
    startedAt: noon + 1000,
    now: noon + minutes(61),
    want: false,
  },
  {
    name: 'begun before the allow',
    windows: [open('allow', overrun)],
    startedAt: noon - minutes(10),
    now: noon - minutes(5),
    want: false,
  },
  {
    name: 'two denies of which one stops',
    windows: [open('deny', overrun), open('deny')],
    startedAt: noon - 1000,
    now: noon + 1000,
    want: false,
  },
];
for (const { name, windows, startedAt, now, want } of runs)
  test(`a sync that runs: ${name}`, () => {
    assert.equal(canSync(windows, { manual: false, startedAt, now }).allowed, want);
  });

function application(destination: Application['spec']['destination']): Application {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'web-dev', namespace: 'argocd' },
    spec: { project: 'default', destination },
  };
}
const none: Partial<SyncWindow> = { applications: [] };
const concerned: { name: string; fields: Partial<SyncWindow>; want: boolean }[] = [
  { name: 'the application', fields: { applications: ['web-*'] }, want: true },
  { name: 'another application', fields: { applications: ['api-*'] }, want: false },
  { name: 'its namespace', fields: { ...none, namespaces: ['shop'] }, want: true },
  { name: 'its cluster by name', fields: { ...none, clusters: ['prod-*'] }, want: true },
  { name: 'its cluster by an address it does not use', fields: { ...none, clusters: ['https://*'] }, want: false },
  { name: 'any list', fields: { applications: ['api'], namespaces: ['shop'] }, want: true },
  { name: 'nothing', fields: none, want: false },
  { name: 'all lists', fields: { applications: ['web-*'], namespaces: ['shop'], andOperator: true }, want: true },
  { name: 'not all lists', fields: { applications: ['web-*'], namespaces: ['x'], andOperator: true }, want: false },
  {
    name: 'not the first list',
    fields: { applications: ['api'], namespaces: ['shop'], andOperator: true },
    want: false,
  },
  { name: 'the only list that is set', fields: { ...none, clusters: ['prod-1'], andOperator: true }, want: true },
  { name: 'no list that is set', fields: { ...none, andOperator: true }, want: false },
];
for (const { name, fields, want } of concerned)
  test(`a window concerns ${name}`, () => {
    const app = application({ name: 'prod-1', namespace: 'shop' });
    assert.equal(windowsFor([window(fields)], app).length === 1, want);
  });

test('the windows of an application, and when the next one opens or closes', () => {
  const app = application({ name: 'prod-1', namespace: 'shop' });
  const windows = [open('allow'), shut('deny'), window({ applications: ['other'] })];
  const now = noon + minutes(30);
  const verdict = windowsOf(windows, app, now);
  assert.deepEqual(verdict.assigned, windows.slice(0, 2));
  assert.deepEqual(verdict.active, windows.slice(0, 1));
  assert.equal(verdict.canSync, true);
  assert.equal(verdict.changesAt, noon + minutes(60));
  assert.equal(windowsOf(windows, app, noon + minutes(90)).changesAt, Date.UTC(2026, 5, 11, 3) + 1);
  assert.equal(windowsOf([], app, now).changesAt, undefined);
});

const crons: [string, string][] = [
  ['* * * * *', '2026-06-10T12:01:00'],
  ['*/15 * * * *', '2026-06-10T12:15:00'],
  ['0 0 1 jan *', '2027-01-01T00:00:00'],
  ['0 0 13 * Fri', '2026-06-12T00:00:00'],
  ['0 0 */2 * Fri', '2026-06-11T00:00:00'],
  ['0 0 13 * *', '2026-06-13T00:00:00'],
  ['30 4/6 ? * *', '2026-06-10T16:30:00'],
  ['0 0 29 2 *', '2028-02-29T00:00:00'],
];
for (const [text, want] of crons)
  test(`cron ${text}`, () => {
    assert.equal(nextCron(parseCron(text), noon), Date.parse(`${want}Z`));
  });
for (const text of ['60 * * * *', '* * 0 * *', '* * * * 7', '5-1 * * * *', '*/0 * * * *', 'a * * * *', '* * * *'])
  test(`no cron: ${text}`, () => {
    assert.throws(() => parseCron(text));
  });
