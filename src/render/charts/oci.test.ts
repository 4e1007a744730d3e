import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import type { RepositoryAccess } from '#model/argocd/repository-access.ts';
import { ChartRepositoryServer, packChart, packEntries, smallChart } from '../../../test/chart-repository.ts';
import { testClock } from '../../../test/clock.ts';
import { RegistryFixture } from '../../../test/registry-fixture.ts';
import { createChartLibrary } from './library.ts';
import type { ChartLibrary } from './port.ts';

const soon = () => AbortSignal.timeout(20_000);
const lazy = { maxAgeMs: 60_000 };
const chartLayer = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
const tarLayer = 'application/vnd.oci.image.layer.v1.tar+gzip';
const emptyConfig = 'application/vnd.oci.empty.v1+json';

let registry: RegistryFixture;
let folder: string;
const open: ChartLibrary[] = [];
before(async () => {
  registry = await RegistryFixture.start();
  folder = mkdtempSync(join(tmpdir(), 'charts-'));
  for (const version of ['1.0.0', '1.1.0+build.5', '2.0.0-rc.1'])
    await pushChart('team/web', version, await packChart('web', smallChart('web', version)));
  await push('team/manifests', 'v1', {
    config: emptyConfig,
    layers: [[tarLayer, await packEntries([{ name: 'apps/cm.yaml', content: 'kind: ConfigMap\n' }])]],
  });
});
after(async () => {
  for (const library of open) await library[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function push(repository: string, tag: string, what: { config: string; layers: [string, Buffer][] }) {
  const config = await registry.pushBlob(repository, '{}');
  const layers = [];
  for (const [mediaType, bytes] of what.layers)
    layers.push({ mediaType, digest: await registry.pushBlob(repository, bytes), size: bytes.length });
  const answer = await registry.pushManifest(repository, tag, {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: what.config, digest: config, size: 2 },
    layers,
  });
  assert.equal(answer.status, 201, answer.text);
}

async function pushChart(repository: string, version: string, archive: Buffer): Promise<void> {
  const provenance: [string, Buffer] = ['application/vnd.cncf.helm.chart.provenance.v1.prov', Buffer.from('signed')];
  const config = 'application/vnd.cncf.helm.config.v1+json';
  await push(repository, version.replaceAll('+', '_'), { config, layers: [[chartLayer, archive], provenance] });
}

function library(cache: string, declared?: Partial<RepositoryAccess>): ChartLibrary {
  const own: RepositoryAccess = {
    url: `127.0.0.1:${registry.port}/team`,
    type: 'helm',
    enableOci: true,
    username: 'reader',
    password: 'reader-password',
    ...declared,
  };
  const access = {
    find: async (url: string) => (url.replace('oci://', '').startsWith(own.url) ? own : { url, type: 'git' as const }),
    list: async () => [own],
  };
  const cacheDir = join(folder, cache);
  const made = createChartLibrary({
    cacheDir,
    access,
    clock: { ...testClock, sleep: async () => {} },
    logger: silentLogger,
  });
  open.push(made);
  return made;
}

const place = (scheme = '') => `${scheme}127.0.0.1:${registry.port}/team`;
const ask = (revision: string, repoURL = place()) => ({ repoURL, chart: 'web', revision, project: 'default' });

async function fails(work: Promise<unknown>, code: string, ...words: string[]): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(isAppError(error), String(error));
    assert.equal(error.code, code, error.message);
    for (const word of words) assert.ok(error.message.includes(word), `${error.message} has no ${word}`);
    return true;
  });
}

test('a chart in a registry, with and without a scheme, by version and by constraint', async () => {
  const charts = library('one');
  for (const repoURL of [place(), place('oci://'), `${place('oci://')}/`]) {
    const tree = await charts.open(ask('1.0.0', repoURL), lazy, soon());
    assert.equal((await tree.readFile('values.yaml', soon()))?.toString(), 'v: web-1.0.0\n');
  }
  assert.equal((await charts.open(ask('^1'), lazy, soon())).revision, '1.1.0+build.5');
  assert.equal((await charts.open(ask('1.1.0+build.5'), lazy, soon())).version, '1.1.0+build.5');
  assert.equal((await charts.open(ask('>1.0.0-0'), lazy, soon())).revision, '2.0.0-rc.1');
  await fails(charts.open(ask('^3'), lazy, soon()), 'not-found', 'no version that "^3" allows: it has 2.0.0-rc.1');
  await fails(charts.open(ask('3.0.0'), lazy, soon()), 'not-found', 'has no 3.0.0');
});

test('a dependency may use what is declared for another place of the registry; a source may not', async () => {
  const url = `127.0.0.1:${registry.port}/team/elsewhere`;
  const charts = library('borrowed', { url });
  const dependency = { ...ask('1.0.0', place('oci://')), borrowAccess: true };
  await charts.open(dependency, lazy, soon());
  await fails(library('lent', { url }).open(ask('1.0.0'), lazy, soon()), 'unauthorized', 'with no credentials');
  const scoped = library('scoped', { url, project: 'other' });
  await fails(scoped.open(dependency, lazy, soon()), 'unauthorized', 'with no credentials');
});

