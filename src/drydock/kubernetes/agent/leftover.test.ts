import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import { endLeftovers } from './leftover.ts';
import { startTimeOf } from './process-identity.ts';

let dir = '';
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drydock-leftover-'));
  await mkdir(join(dir, 'uid'));
});
after(() => rm(dir, { recursive: true, force: true }));

async function start(): Promise<ChildProcess & { pid: number }> {
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  await once(child, 'spawn');
  const { pid } = child;
  assert.ok(pid !== undefined);
  return Object.assign(child, { pid });
}

const record = (content: object | string): Promise<void> =>
  writeFile(join(dir, 'uid', 'c.pid'), typeof content === 'string' ? content : JSON.stringify(content));

test('a process that an earlier run left is ended', async () => {
  const child = await start();
  await record({ pid: child.pid, startTime: await startTimeOf(child.pid) });
  const ended = once(child, 'exit');
  await endLeftovers(dir, 500, silentLogger);
  await ended;
  assert.deepEqual(await readdir(join(dir, 'uid')), []);
});

test('so is one whose start time was not written any more', async () => {
  const child = await start();
  await record({ pid: child.pid });
  const ended = once(child, 'exit');
  await endLeftovers(dir, 500, silentLogger);
  await ended;
});

test('a process that merely has the number of one is left alone', async () => {
  const child = await start();
  await record({ pid: child.pid, startTime: '1' });
  await endLeftovers(dir, 500, silentLogger);
  assert.equal(child.exitCode, null);
  assert.equal(child.signalCode, null);
  child.kill('SIGKILL');
});

for (const content of ['', '{"pid":', '{"pid":1}', '{"pid":-1}', '[]'])
  test(`a damaged pid file is only removed: ${content}`, async () => {
    await record(content);
    await endLeftovers(dir, 100, silentLogger);
    assert.deepEqual(await readdir(join(dir, 'uid')), []);
  });
