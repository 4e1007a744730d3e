import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { getArray, getNumber, getPath, getString } from '#base/json.ts';
import { logsOf, startWorld, type World } from './forge-fixture.test.ts';

let world: World;
before(async () => {
  world = await startWorld();
});
after(async () => {
  await world[Symbol.asyncDispose]();
});

test('a push is stored, told to webhooks with a signature, and starts the workflows of the commit', async () => {
  const seen: { event: string; signature: string; body: string }[] = [];
  const receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      seen.push({
        event: String(request.headers['x-github-event']),
        signature: String(request.headers['x-hub-signature-256']),
        body,
      });
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const address = receiver.address();
  const port = typeof address === 'object' ? address?.port : 0;
  world.forge.seed.putWebhook(
    { owner: 'myshop', repository: 'app' },
    { url: `http://127.0.0.1:${port}/`, secret: 'hook-secret', events: ['push'] },
  );

  const clone = await world.clone('myshop/app');
  const workflow = [
    'name: CI',
    'on: {push: {branches: [main]}}',
    'env: {GREETING: hello}',
    'jobs:',
    '  one:',
    '    runs-on: ubuntu-latest',
    '    outputs: {word: "${{ steps.say.outputs.word }}"}',
    '    steps:',
    '      - id: say',
    '        run: |',
    '          echo "$GREETING from $GITHUB_REPOSITORY"',
    '          echo "word=${GREETING}s" >> $GITHUB_OUTPUT',
    '  two:',
    '    needs: one',
    '    runs-on: ubuntu-latest',
    '    steps:',
    '      - run: echo "got ${{ needs.one.outputs.word }} on ${{ github.ref_name }}"',
  ].join('\n');
  await world.commit(clone, { 'README.md': '# app\n', '.github/workflows/ci.yml': workflow }, 'feat: begin');
  await world.git(['push', '-q', 'origin', 'HEAD:main'], clone);

  const run = await world.run('myshop/app', { event: 'push' });
  assert.equal(getString(run, 'conclusion'), 'success', JSON.stringify(run));
  const logs = await logsOf(world, 'myshop/app', run);
  assert.match(logs, /hello from myshop\/app/);
  assert.match(logs, /got hellos on main/);

  const delivery = await world.until('the push delivery', async () => seen.find((each) => each.event === 'push'));
  assert.equal(delivery.signature, `sha256=${createHmac('sha256', 'hook-secret').update(delivery.body).digest('hex')}`);
  const payload: unknown = JSON.parse(delivery.body);
  assert.equal(getString(payload, 'ref'), 'refs/heads/main');
  assert.equal(getString(payload, 'pusher', 'name'), 'ada');
  assert.equal(getPath(payload, 'created'), true);
  assert.deepEqual(getArray(payload, 'commits', 0, 'added').sort(), ['.github/workflows/ci.yml', 'README.md']);
  assert.equal(getString(payload, 'repository', 'full_name'), 'myshop/app');
  receiver.close();
  receiver.closeAllConnections();
  assert.ok(getNumber(run, 'id'));
});

test('a client that goes away in the middle of a push does not block the next one', async () => {
  const { port } = world.forge;
  const credentials = Buffer.from(`x:${world.token}`).toString('base64');
  const socket = connect(port, '127.0.0.1');
  socket.write(
    `POST /myshop/app.git/git-receive-pack HTTP/1.1\r\nHost: forge\r\nAuthorization: Basic ${credentials}\r\n` +
      'Content-Type: application/x-git-receive-pack-request\r\nContent-Length: 100000\r\n\r\n00',
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  socket.destroy();
  const clone = await world.clone('myshop/app');
  await world.commit(clone, { 'after.txt': 'x' }, 'feat: after');
  await world.git(['push', '-q', 'origin', 'HEAD:main'], clone);
  assert.equal(
    getString((await world.api('GET', '/repos/myshop/app/commits/main')).body, 'commit', 'message'),
    'feat: after',
  );
});

test('a push that is not a fast-forward is refused without force, and told as forced with it', async () => {
  const clone = await world.clone('myshop/app');
  await world.commit(clone, { 'a.txt': '1' }, 'feat: one');
  await world.git(['push', '-q', 'origin', 'HEAD:topic'], clone);
  await world.git(['commit', '-q', '--amend', '-m', 'feat: other'], clone);
  await assert.rejects(world.git(['push', '-q', 'origin', 'HEAD:topic'], clone), /non-fast-forward|rejected/);
  await world.git(['push', '-q', '--force', 'origin', 'HEAD:topic'], clone);
  await world.git(['push', '-q', 'origin', ':topic'], clone);
  const branches = await world.api('GET', '/repos/myshop/app/branches');
  assert.deepEqual(
    getArray(branches.body).map((branch) => getString(branch, 'name')),
    ['main'],
  );
});
