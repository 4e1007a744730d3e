import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { getArray, getNumber, getPath, getString } from '#base/json.ts';
import { logsOf, startWorld, type World } from './forge-fixture.test.ts';

let world: World;
before(async () => {
  world = await startWorld();
  world.forge.seed.createUser('eve', 'Eve', 'eve@example.com');
  await world.forge.seed.createRepository('myshop', { name: 'secret', private: true }, new AbortController().signal);
});
after(async () => {
  await world[Symbol.asyncDispose]();
});

const app = '/repos/myshop/app';

test('who may read and write what', async () => {
  const eve = world.forge.seed.createToken('eve', 'test');
  const status = async (method: string, path: string, token: string) =>
    (await world.api(method, path, { token })).status;
  assert.deepEqual(
    [
      await status('GET', app, ''),
      await status('GET', '/repos/myshop/secret', ''),
      await status('GET', '/repos/myshop/secret', eve),
      await status('GET', '/repos/myshop/secret', world.token),
      await status('GET', app, 'no-such-token'),
      await status('POST', `${app}/dispatches`, eve),
      await status('POST', `${app}/dispatches`, ''),
      await status('GET', `${app}/nonsense`, world.token),
    ],
    [200, 404, 404, 200, 401, 403, 401, 404],
  );
  const git = (path: string, token: string) =>
    fetch(`${world.forge.url}/${path}`, {
      headers:
        token === '' ? {} : { authorization: `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}` },
    });
  const gits = [
    git('myshop/app.git/info/refs?service=git-upload-pack', ''),
    git('myshop/app.git/info/refs?service=git-receive-pack', ''),
    git('myshop/app.git/info/refs?service=git-receive-pack', eve),
    git('myshop/secret/info/refs?service=git-upload-pack', ''),
    git('myshop/secret/info/refs?service=git-upload-pack', eve),
    git('myshop/secret/info/refs?service=git-upload-pack', world.token),
  ];
  assert.deepEqual(
    (await Promise.all(gits)).map((answer) => answer.status),
    [200, 401, 403, 401, 404, 200],
  );
});

test('errors, pages and conditional requests have the form of the real API', async () => {
  const missing = await world.api('GET', '/repos/myshop/none');
  assert.deepEqual(Object.keys(missing.body as object).sort(), ['documentation_url', 'message', 'status']);
  assert.equal(getString(missing.body, 'message'), 'Not Found');
  for (let n = 0; n < 3; n += 1) await world.api('POST', `${app}/issues`, { body: { title: `issue ${n}` } });
  const page = await world.api('GET', `${app}/issues?per_page=2`);
  assert.equal(getArray(page.body).length, 2);
  assert.match(page.headers.get('link') ?? '', /[?&]page=2>; rel="next"/);
  const etag = page.headers.get('etag') ?? '';
  assert.equal(
    (await world.api('GET', `${app}/issues?per_page=2`, { headers: { 'if-none-match': etag } })).status,
    304,
  );
});

test('files are written, read, guarded by their sha, and removed, each with a push event', async () => {
  const content = (text: string) => Buffer.from(text).toString('base64');
  const path = `${app}/contents/docs/hello%20world.md`;
  const made = await world.api('PUT', path, { body: { message: 'docs: hello', content: content('one') } });
  assert.equal(made.status, 201, made.text);
  const read = await world.api('GET', path);
  assert.equal(Buffer.from(getString(read.body, 'content') ?? '', 'base64').toString(), 'one');
  assert.equal((await world.api('PUT', path, { body: { message: 'x', content: content('two') } })).status, 422);
  assert.equal(
    (await world.api('PUT', path, { body: { message: 'x', content: content('two'), sha: '0'.repeat(40) } })).status,
    409,
  );
  const changed = await world.api('PUT', path, {
    body: { message: 'docs: two', content: content('two'), sha: getString(read.body, 'sha') },
  });
  assert.equal(changed.status, 200, changed.text);
  const list = await world.api('GET', `${app}/contents/docs`);
  assert.deepEqual([getString(list.body, 0, 'name'), getString(list.body, 0, 'type')], ['hello world.md', 'file']);
  const compare = await world.api('GET', `${app}/compare/main~1...main`);
  assert.deepEqual(
    [getNumber(compare.body, 'ahead_by'), getString(compare.body, 'files', 0, 'patch')],
    [1, '@@ -1 +1 @@\n-one\n\\ No newline at end of file\n+two\n\\ No newline at end of file'],
  );
  const gone = await world.api('DELETE', path, {
    body: { message: 'docs: away', sha: getString(changed.body, 'content', 'sha') },
  });
  assert.equal(gone.status, 200, gone.text);
  const commits = await world.api('GET', `${app}/commits`);
  assert.deepEqual(
    getArray(commits.body).map((commit) => getString(commit, 'commit', 'message')),
    ['docs: away', 'docs: two', 'docs: hello'],
  );
  assert.equal(getString(commits.body, 0, 'author', 'login'), 'ada');
});

