import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration } from './duration.ts';
import { goodKnobs, type ImageFault, type Knobs, knobPrefix, matchesImage, readKnobs } from './knobs.ts';

const durations: [string, number | undefined][] = [
  ['0', 0],
  ['300ms', 300],
  ['1.5s', 1500],
  ['1m30s', 90_000],
  ['2h', 7_200_000],
  ['10', undefined],
  ['', undefined],
  ['-1s', undefined],
  ['1s more', undefined],
  ['1d', undefined],
];

for (const [text, want] of durations)
  test(`duration ${JSON.stringify(text)}`, () => assert.equal(parseDuration(text), want));

const images: [string, string, boolean][] = [
  ['nginx:1', 'nginx:1', true],
  ['nginx:1', 'nginx:1.5', false],
  ['*/broken:*', 'registry.local/team/broken:2', true],
  ['*broken*', 'ok:1', false],
  ['a.b:*', 'axb:1', false],
];

for (const [pattern, image, want] of images)
  test(`image ${image} and the pattern ${pattern}`, () => assert.equal(matchesImage(pattern, image), want));

const rows: {
  name: string;
  annotations: Record<string, string>;
  faults?: ImageFault[];
  want?: Partial<Knobs>;
  problems?: RegExp[];
}[] = [
  {
    name: 'annotations of others are none of its business',
    annotations: { 'app.example/crash-after': '1s' },
  },
  {
    name: 'every kind of value',
    annotations: {
      'image-pull-fails': 'true',
      'start-takes': '1s',
      'never-ready': 'true',
      crashes: '3',
      'exit-code': '42',
      cpu: '250m',
      memory: '64Mi',
      log: 'a\nb',
    },
    want: {
      pullFailsForMs: Number.POSITIVE_INFINITY,
      startTakesMs: 1000,
      neverReady: true,
      crashes: 3,
      exitCode: 42,
      cpuNanoCores: 250_000_000,
      memoryBytes: 67_108_864,
      log: 'a\nb',
    },
  },
  {
    name: 'a pull that fails for a while',
    annotations: { 'image-pull-fails': '30s' },
    want: { pullFailsForMs: 30_000 },
  },
  { name: 'false is as if not written', annotations: { 'never-ready': 'false', 'image-pull-fails': 'false' } },
  {
    name: 'what is for one container wins over what is for all, for it alone',
    annotations: { 'crash-after.web': '1s', 'crash-after': '2s', 'oom-after.other': '3s' },
    want: { crashAfterMs: 1000 },
  },
  {
    name: 'an image has faults where nothing can be annotated, and an annotation wins',
    annotations: { 'exit-code': '2' },
    faults: [
      { image: '*:broken', knobs: { 'crash-after': '5s', 'exit-code': '9' } },
      { image: '*:fine', knobs: { 'oom-after': '1s' } },
    ],
    want: { crashAfterMs: 5000, exitCode: 2 },
  },
  {
    name: 'what means nothing is told and changes nothing',
    annotations: { 'crash-after': 'soon', 'exit-code': '256', 'crahs-after': '1s' },
    problems: [/crash-after takes a duration, not "soon"/, /exit-code takes 0 to 255/, /crahs-after is no knob/],
  },
];

for (const { name, annotations, faults = [], want = {}, problems = [] } of rows)
  test(name, () => {
    const prefixed = Object.fromEntries(
      Object.entries(annotations).map(([key, text]) => [key.includes('/') ? key : knobPrefix + key, text]),
    );
    const read = readKnobs({ name: 'web', image: 'shop/web:broken' }, prefixed, faults);
    assert.deepEqual(read.knobs, { ...goodKnobs, ...want });
    assert.equal(read.problems.length, problems.length, read.problems.join('\n'));
    for (const [index, problem] of problems.entries()) assert.match(read.problems[index] ?? '', problem);
  });
