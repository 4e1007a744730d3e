import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { forgeApi, git } from '#main/demo/tools.ts';
import { person } from './shared-world.ts';

test('plain git clones, pushes and fetches; the forge shows it by its REST API', async () => {
  const me = await person();
  const { developer, reviewer, forge } = me.world;
  await forgeApi(me, developer, { method: 'POST', path: '/orgs/myshop/repos', body: { name: 'scratch' } });
  await git(me, developer, me.workDir, ['clone', '-q', `${forge.url}/myshop/scratch.git`]);
  const checkout = join(me.workDir, 'scratch');
  writeFileSync(join(checkout, 'README.md'), '# scratch\n');
  await git(me, developer, checkout, ['checkout', '-q', '-B', 'main']);
  await git(me, developer, checkout, ['add', '.']);
  await git(me, developer, checkout, ['commit', '-qm', 'first']);
  await git(me, developer, checkout, ['push', '-q', '-u', 'origin', 'main']);
  const sha = await git(me, developer, checkout, ['rev-parse', 'HEAD']);

  await git(me, reviewer, me.workDir, ['clone', '-q', `${forge.url}/myshop/scratch.git`, 'second']);
  assert.equal(await git(me, reviewer, join(me.workDir, 'second'), ['rev-parse', 'HEAD']), sha);
  const commit = await forgeApi(me, developer, { path: `/repos/myshop/scratch/commits/${sha}` });
  assert.equal((commit as { commit: { message: string } }).commit.message, 'first');

  await git(me, developer, checkout, ['checkout', '-q', '-b', 'feature']);
  writeFileSync(join(checkout, 'more.txt'), 'more\n');
  await git(me, developer, checkout, ['add', '.']);
  await git(me, developer, checkout, ['commit', '-qm', 'second']);
  await git(me, developer, checkout, ['push', '-q', 'origin', 'feature']);
  const pull = await forgeApi(me, developer, {
    method: 'POST',
    path: '/repos/myshop/scratch/pulls',
    body: { title: 'More', head: 'feature', base: 'main' },
  });
  const number = (pull as { number: number }).number;
  await forgeApi(me, reviewer, { method: 'PUT', path: `/repos/myshop/scratch/pulls/${number}/merge`, body: {} });
  await git(me, developer, checkout, ['fetch', '-q', 'origin']);
  assert.match(await git(me, developer, checkout, ['log', '--format=%s', 'origin/main']), /second/);
});

test('a wrong token is refused, and an unknown repository is not found', async () => {
  const me = await person();
  const { developer, forge } = me.world;
  const stranger = { ...developer, token: 'not-a-token' };
  await assert.rejects(
    git(me, stranger, me.workDir, ['clone', '-q', `${forge.url}/myshop/myshop-api.git`, 'x']),
    /Authentication failed|could not read Username/,
  );
  await assert.rejects(git(me, developer, me.workDir, ['clone', '-q', `${forge.url}/myshop/nothing.git`]), /not found/);
});