test('a pull request runs its workflows on the merge, is reviewed and merged', async () => {
  const clone = await world.clone('myshop/app');
  const workflow =
    'name: PR\non: {pull_request: {branches: [main], paths: ["src/**"]}}\njobs:\n  t:\n    runs-on: x\n    steps:\n      - run: echo "$GITHUB_REF $GITHUB_HEAD_REF into $GITHUB_BASE_REF by ${{ github.event.pull_request.user.login }}"\n';
  await world.commit(clone, { '.github/workflows/pr.yml': workflow }, 'ci: pull requests');
  await world.git(['push', '-q', 'origin', 'HEAD:main'], clone);
  await world.git(['checkout', '-q', '-b', 'feature'], clone);
  await world.commit(clone, { 'src/a.ts': 'export {};\n' }, 'feat: a');
  await world.git(['push', '-q', 'origin', 'feature'], clone);
  const opened = await world.api('POST', `${app}/pulls`, {
    body: { title: 'Add a', head: 'feature', base: 'main', body: 'please' },
  });
  assert.equal(opened.status, 201, opened.text);
  const number = getNumber(opened.body, 'number');
  const run = await world.run('myshop/app', { event: 'pull_request' });
  assert.match(
    await logsOf(world, 'myshop/app', run),
    new RegExp(`refs/pull/${number}/merge feature into main by ada`),
  );
  assert.equal(getString(run, 'head_branch'), 'feature');

  assert.equal(
    (await world.api('POST', `${app}/pulls/${number}/reviews`, { body: { event: 'APPROVE' } })).status,
    422,
    'own',
  );
  const eve = world.forge.seed.createToken('eve', 'test');
  const review = await world.api('POST', `${app}/pulls/${number}/reviews`, { body: { event: 'APPROVE' }, token: eve });
  assert.equal(getString(review.body, 'state'), 'APPROVED', review.text);
  const files = await world.api('GET', `${app}/pulls/${number}/files`);
  assert.deepEqual(
    getArray(files.body).map((file) => [getString(file, 'filename'), getString(file, 'status')]),
    [['src/a.ts', 'added']],
  );
  assert.equal(getPath((await world.api('GET', `${app}/pulls/${number}`)).body, 'mergeable'), true);
  assert.equal((await world.api('PUT', `${app}/pulls/${number}/merge`, { token: eve })).status, 403);
  const merged = await world.api('PUT', `${app}/pulls/${number}/merge`, { body: { merge_method: 'squash' } });
  assert.equal(merged.status, 200, merged.text);
  await world.git(['fetch', '-q', 'origin', 'main'], clone);
  assert.equal(await world.git(['log', '-1', '--format=%s', 'FETCH_HEAD'], clone), `Add a (#${number})`);
  const after = await world.api('GET', `${app}/pulls/${number}`);
  assert.deepEqual(
    [getString(after.body, 'state'), getPath(after.body, 'merged'), getString(after.body, 'merged_by', 'login')],
    ['closed', true, 'ada'],
  );
  const [feature, start] = (await world.git(['rev-parse', 'origin/feature', 'FETCH_HEAD~1'], clone)).trim().split('\n');
  const broughtBy = async (sha: string | undefined) =>
    getArray((await world.api('GET', `${app}/commits/${sha}/pulls`)).body).map((pull) => getPath(pull, 'number'));
  assert.deepEqual(
    [await broughtBy(feature), await broughtBy(getString(merged.body, 'sha')), await broughtBy(start)],
    [[number], [number], []],
  );
});

