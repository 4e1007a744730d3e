import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { getArray, getNumber, getPath, getString } from '#base/json.ts';

const runFile = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), 'forge-kill-'));
let child: ChildProcess | undefined;
after(() => {
  child?.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

const program = `
import { clock, entropy } from '#drydock/forge/forge-fixture.test.ts';
import { silentLogger } from '#base/log.ts';
import { startForge } from '#drydock/forge/server.ts';
const [directory, port] = process.argv.slice(1);
const forge = await startForge({
  clock, entropy, logger: silentLogger, dataDir: directory + '/data', host: '127.0.0.1', port: Number(port), gitPath: 'git',
  runner: { workDir: directory + '/work', env: { PATH: process.env.PATH }, builtins: {}, concurrency: 2, extraPath: [] },
});
forge.seed.createUser('ada', 'Ada', 'ada@example.com');
forge.seed.adoptToken('ada', 'test', 'token-of-ada');
await forge.seed.createRepository('ada', { name: 'app' }, new AbortController().signal);
process.stdout.write('port ' + forge.port + '\\n');
`;

async function start(port: number): Promise<number> {
  const started = spawn(process.execPath, ['--input-type=module-typescript', '-e', program, directory, String(port)], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child = started;
  return new Promise((resolve, reject) => {
    let text = '';
    started.once('exit', (code) => reject(new Error(`the forge ended with ${code}`)));
    started.stdout.on('data', (chunk) => {
      text += String(chunk);
      const match = /port (\d+)/.exec(text);
      if (match) resolve(Number(match[1]));
    });
  });
}

async function kill(): Promise<void> {
  const ended = new Promise((resolve) => child?.once('exit', resolve));
  child?.kill('SIGKILL');
  await ended;
}

/** A process that ended and that nobody has waited for is still listed, as a zombie. */
function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

async function until<T>(question: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 500; tries += 1) {
    const answer = await question();
    if (answer !== undefined) return answer;
    await sleep(20);
  }
  throw new Error('never happened');
}

test('a killed forge starts interrupted jobs again, ends what they left, and reports pushes it had not recorded', async () => {
  const port = await start(0);
  const env = { PATH: process.env['PATH'] ?? '', HOME: directory, GIT_CONFIG_NOSYSTEM: '1' };
  const git = async (...args: string[]) =>
    (
      await runFile(
        'git',
        ['-C', join(directory, 'clone'), '-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args],
        { env },
      )
    ).stdout.trim();
  await runFile(
    'git',
    ['clone', '-q', `http://ada:token-of-ada@127.0.0.1:${port}/ada/app.git`, join(directory, 'clone')],
    { env },
  );
  const marker = join(directory, 'pids');
  const script = `echo $$ >> ${marker}; if [ "$GITHUB_RUN_ATTEMPT" = 1 ]; then sleep 100; fi; echo done`;
  const workflow = `on: push\njobs:\n  first: {runs-on: x, steps: [{run: "true"}]}\n  slow:\n    needs: first\n    runs-on: x\n    steps:\n      - run: '${script}'\n`;
  await runFile('mkdir', ['-p', join(directory, 'clone', '.github', 'workflows')]);
  writeFileSync(join(directory, 'clone', '.github', 'workflows', 'slow.yml'), workflow);
  await git('add', '-A');
  await git('commit', '-q', '-m', 'feat: begin');
  await git('push', '-q', 'origin', 'HEAD:main');
  await until(async () => (existsSync(marker) && readFileSync(marker, 'utf8').includes('\n') ? true : undefined));
  await kill();

  // What a push leaves when the forge is killed before it could record it: the ref moved, nothing else.
  await git('commit', '-q', '--allow-empty', '-m', 'feat: unrecorded');
  const bare = join(directory, 'data', 'repos', '1.git');
  await git('push', '-q', bare, 'HEAD:main');
  const pid = Number(readFileSync(marker, 'utf8').split('\n')[0]);
  if (process.platform === 'linux') assert.ok(isAlive(pid), 'the step outlives the killed forge');

  await start(port);
  if (process.platform === 'linux') assert.ok(!isAlive(pid), 'and is ended by the next one');
  const api = async (path: string) => (await (await fetch(`http://127.0.0.1:${port}/api/v3${path}`)).json()) as unknown;
  const runs = await until(async () => {
    const all = getArray(await api('/repos/ada/app/actions/runs'), 'workflow_runs');
    const interrupted = all.find((run) => getString(run, 'display_title') === 'feat: begin');
    return getString(interrupted, 'status') === 'completed' ? all : undefined;
  });
  assert.deepEqual(
    runs.map((run) => getString(run, 'display_title')),
    ['feat: unrecorded', 'feat: begin'],
  );
  const run = runs[1];
  assert.deepEqual([getString(run, 'conclusion'), getNumber(run, 'run_attempt')], ['success', 2]);
  const jobs = getArray(await api(`/repos/ada/app/actions/runs/${getNumber(run, 'id')}/jobs?filter=all`), 'jobs');
  assert.deepEqual(
    jobs.map((job) => [getPath(job, 'run_attempt'), getPath(job, 'name'), getPath(job, 'conclusion')]),
    [
      [1, 'first', 'success'],
      [1, 'slow', 'cancelled'],
      [2, 'first', 'success'],
      [2, 'slow', 'success'],
    ],
  );
  assert.match(getString(jobs[1], 'message') ?? '', /starts again/);
});
