import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import type { JsonObject } from '#base/json.ts';
import { parseApplicationSet } from '#model/argocd/application-set.ts';
import { ApplicationTemplate } from './application-template.ts';
import { placeholders } from './placeholders.ts';
import { RenderMemory } from './render-memory.ts';

const deps = {
  clock: { now: () => 0 },
  entropy: { bytes: (size: number) => Buffer.alloc(size), uuid: () => 'id', fraction: () => 0 },
};

const base = {
  metadata: { name: '{{.name}}' },
  spec: {
    project: 'p-{{.name}}',
    source: { repoURL: 'r', helm: { valuesObject: { port: 8080, on: true, name: '{{.name}}' } } },
    sources: [{ repoURL: 'a' }, { repoURL: 'b' }],
    destination: { server: 's' },
    syncPolicy: { automated: { prune: true }, syncOptions: ['A=true'] },
  },
};

function render(spec: JsonObject, params: JsonObject, own?: JsonObject): unknown {
  const metadata = { name: 'set', namespace: 'teams' };
  const object = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata,
    spec: { generators: [], goTemplate: true, template: base, ...spec },
  };
  const { set } = parseApplicationSet(object);
  try {
    return new ApplicationTemplate(set, own, placeholders(set.spec, deps)).render(params);
  } catch (error) {
    if (isAppError(error)) return error.message;
    throw error;
  }
}

const resources = 'resources-finalizer.argocd.argoproj.io';
const filled = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'web', finalizers: [resources], namespace: 'teams' },
  spec: {
    ...base.spec,
    project: 'p-web',
    source: { repoURL: 'r', helm: { valuesObject: { port: 8080, on: true, name: 'web' } } },
  },
};

test('a template is filled, gets the finalizer and the namespace of its set', () => {
  assert.deepEqual(render({}, { name: 'web' }), filled);
  const kept = render({ syncPolicy: { preserveResourcesOnDeletion: true } }, { name: 'web' });
  assert.deepEqual(kept, { ...filled, metadata: { name: 'web', namespace: 'teams' } });
  const own = { ...base, metadata: { name: 'x', namespace: 'elsewhere', finalizers: ['own'] } };
  assert.deepEqual((render({ template: own }, { a: 1, name: 'n' }) as typeof filled).metadata, {
    name: 'x',
    finalizers: ['own'],
    namespace: 'teams',
  });
  assert.deepEqual(
    (render({}, {}) as typeof filled).metadata,
    { name: '{{.name}}', namespace: 'teams' },
    'no parameters: as it is',
  );
});

test("a generator's template wins where it says something", () => {
  const own = {
    metadata: { labels: { a: 'own' } },
    spec: { project: '', source: { path: 'own' }, destination: { server: 'far' } },
  };
  const general = {
    metadata: { name: 'n', labels: { a: 'general', b: 'general' } },
    spec: { project: 'p', source: { repoURL: 'r', path: 'general' }, destination: { server: 's' } },
  };
  assert.deepEqual(render({ template: general }, { x: 1 }, own), {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'n', labels: { a: 'own', b: 'general' }, finalizers: [resources], namespace: 'teams' },
    spec: { project: 'p', source: { path: 'own', repoURL: 'r' }, destination: { server: 'far' } },
  });
});

test('templatePatch is merged by the rules of the type', () => {
  const spec = (patch: string) => {
    const result = render({ templatePatch: patch }, { name: 'web', auto: true, list: ['x', 'y'] });
    return typeof result === 'string' ? result : (result as typeof filled);
  };
  const rows: [string, string, unknown, (result: typeof filled) => unknown][] = [
    [
      'objects deeply',
      'spec: {source: {helm: {valuesObject: {more: {{ .auto }}}}}}',
      { port: 8080, on: true, name: 'web', more: true },
      ({ spec }) => spec.source.helm.valuesObject,
    ],
    ['lists are replaced', 'spec: {sources: [{repoURL: c}]}', [{ repoURL: 'c' }], ({ spec }) => spec.sources],
    [
      'options are replaced',
      'spec:\n  syncPolicy:\n    syncOptions:\n{{- range .list }}\n    - {{ . }}=true\n{{- end }}',
      ['x=true', 'y=true'],
      ({ spec }) => spec.syncPolicy.syncOptions,
    ],
    [
      'null removes',
      'spec: {syncPolicy: {automated: null}}',
      { syncOptions: ['A=true'] },
      ({ spec }) => spec.syncPolicy,
    ],
    [
      'finalizers are joined',
      'metadata: {finalizers: [mine]}',
      [resources, 'mine'],
      ({ metadata }) => metadata.finalizers,
    ],
    [
      'replace',
      'spec: {syncPolicy: {$patch: replace, retry: {limit: 1}}}',
      { retry: { limit: 1 } },
      ({ spec }) => spec.syncPolicy,
    ],
    ['the project stays', 'spec: {project: other}', 'p-web', ({ spec }) => spec.project],
    [
      'JSON',
      '{"metadata":{"annotations":{"a":"{{.name}}"}}}',
      { a: 'web' },
      ({ metadata }) => (metadata as JsonObject)['annotations'],
    ],
    ['nothing', '{{ if not .auto }}spec: {}{{ end }}', filled, (result) => result],
  ];
  for (const [name, patch, want, read] of rows) {
    const result = spec(patch);
    assert.ok(typeof result !== 'string', `${name}: ${String(result)}`);
    assert.deepEqual(read(result), want, name);
  }
  assert.match(String(spec('spec: {source: 5}')), /invalid templatePatch: spec.source/);
  assert.match(String(spec('- a')), /it is no object/);
  assert.match(String(spec('a: [')), /error while converting template/);
});

test('what was rendered is rendered again only when something of it changed', () => {
  const memory = new RenderMemory();
  const round = (template: JsonObject, names: string[]): number => {
    const metadata = { name: 'set', namespace: 'teams' };
    const spec = { generators: [], goTemplate: true, template };
    const { set } = parseApplicationSet({ apiVersion: 'argoproj.io/v1alpha1', kind: 'ApplicationSet', metadata, spec });
    const filler = new ApplicationTemplate(set, undefined, placeholders(set.spec, deps));
    const before = memory.renders;
    for (const name of names) memory.render(filler, { name });
    memory.endRound();
    return memory.renders - before;
  };
  const renamed = { ...base, metadata: { name: 'x-{{.name}}' } };
  const timed = { ...base, metadata: { name: '{{ now | unixEpoch }}' } };
  assert.deepEqual(
    [round(base, ['a', 'b']), round(base, ['a', 'b']), round(base, ['b', 'c']), round(base, ['a', 'c'])],
    [2, 0, 1, 1],
  );
  assert.deepEqual([round(renamed, ['c']), round(timed, ['c']), round(timed, ['c'])], [1, 1, 1]);
});