test('a workflow is started by hand with checked inputs', async () => {
  const clone = await world.clone('myshop/app');
  const workflow =
    'name: By hand\non:\n  workflow_dispatch:\n    inputs:\n      level: {type: choice, options: [low, high], default: low}\n      force: {type: boolean}\njobs:\n  t:\n    runs-on: x\n    steps:\n      - run: echo "level=${{ inputs.level }} force=${{ inputs.force }} ${{ github.event.inputs.level }}"\n';
  await world.commit(clone, { '.github/workflows/hand.yml': workflow }, 'ci: by hand');
  await world.git(['push', '-q', 'origin', 'HEAD:main'], clone);
  const start = (inputs: object) =>
    world.api('POST', `${app}/actions/workflows/hand.yml/dispatches`, { body: { ref: 'main', inputs } });
  assert.equal((await start({ level: 'other' })).status, 422);
  assert.equal((await start({ nothing: 1 })).status, 422);
  assert.equal((await start({ level: 'high', force: true })).status, 204);
  const run = await world.run('myshop/app', { event: 'workflow_dispatch' });
  assert.match(await logsOf(world, 'myshop/app', run), /level=high force=true high/);
});

test('statuses, releases with their tag, refs and a commit made of objects', async () => {
  const head = getString((await world.api('GET', `${app}/commits/main`)).body, 'sha') ?? '';
  assert.equal(
    (await world.api('POST', `${app}/statuses/${head}`, { body: { state: 'success', context: 'slipway/diff' } }))
      .status,
    201,
  );
  assert.equal(getString((await world.api('GET', `${app}/commits/main/status`)).body, 'state'), 'success');
  const release = await world.api('POST', `${app}/releases`, { body: { tag_name: 'v1.0.0', name: 'First' } });
  assert.equal(release.status, 201, release.text);
  assert.equal(getString((await world.api('GET', `${app}/releases/latest`)).body, 'tag_name'), 'v1.0.0');
  assert.deepEqual(
    [
      getString((await world.api('GET', `${app}/tags`)).body, 0, 'name'),
      getString((await world.api('GET', `${app}/tags`)).body, 0, 'commit', 'sha'),
    ],
    ['v1.0.0', head],
  );

  const tree = await world.api('POST', `${app}/git/trees`, {
    body: { base_tree: head, tree: [{ path: 'new.txt', mode: '100644', content: 'new\n' }] },
  });
  const commit = await world.api('POST', `${app}/git/commits`, {
    body: { message: 'feat: objects', tree: getString(tree.body, 'sha'), parents: [head] },
  });
  const ref = await world.api('POST', `${app}/git/refs`, {
    body: { ref: 'refs/heads/made', sha: getString(commit.body, 'sha') },
  });
  assert.equal(ref.status, 201, ref.text);
  assert.equal(
    (
      await world.api('GET', `${app}/contents/new.txt?ref=made`, {
        headers: { accept: 'application/vnd.github.raw+json' },
      })
    ).text,
    'new\n',
  );
  assert.equal(
    (await world.api('PATCH', `${app}/git/refs/heads/made`, { body: { sha: `${head.slice(0, 39)}0` } })).status,
    422,
  );
  assert.equal((await world.api('DELETE', `${app}/git/refs/heads/made`)).status, 204);
});

test('a hook is made by API, pinged, keeps its deliveries and delivers one again', async () => {
  const made = await world.api('POST', `${app}/hooks`, {
    body: {
      name: 'web',
      events: ['push'],
      config: { url: `${world.forge.url}/nowhere`, content_type: 'json', secret: 'hook-secret' },
    },
  });
  assert.equal(made.status, 201, made.text);
  assert.equal(getString(made.body, 'config', 'secret'), '********');
  const path = `${app}/hooks/${getNumber(made.body, 'id')}/deliveries`;
  const delivery = await world.until('an attempt', async () => {
    const first = getPath((await world.api('GET', path)).body, 0);
    return getNumber(first, 'status_code') === 404 ? first : undefined;
  });
  assert.equal(getString(delivery, 'event'), 'ping');
  assert.equal((await world.api('POST', `${path}/${getNumber(delivery, 'id')}/attempts`)).status, 202);
  const all = getArray((await world.api('GET', path)).body);
  assert.deepEqual(
    all.map((each) => getPath(each, 'redelivery')),
    [true, false],
  );
  assert.equal(getString(all[0], 'guid'), getString(all[1], 'guid'));
});
