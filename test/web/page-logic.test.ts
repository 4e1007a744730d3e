import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ManagedResource, ResourceNode } from '#apps/port.ts';
import { viewApplication } from '#server/view.ts';
import type { AuditEvent, AuditKind } from '#trace/event.ts';
import { diffResources } from '../../web/features/applications/diff.ts';
import { searchApplications } from '../../web/features/applications/search.ts';
import { flattenTree } from '../../web/features/applications/tree.ts';
import { filterEvents, groupByDay, lookOf } from '../../web/features/timeline/describe.ts';
import { summarize } from '../../web/features/world/summary.ts';
import { applyMessage, firstState } from '../../web/live/state.ts';
import { ago, duration, shortSha } from '../../web/parts/time.ts';
import { application } from './application.ts';

let ids = 0;
function event(kind: AuditKind, more: Partial<AuditEvent> = {}): AuditEvent {
  ids += 1;
  return { id: ids, at: ids * 1000, kind, actor: { kind: 'user', name: 'kim' }, cause: 'test', message: '', ...more };
}
const view = (name: string, status = {}) =>
  viewApplication(application({ name, status }), { desiredImages: undefined, drift: false });

describe('live state', () => {
  test('a snapshot replaces, a message adds, and what is gone goes', () => {
    const snapshot = { cursor: 'a-1', version: '1', canWrite: true, applications: [view('b'), view('a')] };
    let state = applyMessage(firstState, { kind: 'snapshot', snapshot });
    assert.deepEqual([...(state.applications?.keys() ?? [])], ['a', 'b']);
    const changed = view('a', { sync: { status: 'OutOfSync' } });
    state = applyMessage(state, { kind: 'application', application: changed });
    assert.equal(state.applications?.get('a')?.sync, 'OutOfSync');
    assert.equal(state.applications?.size, 2);
    state = applyMessage(state, { kind: 'gone', name: 'b' });
    assert.deepEqual([...(state.applications?.keys() ?? [])], ['a']);
    state = applyMessage(state, { kind: 'snapshot', snapshot: { ...snapshot, applications: [] } });
    assert.equal(state.applications?.size, 0);
  });

  test('events are kept once, newest first', () => {
    const [first, second] = [event('rollback'), event('rollback')];
    let state = applyMessage(firstState, { kind: 'events', events: [first] });
    state = applyMessage(state, { kind: 'events', events: [second, first] });
    assert.deepEqual(state.events, [second, first]);
  });

  test('when it was last live is remembered', () => {
    let state = applyMessage(firstState, { kind: 'connection', connection: 'live', at: 5 });
    state = applyMessage(state, { kind: 'connection', connection: 'lost', at: 9 });
    state = applyMessage(state, { kind: 'connection', connection: 'unauthorized', at: 12 });
    assert.deepEqual([state.connection, state.liveAt], ['unauthorized', 9]);
  });
});

describe('timeline', () => {
  test('the overview leaves out the steps whose end is known', () => {
    const on = { application: 'a', commit: 'x' };
    const story = [
      event('revision-observed', on),
      event('sync-started', on),
      event('sync-succeeded', on),
      event('health-changed', { ...on, detail: { from: 'Healthy', to: 'Progressing' } }),
      event('health-changed', { ...on, detail: { from: 'Progressing', to: 'Degraded' } }),
      event('health-changed', { ...on, detail: { from: 'Degraded', to: 'Healthy' } }),
      event('revision-observed', { application: 'b', commit: 'x' }),
      event('sync-started', { application: 'c', commit: 'x' }),
    ].reverse();
    const kinds = (events: AuditEvent[]) => events.map(({ kind, application: name }) => `${kind} ${name}`);
    assert.deepEqual(kinds(filterEvents(story, 'overview')), [
      'sync-started c',
      'revision-observed b',
      'health-changed a',
      'health-changed a',
      'sync-succeeded a',
    ]);
    assert.equal(filterEvents(story, 'all').length, story.length);
    assert.deepEqual(kinds(filterEvents(story, 'git')), ['revision-observed b', 'revision-observed a']);
    assert.deepEqual(kinds(filterEvents(story, 'trouble')), ['health-changed a']);
  });

  test('health has the tone of where it came to', () => {
    const tone = (message: string) => lookOf(event('health-changed', { message })).tone;
    assert.equal(tone('Degraded -> Healthy'), 'good');
    assert.equal(tone('Healthy -> Degraded'), 'bad');
    assert.equal(tone('unknown -> Progressing'), 'busy');
  });

  test('days', () => {
    const now = new Date(2026, 5, 15, 12).getTime();
    const at = (days: number) => event('rollback', { at: now - days * 24 * 3600 * 1000 });
    const groups = groupByDay([at(0), at(0), at(1), at(20)], now);
    assert.deepEqual(
      groups.map(({ label, events }) => [label, events.length]),
      [
        ['Today', 2],
        ['Yesterday', 1],
        ['26 May 2026', 1],
      ],
    );
  });
});

