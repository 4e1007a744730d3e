import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { getString } from '#base/json.ts';
import type { StoryContext } from '#main/demo/story.ts';
import { kubectl, serviceUrl, slipway, waitForApplication, waitForVersion } from '#main/demo/tools.ts';
import { scratchDirectory } from './shared-world.ts';
import { personIn, startUp } from './up-process.ts';

/** Ids of all syncs so far: a restart that syncs again what is in sync would add one. */
async function syncs(me: StoryContext): Promise<string[]> {
  const { stdout } = await slipway(me, ['events', '--limit', '500', '-o', 'json']);
  const events: unknown = JSON.parse(stdout);
  assert.ok(Array.isArray(events));
  return events.filter((event) => getString(event, 'kind')?.startsWith('sync-')).map((event) => String(event.id));
}

test('Ctrl-C, and npm start again: addresses, objects, history and what is served are all still there', async () => {
  const dataDirectory = scratchDirectory('restart');
  let up = await startUp(dataDirectory);
  try {
    const me = personIn(dataDirectory, 120_000);
    await waitForApplication(me, 'myshop-api-dev', { sync: 'Synced', health: 'Healthy', timeoutMs: 30_000 });
    const url = await serviceUrl(me, 'myshop-dev', 'myshop-api');
    await kubectl(me, ['create', 'configmap', 'kept', '-n', 'default']);
    const before = await syncs(me);

    up.kill('SIGINT');
    const [code] = await once(up, 'exit');
    assert.equal(code, 0);
    await assert.rejects(fetch(`${url}/version`), 'an orderly stop ends the pods');

    up = await startUp(dataDirectory);
    const again = personIn(dataDirectory, 120_000);
    assert.deepEqual({ ...again.world, pid: 0 }, { ...me.world, pid: 0 });
    await waitForVersion(me, { url, version: '1.4.2', timeoutMs: 30_000 });
    await waitForApplication(me, 'myshop-api-dev', { sync: 'Synced', health: 'Healthy', timeoutMs: 30_000 });
    assert.match(await kubectl(me, ['get', 'configmap', 'kept', '-n', 'default']), /kept/);
    assert.deepEqual(await syncs(me), before);
  } finally {
    up.kill('SIGTERM');
    await once(up, 'exit');
  }
});
