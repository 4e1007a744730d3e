import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { toolPath } from '../../test/tools.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-cluster-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const cli = join(import.meta.dirname, 'cli.ts');

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** Starts `slipway cluster`, and resolves when it says that it is up, or when it has ended. */
async function start(...args: string[]): Promise<{ child: ChildProcess; ended: Promise<Ended>; up: boolean }> {
  const child = spawn(process.execPath, [cli, 'cluster', ...args], { cwd: folder });
  let out = '';
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, out, err })));
  const up = new Promise<boolean>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      if (/kubectl get pods/.test(out)) resolve(true);
    });
  });
  return { child, ended, up: await Promise.race([up, ended.then(() => false)]) };
}

function kubectl(kubeconfig: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { PATH: process.env['PATH'] ?? '', KUBECACHEDIR: join(folder, 'cache'), HOME: folder };
  return new Promise((resolve) => {
    const all = ['--kubeconfig', kubeconfig, ...args];
    execFile(toolPath('kubectl'), all, { env, timeout: 20_000 }, (error, out, err) =>
      resolve({ code: error ? 1 : 0, out, err }),
    );
  });
}

function userKubeconfig(...args: string[]): Promise<{ out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, 'cluster', 'kubeconfig', ...args], { cwd: folder }, (_error, out, err) =>
      resolve({ out, err }),
    );
  });
}

test('a cluster of the command line is found again by its next start', async () => {
  const data = join(folder, 'kept');
  const kubeconfig = join(data, 'kubeconfig');
  const first = await start('--data', data, '--nodes', '2');
  assert(first.up);
  const nodes = await kubectl(kubeconfig, 'get', 'nodes', '-o', 'name');
  assert.equal(nodes.out, 'node/sim-1\nnode/sim-2\n', nodes.err);
  assert.equal((await kubectl(kubeconfig, 'create', 'configmap', 'kept', '--from-literal=a=b')).code, 0);

  const again = await start('--data', data);
  const { code, err } = await again.ended;
  assert.deepEqual({ up: again.up, code }, { up: false, code: 4 });
  assert.match(err, /in use by process/);

  const kim = join(folder, 'kim');
  writeFileSync(kim, (await userKubeconfig('--data', data, '--user', 'kim', '--group', 'viewers')).out, {
    mode: 0o600,
  });
  const refused = await kubectl(kim, 'get', 'pods');
  assert.match(refused.err, /User "kim" cannot list resource "pods"/);

  first.child.kill('SIGTERM');
  assert.equal((await first.ended).code, 0);
  const second = await start('--data', data);
  const kept = await kubectl(kubeconfig, 'get', 'configmap', 'kept', '-o', 'jsonpath={.data.a}');
  assert.equal(kept.out, 'b', kept.err);
  second.child.kill('SIGINT');
  assert.equal((await second.ended).code, 0);
});

test('a cluster in memory leaves nothing; a taken port and a foreign kubeconfig are told', async () => {
  const kubeconfig = join(folder, 'memory.kubeconfig');
  const { child, ended, up } = await start(
    '--in-memory',
    '--kubeconfig',
    kubeconfig,
    '--user-token',
    'secret-token=kim',
  );
  assert(up);
  const port = /127\.0\.0\.1:(\d+)/.exec(readFileSync(kubeconfig, 'utf8'))?.[1] ?? '';
  const taken = await (await start('--in-memory', '--port', port)).ended;
  assert.equal(taken.code, 9);
  assert.match(taken.err, new RegExp(`127.0.0.1:${port}: the port is in use`));

  const foreign = join(folder, 'foreign');
  writeFileSync(foreign, 'clusters: [{name: production}]\n');
  const refused = await (await start('--in-memory', '--kubeconfig', foreign)).ended;
  assert.equal(refused.code, 4);
  assert.equal(readFileSync(foreign, 'utf8'), 'clusters: [{name: production}]\n');

  child.kill('SIGTERM');
  assert.deepEqual((await ended).code, 0);
  assert.equal(existsSync(join(folder, '.slipway')), false);
  const nowhere = await userKubeconfig('--user', 'kim');
  assert.match(nowhere.err, /there is no cluster in/);
});

test('a stop that comes while it starts is heeded', async () => {
  const child = spawn(process.execPath, [cli, 'cluster', '--data', join(folder, 'early')], { cwd: folder });
  const log = join(folder, 'early', 'lock');
  for (let n = 0; n < 500 && !existsSync(log); n += 1) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGTERM');
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.deepEqual({ code, locked: existsSync(log) }, { code: 0, locked: false });
});
