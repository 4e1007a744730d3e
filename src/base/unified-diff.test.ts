import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { diffLines, renderHunks, unifiedDiff } from './unified-diff.ts';

const ten = 'a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n';
const cases: { name: string; before: string; after: string; want: string }[] = [
  { name: 'equal', before: ten, after: ten, want: '' },
  { name: 'both empty', before: '', after: '', want: '' },
  { name: 'all new', before: '', after: 'a\nb\n', want: '@@ -0,0 +1,2 @@\n+a\n+b\n' },
  { name: 'all gone', before: 'a\n', after: '', want: '@@ -1 +0,0 @@\n-a\n' },
  {
    name: 'one line in the middle',
    before: ten,
    after: ten.replace('e', 'E'),
    want: '@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n',
  },
  {
    name: 'far changes stand apart',
    before: ten,
    after: ten.replace('a', 'A').replace('j', 'J'),
    want: '@@ -1,4 +1,4 @@\n-a\n+A\n b\n c\n d\n@@ -7,4 +7,4 @@\n g\n h\n i\n-j\n+J\n',
  },
  { name: 'an insertion', before: 'a\nc\n', after: 'a\nb\nc\n', want: '@@ -1,2 +1,3 @@\n a\n+b\n c\n' },
];
for (const { name, before, after, want } of cases) {
  test(name, () => assert.equal(renderHunks(unifiedDiff(before, after)), want));
}

test('runs rebuild both sides, and are as short as those of diff(1)', () => {
  let seed = 7;
  const next = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  const folder = mkdtempSync(join(tmpdir(), 'slipway-diff-'));
  try {
    for (let round = 0; round < 60; round += 1) {
      const a = Array.from({ length: next(30) }, () => 'abcd'[next(4)] ?? '');
      const b = Array.from({ length: next(30) }, () => 'abcd'[next(4)] ?? '');
      const runs = diffLines(a, b);
      const side = (dropped: string) => runs.filter(({ kind }) => kind !== dropped).flatMap(({ lines }) => lines);
      assert.deepEqual(side('added'), a);
      assert.deepEqual(side('removed'), b);
      if (round >= 10) continue;
      writeFileSync(join(folder, 'a'), a.map((line) => `${line}\n`).join(''));
      writeFileSync(join(folder, 'b'), b.map((line) => `${line}\n`).join(''));
      const git = spawnSync('git', ['diff', '--no-index', '--minimal', '--numstat', 'a', 'b'], { cwd: folder });
      const [added = '0', removed = '0'] = git.stdout.toString().split('\t');
      const count = (wanted: string) =>
        runs.filter(({ kind }) => kind === wanted).reduce((sum, { lines }) => sum + lines.length, 0);
      assert.equal(count('added') + count('removed'), Number(added) + Number(removed));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a hopeless pair is replaced instead of searched for ever', () => {
  const a = Array.from({ length: 3000 }, (_, n) => `a${n}`);
  const b = Array.from({ length: 3000 }, (_, n) => `b${n}`);
  assert.deepEqual(
    diffLines(a, b).map(({ kind, lines }) => [kind, lines.length]),
    [
      ['removed', 3000],
      ['added', 3000],
    ],
  );
});
