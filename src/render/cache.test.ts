import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Clock } from '#base/clock.ts';
import { sha256Hex } from '#base/digest.ts';
import { silentLogger } from '#base/log.ts';
import { testClock } from '../../test/clock.ts';
import { RenderCache } from './cache.ts';

const root = mkdtempSync(join(tmpdir(), 'render-cache-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** A clock that goes on by a second with each look. */
function steppingClock(): Clock {
  let now = testClock.now();
  return {
    ...testClock,
    now: () => {
      now += 1000;
      return now;
    },
  };
}
let folders = 0;
const newFolder = () => join(root, String(folders++));
const cacheIn = (folder: string, limits: { maxEntries?: number; maxBytes?: number } = {}, clock = steppingClock()) =>
  new RenderCache({ folder, clock, logger: silentLogger, ...limits });
const key = (name: string) => sha256Hex(name);
const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(folder, name)).isFile());

test('the longest unused go when there are too many', async () => {
  const folder = newFolder();
  const cache = cacheIn(folder, { maxEntries: 10 });
  for (let count = 0; count < 10; count += 1) await cache.write(key(`e${count}`), { count });
  assert.deepEqual(await cache.read(key('e0')), { count: 0 });
  await cache.write(key('e10'), { count: 10 });
  assert.equal(filesIn(folder).length, 9);
  assert.deepEqual(await cache.read(key('e0')), { count: 0 }, 'used lately');
  assert.equal(await cache.read(key('e1')), undefined);
});

test('large results count by their bytes, those of an earlier process too', async () => {
  const folder = newFolder();
  const noise = (seed: string) => Array.from({ length: 400 }, (_, at) => sha256Hex(`${seed}${at}`)).join('');
  const clock = steppingClock();
  await cacheIn(folder, {}, clock).write(key('a'), noise('a'));
  const again = cacheIn(folder, { maxBytes: 40_000 }, clock);
  await again.write(key('b'), noise('b'));
  await again.write(key('c'), noise('c'));
  await again.write(key('d'), noise('d'));
  const size = filesIn(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  assert.ok(size <= 40_000, String(size));
  assert.ok((await again.read(key('a'))) === undefined, 'the oldest');
  assert.ok((await again.read(key('d'))) === noise('d'), 'the newest');
});

test('what a killed process left half is removed, and what it damaged is no result', async () => {
  const folder = newFolder();
  const file = join(folder, key('x').slice(0, 2), `${key('x')}.render`);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, 'half');
  writeFileSync(`${file}.1-1.tmp`, 'half');
  const cache = cacheIn(folder);
  assert.equal(await cache.read(key('x')), undefined);
  assert.equal(existsSync(file), false);
  await cache.write(key('x'), [1]);
  assert.deepEqual(filesIn(folder), [join(key('x').slice(0, 2), `${key('x')}.render`)]);
  assert.deepEqual(await cacheIn(folder).read(key('x')), [1]);
});
