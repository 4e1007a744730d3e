import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LogFile } from './log-file.ts';

test('a log keeps its limit and loses no line but the oldest', () => {
  const dir = mkdtempSync(join(tmpdir(), 'log-file-'));
  try {
    const path = join(dir, 'logs', 'slipway.log');
    let file = new LogFile(path, 100);
    for (let line = 0; line < 30; line += 1) {
      if (line === 17) file = new LogFile(path, 100);
      file.write(`${String(line).padStart(8, '0')}\n`);
    }
    assert.deepEqual(readdirSync(join(dir, 'logs')).sort(), ['slipway.log', 'slipway.log.1']);
    const [older, newer] = [readFileSync(`${path}.1`, 'utf8'), readFileSync(path, 'utf8')];
    assert.ok(older.length <= 100 && newer.length <= 100);
    const lines = `${older}${newer}`.trim().split('\n').map(Number);
    assert.deepEqual(
      lines,
      Array.from({ length: lines.length }, (_, index) => 30 - lines.length + index),
      'in order, without a gap, to the last',
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test('a line longer than the limit is written whole', () => {
  const dir = mkdtempSync(join(tmpdir(), 'log-file-'));
  try {
    const path = join(dir, 'a.log');
    const file = new LogFile(path, 10);
    file.write('é'.repeat(40));
    file.write('b');
    assert.equal(readFileSync(`${path}.1`, 'utf8'), 'é'.repeat(40));
    assert.equal(readFileSync(path, 'utf8'), 'b');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
