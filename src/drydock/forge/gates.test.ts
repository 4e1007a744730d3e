import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { getArray, getNumber, getPath, getString } from '#base/json.ts';
import { logsOf, startWorld, type World } from './forge-fixture.test.ts';

let world: World;
before(async () => {
  world = await startWorld();
  world.forge.seed.createUser('grace', 'Grace', 'grace@example.com');
  world.forge.seed.addMember('myshop', 'grace');
});
after(async () => {
  await world[Symbol.asyncDispose]();
});

async function repository(name: string, files: Record<string, string>): Promise<string> {
  await world.forge.seed.createRepository('myshop', { name }, new AbortController().signal);
  const clone = await world.clone(`myshop/${name}`);
  await world.commit(clone, files, 'feat: begin');
  return clone;
}

const job = (steps: string, more = '') => `jobs:\n  work:\n    runs-on: ubuntu-latest\n${more}    steps:\n${steps}`;

test('a job of a protected environment waits until a reviewer who is not barred approves', async () => {
  const workflow = `name: Deploy\non: push\n${job('      - run: echo "deploying $TARGET with $KEY"\n        env: {TARGET: "${{ vars.TARGET }}", KEY: "${{ secrets.KEY }}"}\n', '    environment: {name: production, url: "http://shop.example"}\n')}`;
  const clone = await repository('gated', { '.github/workflows/deploy.yml': workflow });
  const target = { owner: 'myshop', repository: 'gated', environment: 'production' };
  world.forge.seed.putEnvironment('myshop', 'gated', {
    name: 'production',
    reviewers: ['grace', 'ada'],
    preventSelfReview: true,
  });
  world.forge.seed.setVariable(target, 'TARGET', 'the shop');
  world.forge.seed.setSecret(target, 'KEY', 'very-secret-key');
  await world.git(['push', '-q', 'origin', 'HEAD:main'], clone);

  const waiting = await world.run('myshop/gated', { status: 'waiting' });
  const path = `/repos/myshop/gated/actions/runs/${getNumber(waiting, 'id')}`;
  const pending = await world.api('GET', `${path}/pending_deployments`);
  assert.equal(getString(pending.body, 0, 'environment', 'name'), 'production');
  assert.equal(getPath(pending.body, 0, 'current_user_can_approve'), false, 'ada pushed');
  const review = {
    environment_ids: [getNumber(pending.body, 0, 'environment', 'id')],
    state: 'approved',
    comment: 'go',
  };
  const own = await world.api('POST', `${path}/pending_deployments`, { body: review });
  assert.equal(own.status, 403, own.text);
  const grace = world.forge.seed.createToken('grace', 'test');
  const given = await world.api('POST', `${path}/pending_deployments`, { body: review, token: grace });
  assert.equal(given.status, 200, given.text);

  const run = await world.run('myshop/gated', {});
  assert.equal(getString(run, 'conclusion'), 'success');
  assert.match(await logsOf(world, 'myshop/gated', run), /deploying the shop with \*\*\*/);
  const history = await world.api('GET', `${path}/approvals`);
  assert.deepEqual(
    [
      getString(history.body, 0, 'user', 'login'),
      getString(history.body, 0, 'state'),
      getString(history.body, 0, 'comment'),
    ],
    ['grace', 'approved', 'go'],
  );
  const again = await world.api('POST', `${path}/pending_deployments`, { body: review, token: grace });
  assert.equal(again.status, 422);
});

test('a commit that says so starts nothing', async () => {
  const clone = await repository('skipped', {
    '.github/workflows/ci.yml': `on: push\n${job('      - run: "true"\n')}`,
  });
  await world.commit(clone, {}, 'chore: bump [skip ci]');
  await world.git(['push', '-q', 'origin', 'HEAD:main'], clone);
  await world.commit(clone, {}, 'feat: more');
  await world.git(['push', '-q', 'origin', 'HEAD:main'], clone);
  await world.run('myshop/skipped', {});
  const { body } = await world.api('GET', '/repos/myshop/skipped/actions/runs');
  assert.equal(getNumber(body, 'total_count'), 1);
  assert.equal(getString(body, 'workflow_runs', 0, 'display_title'), 'feat: more');
});

test('a workflow with a mistake fails with file, line and column, and the others run', async () => {
  const clone = await repository('broken', {
    '.github/workflows/bad.yml': 'name: Bad\non: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - rum: echo\n',
    '.github/workflows/not-yaml.yml': 'name: [\n',
    '.github/workflows/good.yml': `name: Good\non: push\n${job('      - run: "true"\n')}`,
  });
  await world.git(['push', '-q', 'origin', 'HEAD:main'], clone);
  assert.equal(getString(await world.run('myshop/broken', { name: 'Good' }), 'conclusion'), 'success');
  const bad = await world.run('myshop/broken', { name: 'Bad' });
  assert.equal(getString(bad, 'conclusion'), 'failure');
  assert.match(
    getString(bad, 'message') ?? '',
    /\.github\/workflows\/bad\.yml \(Line: 7, Col: 9\): Unexpected value 'rum'/,
  );
  const notYaml = await world.run('myshop/broken', { name: '.github/workflows/not-yaml.yml' });
  assert.match(getString(notYaml, 'message') ?? '', /not-yaml\.yml: .* at line 2, column 1/);
});

