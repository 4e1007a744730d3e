import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { AppError, isAppError } from '#base/errors.ts';
import { getArray, getString } from '#base/json.ts';
import { silentLogger } from '#base/log.ts';
import { waitFor } from '#main/demo/observer.ts';
import { runProgram } from '#main/demo/program.ts';
import type { StoryContext } from '#main/demo/story.ts';
import { application, forgeApi, git, kubectl, kubectlJson, slipway, waitForApplication } from '#main/demo/tools.ts';
import { startWorld } from '#main/world.ts';
import { person, scratchDirectory } from './shared-world.ts';

/** A repository of the organisation with these files, pushed by its developer. */
async function repositoryWith(me: StoryContext, name: string, files: Record<string, string>): Promise<string> {
  const { developer, forge } = me.world;
  await forgeApi(me, developer, { method: 'POST', path: '/orgs/myshop/repos', body: { name } });
  const url = `${forge.url}/myshop/${name}.git`;
  await git(me, developer, me.workDir, ['clone', '-q', url]);
  await pushFiles(me, name, files);
  return url;
}

async function pushFiles(me: StoryContext, name: string, files: Record<string, string>): Promise<void> {
  const { developer } = me.world;
  const checkout = join(me.workDir, name);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(checkout, path)), { recursive: true });
    writeFileSync(join(checkout, path), content);
  }
  await git(me, developer, checkout, ['checkout', '-q', '-B', 'main']);
  await git(me, developer, checkout, ['add', '.']);
  await git(me, developer, checkout, ['commit', '-qm', 'change']);
  await git(me, developer, checkout, ['push', '-q', 'origin', 'main']);
}

const app = (name: string, source: { repoURL: string; path: string; targetRevision?: string }) =>
  JSON.stringify({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'argocd' },
    spec: {
      project: 'default',
      source,
      destination: { server: 'https://kubernetes.default.svc', namespace: `${name}-ns` },
      syncPolicy: { automated: { prune: true, selfHeal: true }, syncOptions: ['CreateNamespace=true'] },
    },
  });

async function conditionOf(me: StoryContext, name: string, type: string): Promise<string> {
  return waitFor({
    what: `${name} saying ${type}`,
    timeoutMs: 30_000,
    signal: me.signal,
    everyMs: 50,
    look: async () => {
      const found = await application(me, name);
      const condition = getArray(found, 'status', 'conditions').find((entry) => getString(entry, 'type') === type);
      return getString(condition, 'message');
    },
  });
}

