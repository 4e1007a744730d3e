import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { getString } from '#base/json.ts';
import { silentLogger } from '#base/log.ts';
import { clock, entropy, startWorld } from './forge-fixture.test.ts';
import { startForge } from './server.ts';

async function start(dataDir: string, options: { port?: number; gitPath?: string } = {}) {
  const runner = {
    workDir: join(dataDir, 'work'),
    env: { PATH: '/usr/bin:/bin' },
    builtins: {},
    concurrency: 1,
    extraPath: [],
  };
  const { port = 0, gitPath = 'git' } = options;
  return startForge({ clock, entropy, logger: silentLogger, dataDir, host: '127.0.0.1', port, gitPath, runner });
}

async function failureOf(work: () => Promise<unknown>): Promise<{ code: string; text: string }> {
  try {
    await work();
  } catch (error) {
    if (isAppError(error)) return { code: error.code, text: `${error.message} ${error.hint}` };
    throw error;
  }
  return { code: 'none', text: '' };
}

test('a taken port, damaged files and a missing git are said in one message', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'forge-start-'));
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const address = taken.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const inUse = await failureOf(() => start(join(directory, 'a'), { port }));
  assert.equal(inUse.code, 'port-taken');
  assert.match(inUse.text, new RegExp(`port ${port} on 127.0.0.1 is in use.*choose another port`));
  taken.close();

  mkdirSync(join(directory, 'b'));
  writeFileSync(join(directory, 'b', 'forge.db'), 'this is no database, whatever its name says'.repeat(50));
  const damaged = await failureOf(() => start(join(directory, 'b')));
  assert.equal(damaged.code, 'corrupt-data');
  assert.match(damaged.text, /forge\.db cannot be opened/);

  mkdirSync(join(directory, 'c'));
  writeFileSync(join(directory, 'c', 'oidc-key.pem'), 'broken');
  assert.equal((await failureOf(() => start(join(directory, 'c')))).code, 'corrupt-data');

  await using forge = await start(join(directory, 'd'), { gitPath: '/nowhere/git' });
  forge.seed.createUser('ada', 'Ada', 'ada@example.com');
  const create = () => forge.seed.createRepository('ada', { name: 'app' }, new AbortController().signal);
  assert.equal((await failureOf(create)).code, 'missing-tool');
  rmSync(directory, { recursive: true, force: true });
});

test('everything is there after a restart', async () => {
  await using world = await startWorld();
  const clone = await world.clone('myshop/app');
  await world.commit(
    clone,
    { '.github/workflows/a.yml': 'on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{run: echo kept}]\n' },
    'feat: a',
  );
  await world.git(['push', '-q', 'origin', 'HEAD:main'], clone);
  const run = await world.run('myshop/app', {});
  await world.restart();
  assert.deepEqual(await world.run('myshop/app', {}), run);
  assert.equal(getString((await world.api('GET', '/user')).body, 'login'), 'ada');
  await world.commit(clone, {}, 'feat: b');
  await world.git(['push', '-q', 'origin', 'HEAD:main'], clone);
  const title = await world.until('the second run', async () => {
    const { body } = await world.api('GET', '/repos/myshop/app/actions/runs?status=success');
    const newest = getString(body, 'workflow_runs', 0, 'display_title');
    return newest === 'feat: b' ? newest : undefined;
  });
  assert.equal(title, 'feat: b');
});