describe('applications', () => {
  const resource = (name: string, live: string | undefined, desired: string | undefined): ManagedResource => ({
    group: '',
    version: 'v1',
    kind: 'Service',
    namespace: 'n',
    name,
    sync: 'OutOfSync',
    health: undefined,
    requiresPruning: false,
    hook: name === 'hook',
    liveText: live,
    desiredText: desired,
  });

  test('what a sync does to each resource', () => {
    const diffs = diffResources([
      resource('new', undefined, 'a\n'),
      resource('same', 'a\n', 'a\n'),
      resource('changed', 'a\n', 'b\n'),
      resource('old', 'a\n', undefined),
      resource('hook', 'a\n', 'b\n'),
    ]);
    assert.deepEqual(
      diffs.map(({ name, change }) => [name, change]),
      [
        ['n/new', 'create'],
        ['n/changed', 'change'],
        ['n/old', 'delete'],
      ],
    );
  });

  test('the tree has parents before children', () => {
    const node = (uid: string, kind: string, parentUid?: string): ResourceNode => ({
      uid,
      group: '',
      version: 'v1',
      kind,
      namespace: 'n',
      name: uid,
      parentUid,
      createdAt: undefined,
      health: undefined,
      images: [],
    });
    const flat = flattenTree([
      node('p', 'Pod', 'r'),
      node('r', 'ReplicaSet', 'd'),
      node('d', 'Deployment'),
      node('x', 'Pod', 'gone'),
    ]);
    assert.deepEqual(
      flat.map(({ node: { uid }, depth }) => [uid, depth]),
      [
        ['d', 0],
        ['r', 1],
        ['p', 2],
        ['x', 0],
      ],
    );
  });
});

test('applications are found by every word, in any order', () => {
  const views = [view('web-dev', { sync: { status: 'OutOfSync' } }), view('web-prod'), view('search-prod')];
  const names = (search: string) => searchApplications(views, search).map(({ name }) => name);
  assert.deepEqual(names(''), ['web-dev', 'web-prod', 'search-prod']);
  assert.deepEqual(names('PROD web'), ['web-prod']);
  assert.deepEqual(names('outofsync'), ['web-dev']);
  assert.deepEqual(names('nothing'), []);
});

test('the headline says the worst', () => {
  const fine = view('a', { sync: { status: 'Synced' }, health: { status: 'Healthy' } });
  const bad = view('b', { sync: { status: 'Synced' }, health: { status: 'Degraded', message: 'x' } });
  assert.equal(summarize([]).headline, 'No applications yet');
  assert.equal(summarize([fine]).headline, 'Everything is as Git wants it');
  const { headline, tone, parts } = summarize([fine, bad]);
  assert.deepEqual([headline, tone], ['One application needs you', 'bad']);
  assert.deepEqual(
    parts.map(({ count, text }) => `${count} ${text}`),
    ['1 failing', '1 in order'],
  );
});

test('times', () => {
  const now = 1_000_000_000;
  const cases: [number, string][] = [
    [0, 'just now'],
    [12_000, '12 s ago'],
    [5 * 60_000, '5 min ago'],
    [3 * 3_600_000, '3 h ago'],
    [50 * 3_600_000, '2 d ago'],
    [-5000, 'just now'],
  ];
  for (const [ms, want] of cases) assert.equal(ago(now - ms, now), want);
  assert.deepEqual([duration(184), duration(3400), duration(125_000)], ['184 ms', '3.4 s', '2 min 5 s']);
  assert.equal(shortSha('a'.repeat(40)), 'aaaaaaa');
  assert.equal(shortSha('v1.2'), 'v1.2');
});