const configMap = (value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {value: "${value}"}\n`;

test('a broken chart and an unknown revision are said plainly, and hold up nobody else', async () => {
  const me = await person();
  const repoURL = await repositoryWith(me, 'trouble', {
    'good/settings.yaml': configMap('one'),
    'chart/Chart.yaml': 'apiVersion: v2\nname: broken\nversion: 0.1.0\n',
    'chart/values.yaml': 'name: x\n',
    'chart/templates/a.yaml': 'kind: ConfigMap\nmetadata:\n  name: {{ .Values.name | noSuchFunction }}\n',
  });
  await kubectl(me, ['apply', '-f', '-'], app('broken-chart', { repoURL, path: 'chart' }));
  await kubectl(me, ['apply', '-f', '-'], app('no-revision', { repoURL, path: 'good', targetRevision: 'relase' }));
  await kubectl(me, ['apply', '-f', '-'], app('no-path', { repoURL, path: 'goood' }));
  await kubectl(me, ['apply', '-f', '-'], app('good', { repoURL, path: 'good' }));

  assert.match(await conditionOf(me, 'broken-chart', 'ComparisonError'), /noSuchFunction/);
  assert.match(await conditionOf(me, 'no-revision', 'ComparisonError'), /relase/);
  assert.match(await conditionOf(me, 'no-path', 'ComparisonError'), /goood/);
  await waitForApplication(me, 'good', { sync: 'Synced', health: 'Healthy', timeoutMs: 30_000 });
  const { stdout } = await slipway(me, ['why', 'no-revision'], [0, 1]);
  assert.match(stdout, /relase/);

  // The mended chart is taken up by itself.
  await pushFiles(me, 'trouble', { 'chart/templates/a.yaml': configMap('mended') });
  await waitForApplication(me, 'broken-chart', { sync: 'Synced', health: 'Healthy', timeoutMs: 30_000 });
  for (const name of ['broken-chart', 'no-revision', 'no-path', 'good']) {
    await kubectl(me, ['delete', 'application', name, '-n', 'argocd']);
  }
});

test('an image from a registry that does not answer: the pod says so, the application shows it', async () => {
  const me = await person();
  const pod = `apiVersion: v1
kind: Pod
metadata: {name: nowhere}
spec: {containers: [{name: c, image: "127.0.0.1:1/shop/nothing:1.0"}]}
`;
  const repoURL = await repositoryWith(me, 'unreachable', { 'app/pod.yaml': pod });
  await kubectl(me, ['apply', '-f', '-'], app('unreachable', { repoURL, path: 'app' }));
  await waitForApplication(me, 'unreachable', { sync: 'Synced', health: 'Degraded', timeoutMs: 40_000 });
  const found = await kubectlJson(me, ['get', 'pod', 'nowhere', '-n', 'unreachable-ns']);
  const waiting = getArray(found, 'status', 'containerStatuses').map((entry) =>
    getString(entry, 'state', 'waiting', 'reason'),
  );
  assert.match(String(waiting[0]), /ErrImagePull|ImagePullBackOff/);
  assert.match(await kubectl(me, ['describe', 'pod', 'nowhere', '-n', 'unreachable-ns']), /127\.0\.0\.1:1/);
  await kubectl(me, ['delete', 'application', 'unreachable', '-n', 'argocd']);
  await kubectl(me, ['delete', 'namespace', 'unreachable-ns', '--timeout=40s']);
});

test('a workflow with a syntax error is a failed run that names file and line; other workflows run', async () => {
  const me = await person();
  await repositoryWith(me, 'workflows', {
    '.github/workflows/bad.yml': 'on: push\njobs:\n  a:\n    runs-on: x\n    stepz:\n      - run: "true"\n',
    '.github/workflows/good.yml': 'on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: echo fine\n',
  });
  const runs = await waitFor({
    what: 'both runs being over',
    timeoutMs: 30_000,
    signal: me.signal,
    look: async () => {
      const answer = await forgeApi(me, me.world.developer, { path: '/repos/myshop/workflows/actions/runs' });
      const over = getArray(answer, 'workflow_runs').filter((run) => getString(run, 'status') === 'completed');
      return over.length === 2 ? over : undefined;
    },
  });
  const conclusions = runs.map((run) => [getString(run, 'path'), getString(run, 'conclusion')]).sort();
  assert.deepEqual(
    conclusions.map(([path, conclusion]) => [path?.split('@')[0], conclusion]),
    [
      ['.github/workflows/bad.yml', 'failure'],
      ['.github/workflows/good.yml', 'success'],
    ],
  );
  const bad = runs.find((run) => getString(run, 'conclusion') === 'failure');
  assert.match(JSON.stringify(bad), /bad\.yml.*stepz|stepz.*bad\.yml/);
});

test('a taken port stops the start with one message that names it; nothing is left running', async () => {
  const dataDirectory = scratchDirectory('taken');
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
  const address = blocker.address();
  assert.ok(typeof address === 'object' && address);
  const free = await import('#main/data-directory.ts').then(({ freePorts }) => freePorts(3));
  const [kubernetes, registry, slipwayPort] = free;
  writeFileSync(
    join(dataDirectory, 'ports.json'),
    JSON.stringify({ kubernetes, registry, forge: address.port, slipway: slipwayPort }),
  );
  try {
    await assert.rejects(
      startWorld({ dataDirectory, logger: silentLogger }),
      (error) =>
        isAppError(error, 'port-taken') && error.message.includes(String(address.port)) && error.hint !== undefined,
    );
  } finally {
    await new Promise((resolve) => blocker.close(resolve));
  }
  const world = await startWorld({ dataDirectory, logger: silentLogger });
  await world[Symbol.asyncDispose]();

  for (const file of ['ports.json', 'secrets.json', 'kubernetes/objects.db', 'forge/forge.db', 'slipway/history.db']) {
    const path = join(dataDirectory, file);
    const before = readFileSync(path);
    writeFileSync(path, 'this is not what it was');
    await assert.rejects(
      startWorld({ dataDirectory, logger: silentLogger }),
      (error) =>
        (isAppError(error, 'corrupt-data') && error.message.includes(file) && error.hint !== undefined) ||
        assert.fail(`${file}: ${String(error)}`),
    );
    assert.equal(readFileSync(path, 'utf8'), 'this is not what it was', `${file} was replaced`);
    writeFileSync(path, before);
  }
  const again = await startWorld({ dataDirectory, logger: silentLogger });
  await again[Symbol.asyncDispose]();
});

test('a missing program is named, with what to do', async () => {
  const me = await person();
  const start = runProgram(me.programs.node, [me.programs.slipway, 'up', '--data', scratchDirectory('no-git')], {
    env: { SLIPWAY_GIT: '/nowhere/git' },
    signal: me.signal,
  });
  await assert.rejects(
    start,
    (error) => error instanceof AppError && /ended with 8:\n.*SLIPWAY_GIT names \/nowhere\/git/.test(error.message),
  );
  const { stdout } = await slipway(me, ['doctor', '-o', 'json'], [0, 1]);
  const checks: unknown = JSON.parse(stdout);
  assert.deepEqual(
    getArray(checks)
      .filter((check) => ['git', 'helm', 'kubectl', 'node'].includes(getString(check, 'name') ?? ''))
      .map((check) => getString(check, 'state')),
    ['ok', 'ok', 'ok', 'ok'],
  );
});
