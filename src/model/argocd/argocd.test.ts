import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAppProject } from './app-project.ts';
import { parseApplication } from './application-schema.ts';
import { parseGoDuration } from './duration.ts';
import { parseSyncOptions } from './sync-options.ts';

const durations: [string, number][] = [
  ['5s', 5000],
  ['3m', 180_000],
  ['1h30m', 5_400_000],
  ['1.5s', 1500],
  ['100ms', 100],
  ['-2s', -2000],
  ['10', 10_000],
  ['0', 0],
];
for (const [text, want] of durations)
  test(`duration ${text}`, () => {
    assert.equal(parseGoDuration(text), want);
  });
for (const text of ['', 'soon', '5 s', '1d'])
  test(`no duration: "${text}"`, () => {
    assert.throws(() => parseGoDuration(text), /is not a duration/);
  });

const application = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', metadata: { name: 'a' } };

test('an Application keeps fields that are not known', () => {
  const spec = { source: { repoURL: 'x', path: '.', future: 1 }, destination: { name: 'in-cluster' }, later: { a: 1 } };
  const { application: parsed, problems } = parseApplication({ ...application, spec });
  assert.deepEqual(problems, []);
  assert.deepEqual(parsed.spec, { project: '', ...spec });
});

test('each mistake is named by its path', () => {
  const { application: parsed, problems } = parseApplication({
    ...application,
    spec: { source: { repoURL: 3 }, destination: 'here' },
  });
  assert.deepEqual(
    problems.map((line) => line.split(':')[0]),
    ['spec.source.repoURL', 'spec.destination'],
  );
  assert.deepEqual(parsed.spec, { project: '', destination: {} });
});

test('an AppProject without lists permits no cluster-scoped kind, and every namespaced one', () => {
  const project = parseAppProject({ metadata: { name: 'p' }, spec: {} });
  assert.ok(!Array.isArray(project));
  assert.deepEqual(project.clusterResourceWhitelist, []);
  assert.equal(project.namespaceResourceWhitelist, undefined);
});

test('sync options: exact texts, the resource over the application', () => {
  const of = (app: string[], own?: string) => parseSyncOptions(app, own);
  assert.equal(of(['Prune=false'], 'Prune=confirm').prune, 'confirm');
  assert.equal(of(['Prune=false']).prune, 'false');
  assert.equal(of(['prune=false']).prune, 'true');
  assert.equal(of(['Replace=true'], 'Replace=false').replace, true);
  assert.equal(of([], 'Force=true, PruneLast=true').pruneLast, true);
  assert.equal(of(['PrunePropagationPolicy=background']).prunePropagationPolicy, 'Background');
  assert.equal(of([]).prunePropagationPolicy, 'Foreground');
});