test('an unknown action, a container and a called workflow say what is missing', async () => {
  const clone = await repository('missing', {
    '.github/workflows/a.yml': `name: A\non: push\n${job('      - uses: some/action@v1\n')}`,
    '.github/workflows/b.yml': `name: B\non: push\n${job('      - run: "true"\n', '    container: node:24\n')}`,
    '.github/workflows/c.yml': 'name: C\non: push\njobs:\n  call:\n    uses: other/repo/.github/workflows/x.yml@main\n',
  });
  await world.git(['push', '-q', 'origin', 'HEAD:main'], clone);
  const message = async (name: string) => {
    const run = await world.run('myshop/missing', { name });
    assert.equal(getString(run, 'conclusion'), 'failure');
    const { body } = await world.api('GET', `/repos/myshop/missing/actions/runs/${getNumber(run, 'id')}/jobs`);
    return getString(body, 'jobs', 0, 'message') ?? '';
  };
  assert.match(await message('A'), /some\/action@v1 is not available on this runner/);
  assert.match(await message('B'), /uses container, which this runner does not have/);
  assert.match(await message('C'), /other\/repo/);
});

test('matrix, needs, conditions, failures that may happen and always()', async () => {
  const workflow = [
    'name: Many',
    'on: push',
    'jobs:',
    '  cells:',
    '    runs-on: x',
    '    strategy: {fail-fast: false, matrix: {os: [a, b], node: [20, 24], exclude: [{os: b, node: 20}], include: [{os: c, node: 24, extra: yes}]}}',
    "    continue-on-error: ${{ matrix.os == 'b' }}",
    '    steps:',
    '      - run: echo "cell ${{ matrix.os }}-${{ matrix.node }}-${{ strategy.job-total }}"',
    '      - run: exit 3',
    "        if: matrix.os == 'b'",
    '      - run: echo "cleanup ${{ job.status }}"',
    '        if: always()',
    '  after:',
    '    needs: cells',
    '    runs-on: x',
    '    steps:',
    '      - id: may',
    '        continue-on-error: true',
    '        run: exit 1',
    '      - run: echo "may ${{ steps.may.outcome }} ${{ steps.may.conclusion }}"',
    '  never:',
    '    needs: after',
    "    if: github.ref == 'refs/heads/other'",
    '    runs-on: x',
    '    steps: [{run: exit 1}]',
    '  then:',
    '    needs: never',
    '    runs-on: x',
    '    steps: [{run: exit 1}]',
  ].join('\n');
  const clone = await repository('many', { '.github/workflows/many.yml': workflow });
  await world.git(['push', '-q', 'origin', 'HEAD:main'], clone);
  const run = await world.run('myshop/many', {});
  const logs = await logsOf(world, 'myshop/many', run);
  assert.equal(getString(run, 'conclusion'), 'success', logs);
  assert.match(logs, /may failure success/);
  assert.match(logs, /cleanup failure/);
  const { body } = await world.api('GET', `/repos/myshop/many/actions/runs/${getNumber(run, 'id')}/jobs`);
  const jobs = getArray(body, 'jobs').map((each) => `${getString(each, 'name')}: ${getString(each, 'conclusion')}`);
  assert.deepEqual(jobs, [
    'cells (a, 20): success',
    'cells (a, 24): success',
    'cells (b, 24): failure',
    'cells (c, 24, yes): success',
    'after: success',
    'never: skipped',
    'then: skipped',
  ]);
});

test('a run is canceled with its processes, cleans up, and can be run again', async () => {
  const steps =
    '      - run: |\n          echo started\n          if [ "$GITHUB_RUN_ATTEMPT" = 1 ]; then sleep 100; fi\n      - run: echo tidied\n        if: cancelled()\n';
  const clone = await repository('canceled', { '.github/workflows/slow.yml': `on: push\n${job(steps)}` });
  await world.git(['push', '-q', 'origin', 'HEAD:main'], clone);
  const running = await world.run('myshop/canceled', { status: 'in_progress' });
  const path = `/repos/myshop/canceled/actions/runs/${getNumber(running, 'id')}`;
  await world.until('the first line', async () =>
    (await logsOf(world, 'myshop/canceled', running)).includes('Z started') ? true : undefined,
  );
  assert.equal((await world.api('POST', `${path}/cancel`)).status, 202);
  const canceled = await world.run('myshop/canceled', {});
  assert.equal(getString(canceled, 'conclusion'), 'cancelled');
  assert.match(await logsOf(world, 'myshop/canceled', canceled), /Z tidied/);
  assert.equal((await world.api('POST', `${path}/rerun`)).status, 201);
  const second = await world.run('myshop/canceled', {});
  assert.deepEqual([getString(second, 'conclusion'), getNumber(second, 'run_attempt')], ['success', 2]);
});
