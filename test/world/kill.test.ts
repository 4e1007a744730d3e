import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { getArray, getString } from '#base/json.ts';
import { waitFor } from '#main/demo/observer.ts';
import type { StoryContext } from '#main/demo/story.ts';
import {
  application,
  git,
  kubectl,
  kubectlJson,
  servedVersion,
  serviceUrl,
  slipway,
  waitForApplication,
} from '#main/demo/tools.ts';
import { scratchDirectory } from './shared-world.ts';
import { personIn, startUp } from './up-process.ts';

const rounds = Number(process.env['SLIPWAY_KILL_ROUNDS'] ?? 2);

async function pushFile(
  me: StoryContext,
  repository: string,
  path: string,
  edit: (before: string) => string,
): Promise<string> {
  const checkout = join(me.workDir, repository);
  const { developer } = me.world;
  await git(me, developer, checkout, ['pull', '-q', '--rebase', 'origin', 'main']);
  const file = join(checkout, path);
  writeFileSync(file, edit(readFileSync(file, 'utf8')));
  await git(me, developer, checkout, ['commit', '-qam', `change ${path}`]);
  await git(me, developer, checkout, ['push', '-q', 'origin', 'main']);
  return git(me, developer, checkout, ['rev-parse', 'HEAD']);
}

test(`SIGKILL ${rounds} times: nothing acknowledged is lost, and everything converges`, async () => {
  const dataDirectory = scratchDirectory('kill');
  let up = await startUp(dataDirectory);
  try {
    const me = personIn(dataDirectory, 120_000 + rounds * 30_000);
    const { developer, forge } = me.world;
    for (const name of ['myshop-manifests', 'myshop-api']) {
      await git(me, developer, me.workDir, ['clone', '-q', `${forge.url}/myshop/${name}.git`]);
    }
    await kubectl(me, ['apply', '-f', join(me.workDir, 'myshop-manifests', 'argocd', 'root.yaml')]);

    const commits: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await kubectl(me, ['create', 'configmap', `round-${round}`, `--from-literal=n=${round}`, '-n', 'default']);
      commits.push(
        await pushFile(me, 'myshop-manifests', 'charts/myshop-api/values-dev.yaml', (text) =>
          text.replace(/environment: \S+/, `environment: dev-${round}`),
        ),
      );
      // Sooner or later after the push was acknowledged: before the fetch, in the render, the sync, the rollout.
      await delay(round * round * 60);
      up.kill('SIGKILL');
      await once(up, 'exit');
      up = await startUp(dataDirectory);
    }

    const maps = getArray(await kubectlJson(me, ['get', 'configmaps', '-n', 'default']), 'items').map((item) =>
      getString(item, 'metadata', 'name'),
    );
    for (let round = 0; round < rounds; round += 1)
      assert.ok(maps.includes(`round-${round}`), `round-${round} is lost`);
    const log = await git(me, developer, join(me.workDir, 'myshop-manifests'), [
      'ls-remote',
      'origin',
      'refs/heads/main',
    ]);
    assert.ok(log.startsWith(commits.at(-1) ?? '?'), 'the newest acknowledged push is the head');
    await waitForApplication(me, 'myshop-api-dev', { sync: 'Synced', health: 'Healthy', timeoutMs: 60_000 });
    const found = await application(me, 'myshop-api-dev');
    assert.equal(getString(found, 'status', 'sync', 'revision'), commits.at(-1));
    const deployment = await kubectlJson(me, ['get', 'deployment', 'myshop-api', '-n', 'myshop-dev']);
    const env = getArray(deployment, 'spec', 'template', 'spec', 'containers', 0, 'env');
    assert.equal(getString(env[0], 'value'), `dev-${rounds - 1}`);

    // In the middle of a workflow: the run starts again and ends well; the image is there, the version is served.
    await pushFile(me, 'myshop-api', 'src/catalogue.ts', (text) => `${text}\n// one more\n`);
    const version = `main-${await git(me, developer, join(me.workDir, 'myshop-api'), ['rev-parse', '--short', 'HEAD'])}`;
    await delay(700);
    up.kill('SIGKILL');
    await once(up, 'exit');
    up = await startUp(dataDirectory);
    const url = await serviceUrl(me, 'myshop-dev', 'myshop-api');
    await waitFor({
      what: `dev serving ${version}`,
      timeoutMs: 90_000,
      signal: me.signal,
      everyMs: 200,
      look: async () => ((await servedVersion(url, me.signal)) === version ? true : undefined),
    });
    const events: unknown = JSON.parse((await slipway(me, ['events', '--limit', '500', '-o', 'json'])).stdout);
    const kinds = getArray(events).map((event) => getString(event, 'kind'));
    assert.ok(kinds.includes('application-created'), 'history from before the kills is kept');
  } finally {
    up.kill('SIGTERM');
    await once(up, 'exit');
  }
});
