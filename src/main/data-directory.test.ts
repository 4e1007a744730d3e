import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { openDataDirectory } from './data-directory.ts';

const scratch = mkdtempSync(join(tmpdir(), 'slipway-data-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

test('the ports are chosen once and kept', async () => {
  const root = join(scratch, 'ports');
  const first = openDataDirectory(root);
  const ports = await first.ports();
  assert.equal(new Set(Object.values(ports)).size, 6);
  first[Symbol.dispose]();
  using second = openDataDirectory(root);
  assert.deepEqual(await second.ports(), ports);
});

test('a world of before Ingresses were served keeps its ports and is given theirs', async () => {
  const root = join(scratch, 'older');
  using data = openDataDirectory(root);
  const before = { kubernetes: 20001, registry: 20002, forge: 20003, slipway: 20004 };
  writeFileSync(data.path('ports.json'), JSON.stringify(before));
  const ports = await data.ports();
  assert.deepEqual({ ...ports, ...before }, ports);
  assert.equal(new Set(Object.values(ports)).size, 6);
  assert.deepEqual(await data.ports(), ports);
});

test('a damaged ports file is named, and not replaced', async () => {
  const root = join(scratch, 'damaged');
  using data = openDataDirectory(root);
  writeFileSync(data.path('ports.json'), '{"kubernetes": 1');
  await assert.rejects(
    data.ports(),
    (error) => isAppError(error, 'corrupt-data') && error.message.includes('ports.json'),
  );
});

test('a directory in use by a living process is refused; one left by a dead process is taken over', async () => {
  const root = join(scratch, 'locked');
  openDataDirectory(root)[Symbol.dispose]();
  const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)']);
  await once(other, 'spawn');
  writeFileSync(join(root, 'lock'), `${other.pid}\n`);
  assert.throws(
    () => openDataDirectory(root),
    (error) => isAppError(error, 'conflict') && error.message.includes(String(other.pid)),
  );
  other.kill('SIGKILL');
  await once(other, 'exit');
  openDataDirectory(root)[Symbol.dispose]();
});

test('a file where the directory should be is refused', () => {
  const path = join(scratch, 'file');
  writeFileSync(path, '');
  assert.throws(
    () => openDataDirectory(path),
    (error) => isAppError(error, 'corrupt-data'),
  );
});
