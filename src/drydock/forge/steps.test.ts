import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { getArray, getNumber, getString, parseJson } from '#base/json.ts';
import type { BuiltinAction } from '../actions/action.ts';
import { basicBuiltins } from '../actions/builtins/basic.ts';
import { clock, logsOf, startWorld, type World } from './forge-fixture.test.ts';

let world: World;
let now = () => clock.now();

/** What a job could do with its token while it ran: status codes by what was tried. */
const probes: { token: string; codes: Record<string, number>; claims: string[] }[] = [];
const probe: BuiltinAction = async (context) => {
  const token = String(context.github['token']);
  const call = async (method: string, path: string, body?: object) =>
    (await world.api(method, path, { token, ...(body ? { body } : {}) })).status;
  const codes = {
    read: await call('GET', '/repos/myshop/tokens/commits/main'),
    dispatch: await call('POST', '/repos/myshop/tokens/dispatches', { event_type: 'x' }),
    comment: await call('POST', '/repos/myshop/tokens/issues', { title: 'x' }),
    other: await call('GET', '/repos/myshop/others'),
    hooks: await call('GET', '/repos/myshop/tokens/hooks'),
  };
  const url = context.env['ACTIONS_ID_TOKEN_REQUEST_URL'];
  const answer = url === undefined ? undefined : await world.api('GET', `${url}&audience=me`, { token });
  const claims = getString(answer?.body, 'value')?.split('.')[1];
  const read = claims === undefined ? undefined : parseJson(Buffer.from(claims, 'base64url').toString(), 'claims');
  probes.push({
    token,
    codes,
    claims: ['sub', 'aud', 'environment', 'event_name'].map((name) => getString(read, name) ?? ''),
  });
  return {};
};
before(async () => {
  const node = { binDir: process.execPath.replace(/\/node$/, ''), version: process.versions.node };
  world = await startWorld({
    builtins: { ...basicBuiltins({ gitPath: 'git', node }), 'test/probe': probe },
    concurrency: 4,
    clock: { ...clock, now: () => now() },
  });
});
after(async () => {
  await world[Symbol.asyncDispose]();
});

async function push(name: string, files: Record<string, string>): Promise<string> {
  await world.forge.seed.createRepository('myshop', { name }, new AbortController().signal);
  const clone = await world.clone(`myshop/${name}`);
  await world.commit(clone, files, 'feat: begin');
  await world.git(['push', '-q', 'origin', 'HEAD:main'], clone);
  return clone;
}