test('an index may place its archives in a registry', async () => {
  await using server = await ChartRepositoryServer.start();
  const archive = await packChart('web', smallChart('web', '1.0.0'));
  const digest = 'c'.repeat(64);
  server.add({ chart: 'web', version: '1.0.0', archive, url: `${place('oci://')}/web:1.0.0`, digest });
  const charts = library('placed');
  const tree = await charts.open({ ...ask('1.x'), repoURL: server.url }, { maxAgeMs: 0 }, soon());
  assert.equal((await tree.readFile('values.yaml', soon()))?.toString(), 'v: web-1.0.0\n');
  const { downloads } = charts.counts;
  await charts.open({ ...ask('1.x'), repoURL: server.url }, { maxAgeMs: 0 }, soon());
  assert.equal(charts.counts.downloads, downloads);
});

test('the tags of a repository, as they are written', async () => {
  const tags = await library('tags').listTags({ repoURL: `${place('oci://')}/web`, project: 'default' }, soon());
  assert.deepEqual(tags.sort(), ['1.0.0', '1.1.0_build.5', '2.0.0-rc.1']);
});

test('a new process asks a registry for the tags of a constraint, and for nothing of a version', async () => {
  await library('two').open(ask('^1'), lazy, soon());
  const second = library('two');
  await second.open(ask('1.1.0+build.5'), { maxAgeMs: 0 }, soon());
  assert.deepEqual(second.counts, { questions: 0, unchanged: 0, downloads: 0 });
  await second.open(ask('^1'), { maxAgeMs: 0 }, soon());
  assert.deepEqual(second.counts, { questions: 1, unchanged: 0, downloads: 0 });
});

test('an artifact is a tree too: by tag, by digest, its tag may move', async () => {
  const artifact = { repoURL: `${place('oci://')}/manifests`, chart: '', project: 'default' };
  const charts = library('three');
  const tree = await charts.open({ ...artifact, revision: 'v1' }, lazy, soon());
  assert.match(tree.revision, /^sha256:[0-9a-f]{64}$/);
  assert.equal((await tree.readFile('apps/cm.yaml', soon()))?.toString(), 'kind: ConfigMap\n');
  const { revision } = await charts.open({ ...artifact, revision: tree.revision }, lazy, soon());
  assert.equal(revision, tree.revision);
  await charts.open({ ...artifact, revision: 'v1' }, { maxAgeMs: 0 }, soon());
  assert.deepEqual(charts.counts, { questions: 3, unchanged: 1, downloads: 1 });
  await fails(charts.open({ ...artifact, revision: '' }, lazy, soon()), 'bad-input', 'targetRevision');
  await fails(charts.open({ ...artifact, revision: 'v9' }, lazy, soon()), 'not-found', '"v9" allows: it has v1');
  const asChart = { ...artifact, repoURL: place(), chart: 'manifests', revision: 'v1' };
  await fails(charts.open(asChart, lazy, soon()), 'bad-input', 'no Helm chart');
});

test('a chart may be named as an artifact: its one folder is the root', async () => {
  const artifact = { repoURL: `${place('oci://')}/web`, chart: '', revision: '1.0.0', project: 'default' };
  const tree = await library('four').open(artifact, lazy, soon());
  assert.ok(await tree.readFile('Chart.yaml', soon()));
});

test('what a registry refuses or holds wrongly is told by name', async () => {
  const stranger = library('five', { username: 'reader', password: 'another-password' });
  await fails(
    stranger.open(ask('1.0.0'), lazy, soon()),
    'unauthorized',
    `127.0.0.1:${registry.port}/team/web`,
    'that are declared',
  );
  await push('team/layers', '1.0.0', {
    config: emptyConfig,
    layers: [
      [tarLayer, Buffer.from('a')],
      [tarLayer, Buffer.from('b')],
    ],
  });
  await push('team/text', '1.0.0', { config: emptyConfig, layers: [['text/plain', Buffer.from('a')]] });
  await push('team/broken', '1.0.0', { config: emptyConfig, layers: [[tarLayer, Buffer.from('no tar at all')]] });
  const named = (name: string) => ({
    repoURL: `${place('oci://')}/${name}`,
    chart: '',
    revision: '1.0.0',
    project: 'p',
  });
  const charts = library('five');
  await fails(charts.open(named('layers'), lazy, soon()), 'bad-input', 'exactly one layer', 'has 2');
  await fails(charts.open(named('text'), lazy, soon()), 'bad-input', 'text/plain');
  await fails(charts.open(named('broken'), lazy, soon()), 'bad-input', 'no readable archive');
  await fails(
    charts.open({ ...ask('1.0.0'), repoURL: '127.0.0.1:1/team' }, lazy, soon()),
    'unavailable',
    '127.0.0.1:1',
  );
});
