import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ApplicationTraits, application } from '../../test/web/application.ts';
import { trailersOf } from './chain.ts';
import { mainImage, parseImageName, versionOf } from './image-name.ts';
import { sameImage } from './observe-container.ts';
import { inputPaths, mentions } from './observe-delivery.ts';
import { compareEnvironments, placeOf } from './place.ts';
import { parseTraceQuery } from './report.ts';

describe('place', () => {
  const cases: { name: string; traits: ApplicationTraits; want: [string, string | undefined] }[] = [
    { name: 'values file', traits: { name: 'api-prod', valuesFile: 'values-prod.yaml' }, want: ['api', 'prod'] },
    {
      name: 'values file of another folder',
      traits: { name: 'api', valuesFile: '../env/dev.yaml' },
      want: ['api', 'dev'],
    },
    { name: 'overlay', traits: { name: 'api-eu', path: 'apps/api/overlays/eu' }, want: ['api', 'eu'] },
    { name: 'end of the name', traits: { name: 'shop-web-staging' }, want: ['shop-web', 'staging'] },
    { name: 'start of the name', traits: { name: 'dev-web' }, want: ['web', 'dev'] },
    { name: 'no environment', traits: { name: 'root' }, want: ['root', undefined] },
    { name: 'an unknown ending is no environment', traits: { name: 'myshop-api' }, want: ['myshop-api', undefined] },
    {
      name: 'labels win',
      traits: {
        name: 'x-prod',
        valuesFile: 'values-dev.yaml',
        labels: { 'slipway.io/service': 'api', 'slipway.io/environment': 'qa' },
      },
      want: ['api', 'qa'],
    },
  ];
  for (const { name, traits, want } of cases)
    test(name, () => {
      const { service, environment } = placeOf(application(traits));
      assert.deepEqual([service, environment], want);
    });

  test('environments stand in the order towards production', () => {
    const sorted = ['prod', 'eu', 'dev', 'staging', 'qa', 'preprod'].sort(compareEnvironments);
    assert.deepEqual(sorted, ['dev', 'qa', 'eu', 'preprod', 'staging', 'prod']);
  });
});

describe('images', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const cases: { image: string; want: [string, string | undefined, string | undefined] }[] = [
    { image: 'nginx', want: ['nginx', undefined, undefined] },
    { image: 'reg:5000/a/b', want: ['reg:5000/a/b', undefined, undefined] },
    { image: 'reg:5000/a/b:1.2', want: ['reg:5000/a/b', '1.2', undefined] },
    { image: `reg/a@${digest}`, want: ['reg/a', undefined, digest] },
    { image: `docker-pullable://reg/a:1@${digest}`, want: ['reg/a', '1', digest] },
  ];
  for (const { image, want } of cases)
    test(image, () => {
      const { repository, tag, digest: found } = parseImageName(image);
      assert.deepEqual([repository, tag, found], want);
    });

  test('the version and the main image', () => {
    assert.equal(versionOf('a:1'), '1');
    assert.equal(versionOf(`a@${digest}`), `sha256:${'a'.repeat(12)}`);
    assert.equal(versionOf('a'), undefined);
    assert.equal(mainImage(['proxy:1', 'reg/shop/api:2'], 'api'), 'reg/shop/api:2');
    assert.equal(mainImage(['proxy:1', 'reg/x:2'], 'api'), 'proxy:1');
    assert.equal(sameImage('reg/shop/api:2', 'shop/api:2'), true);
    assert.equal(sameImage('reg/shop/api:2', 'api:3'), false);
    assert.equal(sameImage('reg/shop/api:2', 'pi:2'), false);
  });
});

describe('words', () => {
  const cases: { content: string; version: string; want: boolean }[] = [
    { content: 'tag: 1.4.2\n', version: '1.4.2', want: true },
    { content: 'tag: "1.4.2"\n', version: '1.4.2', want: true },
    { content: 'image: reg/a:1.4.2\n', version: '1.4.2', want: true },
    { content: 'tag: 1.4.20\n', version: '1.4.2', want: false },
    { content: 'tag: 11.4.2\n', version: '1.4.2', want: false },
    { content: 'tag: 1x4y2\n', version: '1.4.2', want: false },
    { content: 'tag: 1.4.2-rc1\n', version: '1.4.2', want: false },
  ];
  for (const { content, version, want } of cases)
    test(`${JSON.stringify(content)} ${want ? 'has' : 'has not'} ${version}`, () =>
      assert.equal(mentions(content, version), want));

  test('trailers', () => {
    assert.deepEqual(trailersOf('text\n\nA-b: 1\nC: d e'), { 'A-b': '1', C: 'd e' });
    assert.deepEqual(trailersOf('just: text\nand more'), {});
    assert.deepEqual(trailersOf(''), {});
  });

  test('paths an application is rendered from', () => {
    const repoURL = 'x';
    assert.deepEqual(inputPaths({ repoURL, path: './charts/a/' }), ['charts/a']);
    assert.deepEqual(inputPaths({ repoURL, path: '.' }), ['']);
    const helm = { valueFiles: ['values.yaml', '../env/prod.yaml', '/top.yaml', '$other/x.yaml', 'https://h/v.yaml'] };
    assert.deepEqual(inputPaths({ repoURL, path: 'charts/a', helm }), [
      'charts/a/values.yaml',
      'charts/env/prod.yaml',
      'top.yaml',
    ]);
  });

  test('what can be traced', () => {
    assert.deepEqual(parseTraceQuery('pod/a-1', 'n'), { kind: 'pod', name: 'a-1', namespace: 'n' });
    assert.deepEqual(parseTraceQuery('reg/a:1', undefined), { kind: 'image', image: 'reg/a:1' });
    assert.deepEqual(parseTraceQuery('shop-prod', undefined), { kind: 'application', name: 'shop-prod' });
    assert.throws(() => parseTraceQuery('pod/', undefined), /nothing that can be traced/);
    assert.throws(() => parseTraceQuery('', undefined), /nothing that can be traced/);
  });
});