test('steps hand on variables, paths, masks and summaries; actions of the repository run', async () => {
  const workflow = [
    'on: push',
    'run-name: Release of ${{ github.ref_name }}',
    'defaults: {run: {working-directory: sub}}',
    'jobs:',
    '  t:',
    '    runs-on: x',
    '    steps:',
    '      - uses: actions/checkout@v4',
    '      - uses: actions/setup-node@v4',
    `        with: {node-version: ${process.versions.node.split('.')[0]}}`,
    '      - run: |',
    '          echo "SET=from env" >> $GITHUB_ENV',
    "          mkdir -p bin && printf '#!/bin/sh\\necho tool runs\\n' > bin/my-tool && chmod +x bin/my-tool",
    '          echo "$PWD/bin" >> $GITHUB_PATH',
    '          echo "::add-mask::$(echo hush)-hush"',
    '          echo "::warning file=a.ts,line=7,title=Careful::look here"',
    '          echo "# Done" >> $GITHUB_STEP_SUMMARY',
    '      - run: my-tool; echo "$SET hush-hush in $(basename $PWD)"',
    '      - id: own',
    '        uses: ./.github/actions/greet',
    '        with: {who: world}',
    '      - id: js',
    '        uses: ./.github/actions/js',
    '        with: {Number: 20}',
    '      - run: echo "outputs ${{ steps.own.outputs.text }} and ${{ steps.js.outputs.twice }}"',
    '        working-directory: .',
  ].join('\n');
  const composite =
    'name: Greet\ndescription: d\ninputs: {who: {required: true, description: d}, how: {default: hello, description: d}}\noutputs: {text: {value: "${{ steps.a.outputs.text }}", description: d}}\nruns:\n  using: composite\n  steps:\n    - id: a\n      shell: bash\n      run: echo "text=${{ inputs.how }} ${{ inputs.who }}" >> $GITHUB_OUTPUT\n    - if: failure()\n      shell: bash\n      run: echo never-shown\n';
  const script =
    "const { appendFileSync } = require('node:fs');\nappendFileSync(process.env.GITHUB_OUTPUT, `twice=${Number(process.env.INPUT_NUMBER) * 2}\\n`);\n";
  await push('steps', {
    '.github/workflows/a.yml': workflow,
    '.github/actions/greet/action.yml': composite,
    '.github/actions/js/action.yml':
      'name: J\ndescription: d\ninputs: {number: {description: d}}\nruns: {using: node20, main: index.cjs, post: post.cjs}\n',
    '.github/actions/js/index.cjs': script,
    '.github/actions/js/post.cjs': "console.log('post ran');\n",
    'sub/file': '',
  });
  const run = await world.run('myshop/steps', {});
  const log = await logsOf(world, 'myshop/steps', run);
  assert.equal(getString(run, 'conclusion'), 'success', log);
  assert.equal(getString(run, 'display_title'), 'Release of main');
  for (const want of [/Z tool runs/, /Z from env \*\*\* in sub/, /Z outputs hello world and 40/, /Z post ran/])
    assert.match(log, want);
  assert.doesNotMatch(log, /never-shown|hush-hush/);
  const jobs = await world.api('GET', `/repos/myshop/steps/actions/runs/${getNumber(run, 'id')}/jobs`);
  const annotations = await world.api(
    'GET',
    `/repos/myshop/steps/check-runs/${getNumber(jobs.body, 'jobs', 0, 'id')}/annotations`,
  );
  assert.deepEqual(
    [
      getString(annotations.body, 0, 'path'),
      getNumber(annotations.body, 0, 'start_line'),
      getString(annotations.body, 0, 'message'),
    ],
    ['a.ts', 7, 'look here'],
  );
  const checks = await world.api('GET', '/repos/myshop/steps/commits/main/check-runs');
  assert.equal(getString(checks.body, 'check_runs', 0, 'output', 'summary'), '# Done\n');
});

test('artifacts and caches pass files between jobs and runs', async () => {
  const workflow = [
    'on: push',
    'jobs:',
    '  make:',
    '    runs-on: x',
    '    steps:',
    '      - id: cache',
    '        uses: actions/cache@v4',
    '        with: {path: kept, key: k1}',
    '      - run: echo "hit=${{ steps.cache.outputs.cache-hit }}"; mkdir -p kept dist/deep; echo cached > kept/file; echo made > dist/deep/file',
    '      - uses: actions/upload-artifact@v4',
    '        with: {name: out, path: dist}',
    '  use:',
    '    needs: make',
    '    runs-on: x',
    '    steps:',
    '      - uses: actions/download-artifact@v4',
    '        with: {name: out, path: got}',
    '      - run: cat got/file',
  ].join('\n');
  const clone = await push('files', { '.github/workflows/a.yml': workflow });
  const first = await world.run('myshop/files', {});
  assert.match(await logsOf(world, 'myshop/files', first), /hit=false[\s\S]*Z made/);
  await world.commit(clone, {}, 'feat: again');
  await world.git(['push', '-q', 'origin', 'HEAD:main'], clone);
  const second = await world.until('the second run', async () => {
    const { body } = await world.api('GET', '/repos/myshop/files/actions/runs?status=completed');
    return getNumber(body, 'total_count') === 2 ? getArray(body, 'workflow_runs')[0] : undefined;
  });
  assert.match(await logsOf(world, 'myshop/files', second as object), /hit=true/);
});

