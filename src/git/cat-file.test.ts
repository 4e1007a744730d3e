import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { toolPath } from '../../test/tools.ts';
import { CatFile } from './cat-file.ts';
import { Slots } from './slots.ts';

const folder = mkdtempSync(join(tmpdir(), 'cat-file-'));
const gitDir = join(folder, 'r.git');
after(() => rmSync(folder, { recursive: true, force: true }));
const git = (args: string[], input?: string | Buffer) =>
  execFileSync(toolPath('git'), args, { env: { GIT_DIR: gitDir, HOME: folder }, ...(input !== undefined && { input }) })
    .toString()
    .trim();
git(['init', '-q', '--bare', gitDir]);
const blob = (content: string | Buffer) => git(['hash-object', '-w', '--stdin'], content);

const signal = new AbortController().signal;
const program = { gitPath: toolPath('git'), home: folder, env: {}, slots: new Slots(2) };

test('reads many objects at once, each whole, in any size', async () => {
  await using objects = new CatFile(program, gitDir, 10_000_000);
  const contents = ['', 'a\n', '\n\n', 'x'.repeat(200_000), Buffer.from([0, 10, 255]).toString('latin1')];
  const oids = contents.map((content) => blob(content));
  const wanted = [...oids, 'f'.repeat(40), ...oids];
  const found = await Promise.all(wanted.map((oid) => objects.read(oid, signal)));
  assert.deepEqual(
    found.map((object) => object?.data.toString()),
    [...contents, undefined, ...contents],
  );
});

test('an object over the limit is refused, and those behind it are read', async () => {
  await using objects = new CatFile(program, gitDir, 1000);
  const [large, larger, small] = [blob('y'.repeat(1001)), blob('z'.repeat(500_000)), blob('small')];
  const reads = [large, larger, small, larger, small].map((oid) => objects.read(oid, signal));
  const results = await Promise.allSettled(reads);
  assert.deepEqual(
    results.map((result) => (result.status === 'fulfilled' ? result.value?.data.toString() : result.reason.code)),
    ['limit', 'limit', 'small', 'limit', 'small'],
  );
});

test('reads go on when the process dies, and it is started again after that', async () => {
  await using objects = new CatFile(program, gitDir, 10_000_000);
  const oid = blob('content');
  const reads = Array.from({ length: 20 }, () => objects.read(oid, signal));
  objects.restart();
  assert.equal((await Promise.all(reads)).filter((object) => object?.data.toString() === 'content').length, 20);
  objects.restart();
  assert.equal((await objects.read(oid, signal))?.type, 'blob');
});

test('objects that come after the process was started are found', async () => {
  await using objects = new CatFile(program, gitDir, 1000);
  assert.equal(await objects.read('0'.repeat(40), signal), undefined);
  assert.equal((await objects.read(blob('written later'), signal))?.data.toString(), 'written later');
});

test('only object ids are asked for', async () => {
  await using objects = new CatFile(program, gitDir, 1000);
  for (const name of ['HEAD', 'abc\nabc', '--help', 'a'.repeat(40).toUpperCase()])
    await assert.rejects(objects.read(name, signal), (error) => isAppError(error, 'bad-input'));
});

test('an aborted read ends at once and does not disturb the next', async () => {
  await using objects = new CatFile(program, gitDir, 1000);
  const oid = blob('kept');
  const controller = new AbortController();
  const read = objects.read(oid, controller.signal);
  controller.abort();
  await assert.rejects(read, (error) => isAppError(error, 'canceled'));
  assert.equal((await objects.read(oid, signal))?.data.toString(), 'kept');
});

test('a program that is not there is a missing tool', async () => {
  await using objects = new CatFile({ ...program, gitPath: join(folder, 'no-git') }, gitDir, 1000);
  await assert.rejects(objects.read('a'.repeat(40), signal), (error) => isAppError(error, 'missing-tool'));
});
