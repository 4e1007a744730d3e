import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import type { ApplicationSource } from '#model/argocd/application.ts';
import type { AskOptions, ChartAsk, ChartLibrary, ChartTree } from '#render/charts/port.ts';
import { testClock, testEntropy } from '../../test/clock.ts';
import { ChartWatch, isChartSource } from './chart-watch.ts';
import { repositoryKey } from './repository-key.ts';

const soon = () => AbortSignal.timeout(10_000);
const source = (targetRevision: string, more: Partial<ApplicationSource> = {}): ApplicationSource => ({
  repoURL: 'https://charts.example/stable',
  chart: 'web',
  targetRevision,
  ...more,
});
const project = 'default';

function treeOf(version: string, content = version): ChartTree {
  return {
    url: 'https://charts.example/stable',
    revision: version,
    version,
    place: `web ${version}`,
    objectId: async () => content,
    mode: async () => undefined,
    listFiles: async () => [],
    readFile: async () => undefined,
    readBlob: async () => Buffer.alloc(0),
    archive: async () => Buffer.alloc(0),
  };
}

class FakeLibrary implements ChartLibrary {
  readonly asked: { ask: ChartAsk; options: AskOptions }[] = [];
  readonly counts = { questions: 0, unchanged: 0, downloads: 0 };
  answer: () => ChartTree = () => treeOf('1.0.0');
  file = 'a';

  async open(ask: ChartAsk, options: AskOptions): Promise<ChartTree> {
    this.asked.push({ ask, options });
    return this.answer();
  }

  async repositoryOf(): Promise<undefined> {}

  async listCharts(): Promise<never[]> {
    return [];
  }

  async listTags(): Promise<never[]> {
    return [];
  }

  async readUrl(url: string) {
    return { url, digest: this.file, bytes: Buffer.alloc(0) };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function watchOf(charts: ChartLibrary, options: { pollMs?: number; graceMs?: number } = {}) {
  const changes: string[] = [];
  const watch = new ChartWatch({
    charts,
    clock: testClock,
    entropy: testEntropy,
    logger: silentLogger,
    pollMs: () => options.pollMs ?? 3_600_000,
    graceMs: () => options.graceMs ?? 3_600_000,
    changed: (key) => changes.push(key),
  });
  return { watch, changes };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (holds()) return;
    await delay(5);
  }
  assert.fail(what);
}

test('a constraint is asked for again and tells when it means something else; a version is not', async () => {
  const charts = new FakeLibrary();
  const { watch, changes } = watchOf(charts, { pollMs: 20 });
  await using _end = watch;
  const first = await watch.open(source('^1'), { project }, soon());
  assert.equal(first.tree.revision, '1.0.0');
  await watch.open(source('1.0.0'), { project }, soon());
  const exact = () => charts.asked.filter(({ ask }) => ask.revision === '1.0.0').length;
  await until('the constraint was not asked for again', () => charts.asked.length - exact() > 3);
  assert.equal(exact(), 1);
  assert.deepEqual(changes, []);
  charts.answer = () => treeOf('1.1.0');
  await until('nobody was told', () => changes.length > 0);
  assert.deepEqual(changes, [repositoryKey(source('').repoURL)]);
  const second = await watch.open(source('^1'), { project }, soon());
  assert.equal(second.tree.revision, '1.1.0');
  assert.ok(second.generation > first.generation);
});

test('one that cannot be reached serves as it was for a time, then says so, and is tried again when asked', async () => {
  const charts = new FakeLibrary();
  const grace = { ms: 3_600_000 };
  const changes: string[] = [];
  const deps = { charts, clock: testClock, entropy: testEntropy, logger: silentLogger };
  await using watch = new ChartWatch({
    ...deps,
    pollMs: () => 3_600_000,
    graceMs: () => grace.ms,
    changed: (key) => changes.push(key),
  });
  await watch.open(source('^1'), { project }, soon());
  charts.answer = () => {
    throw new AppError('unavailable', 'charts.example cannot be reached');
  };
  await assert.rejects(watch.refresh(source('^1'), { project, hard: false }, soon()), /cannot be reached/);
  assert.equal((await watch.open(source('^1'), { project }, soon())).tree.revision, '1.0.0');
  grace.ms = -1;
  await assert.rejects(watch.open(source('^1'), { project }, soon()), /cannot be reached/);
  await assert.rejects(watch.open(source('^2'), { project }, soon()), /cannot be reached/);
  charts.answer = () => treeOf('1.2.0');
  assert.equal(watch.request(repositoryKey('https://charts.example/stable')), true);
  assert.equal(watch.request(repositoryKey('https://charts.example/other')), false);
  await until('nobody was told', () => changes.length >= 2);
  assert.equal((await watch.open(source('^2'), { project }, soon())).tree.revision, '1.2.0');
});

test('a refresh asks now; a hard one for what is known too; files by URL count', async () => {
  const charts = new FakeLibrary();
  const { watch, changes } = watchOf(charts);
  await using _end = watch;
  const own = source('1.0.0', { helm: { valueFiles: ['values.yaml', 'https://values.example/a.yaml'] } });
  const { generation } = await watch.open(own, { project }, soon());
  await watch.refresh(own, { project, hard: false }, soon());
  const before = watch.filesGeneration(own);
  await watch.refresh(own, { project, hard: true }, soon());
  assert.deepEqual(
    charts.asked.map(({ options }) => options.again ?? false),
    [false, false, true],
  );
  assert.equal(watch.filesGeneration(own), before);
  assert.equal((await watch.open(own, { project }, soon())).generation, generation);
  charts.file = 'b';
  charts.answer = () => treeOf('1.0.0', 'other content');
  await watch.refresh(own, { project, hard: true }, soon());
  assert.ok(watch.filesGeneration(own) > before);
  assert.ok((await watch.open(own, { project }, soon())).generation > generation);
  assert.equal(changes.length, 1);
});

test('what a source asks for', async () => {
  const charts = new FakeLibrary();
  const { watch } = watchOf(charts);
  await using _end = watch;
  const sources: ApplicationSource[] = [
    source('1.0.0', { helm: { passCredentials: true } }),
    source('1.0.0', { repoURL: 'oci://registry.example/team/web' }),
    { repoURL: 'oci://registry.example/team/manifests', path: 'apps', targetRevision: 'latest' },
  ];
  for (const one of sources) await watch.open(one, { project: 'team', revision: undefined }, soon());
  assert.deepEqual(
    charts.asked.map(({ ask }) => ask),
    [
      {
        repoURL: 'https://charts.example/stable',
        chart: 'web',
        revision: '1.0.0',
        project: 'team',
        passCredentials: true,
      },
      { repoURL: 'oci://registry.example/team', chart: 'web', revision: '1.0.0', project: 'team' },
      { repoURL: 'oci://registry.example/team/manifests', chart: '', revision: 'latest', project: 'team' },
    ],
  );
  assert.deepEqual(
    [...sources, { repoURL: 'https://git.example/a.git', path: 'b' }].map((one) => isChartSource(one)),
    [true, true, true, false],
  );
});

test('registries have keys like repositories, however they are written', () => {
  for (const spelling of ['registry.example/team', 'oci://registry.example/team/', 'registry.example:5000/team'])
    assert.equal(repositoryKey(spelling), 'registry.example/team', spelling);
  assert.equal(repositoryKey('git@github.com:Org/Repo.git'), 'github.com/org/repo');
  assert.equal(repositoryKey('ssh://git@github.com:22/org/repo'), 'github.com/org/repo');
});