test('runs of one concurrency group follow each other, the newest in place of those that wait', async () => {
  const workflow = [
    'on: push',
    'concurrency: deploy',
    'jobs:',
    '  t:',
    '    runs-on: x',
    '    concurrency: {group: "job-${{ github.ref }}"}',
    '    steps:',
    '      - run: until [ -e "${{ vars.GATE }}" ]; do sleep 0.05; done',
  ].join('\n');
  const gate = join(world.directory, 'gate');
  world.forge.seed.setVariable({ owner: 'myshop' }, 'GATE', gate);
  const clone = await push('grouped', { '.github/workflows/a.yml': workflow });
  for (const message of ['second', 'third']) {
    await world.commit(clone, {}, message);
    await world.git(['push', '-q', 'origin', 'HEAD:main'], clone);
    await world.until(`the run of the ${message} push`, async () => {
      const { body } = await world.api('GET', '/repos/myshop/grouped/actions/runs?status=pending');
      return getString(body, 'workflow_runs', 0, 'display_title') === message ? true : undefined;
    });
  }
  writeFileSync(gate, '');
  const runs = await world.until('three completed runs', async () => {
    const all = getArray((await world.api('GET', '/repos/myshop/grouped/actions/runs')).body, 'workflow_runs');
    return all.length === 3 && all.every((run) => getString(run, 'status') === 'completed') ? all : undefined;
  });
  assert.deepEqual(
    runs.map((run) => `${getString(run, 'display_title')}: ${getString(run, 'conclusion')}`),
    ['third: success', 'second: cancelled', 'feat: begin: success'],
  );
});

test('a schedule starts its workflow at its time', async () => {
  const due = Math.ceil(clock.now() / 60_000) * 60_000;
  now = () => due - 100;
  await push('timed', {
    '.github/workflows/a.yml':
      'on: {push: null, schedule: [{cron: "* * * * *"}]}\njobs:\n  t:\n    runs-on: x\n    steps: [{run: echo on time}]\n',
  });
  await world.run('myshop/timed', { event: 'push' });
  const { body } = await world.api('GET', '/repos/myshop/timed/actions/runs');
  assert.equal(getNumber(body, 'total_count'), 1, 'not before');
  now = () => due;
  const run = await world.run('myshop/timed', { event: 'schedule' });
  assert.match(await logsOf(world, 'myshop/timed', run), /Z on time/);
});

test("a job's token does what its permissions say, in its own repository, until the job ends", async () => {
  await world.forge.seed.createRepository('myshop', { name: 'others', private: true }, new AbortController().signal);
  const job = (permissions: string, more = '') =>
    `    runs-on: x\n${permissions}${more}    steps: [{uses: test/probe@v1}]\n`;
  const limited = job(
    '    permissions: {contents: read, issues: write, id-token: write}\n',
    '    environment: staging\n',
  );
  await push('tokens', {
    '.github/workflows/a.yml': `on: push\njobs:\n  a:\n${limited}  b:\n    needs: a\n${job('')}`,
  });
  const run = await world.run('myshop/tokens', {});
  assert.equal(getString(run, 'conclusion'), 'success', await logsOf(world, 'myshop/tokens', run));
  assert.deepEqual(
    probes.map(({ codes, claims }) => ({ codes, claims })),
    [
      {
        codes: { read: 200, dispatch: 403, comment: 201, other: 404, hooks: 403 },
        claims: ['repo:myshop/tokens:environment:staging', 'me', 'staging', 'push'],
      },
      { codes: { read: 200, dispatch: 204, comment: 201, other: 404, hooks: 403 }, claims: ['', '', '', ''] },
    ],
  );
  for (const { token } of probes) assert.equal((await world.api('GET', '/repos/myshop/tokens', { token })).status, 401);
});
