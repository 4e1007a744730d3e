import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { knobTable } from '#drydock/kubernetes/simulator/knobs.ts';

const root = join(import.meta.dirname, '..', '..');
const guide = readFileSync(join(root, 'docs', 'guides', 'cluster.md'), 'utf8');

test('the example of the guide runs in a package that has this one linked, and its process ends by itself', async () => {
  const [, example = ''] = /```ts\n([\s\S]*?)```/.exec(guide) ?? [];
  const folder = mkdtempSync(join(tmpdir(), 'guide-'));
  try {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(root, join(folder, 'node_modules', 'slipway'));
    symlinkSync(join(root, 'node_modules', '@kubernetes'), join(folder, 'node_modules', '@kubernetes'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'example.ts'), example);
    const { code, out, err } = await new Promise<{ code: number; out: string; err: string }>((resolve) => {
      execFile(process.execPath, ['example.ts'], { cwd: folder, timeout: 30_000 }, (error, out, err) =>
        resolve({ code: error ? 1 : 0, out, err }),
      );
    });
    assert.deepEqual({ code, err }, { code: 0, err: '' });
    assert.match(out, /^shop\/web:2 crashed \d times\n$/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the table of knobs is the one that the simulator reads', () => {
  const rows = Object.entries(knobTable).map(([name, { value, does }]) => `| \`${name}\` | ${value} | ${does} |`);
  assert.equal(/\| knob \| value \|.*\n\|-.*\n((?:\|.*\n)+)/.exec(guide)?.[1], `${rows.join('\n')}\n`);
});
