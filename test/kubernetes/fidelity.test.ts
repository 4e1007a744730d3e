import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { areas } from './areas.ts';
import { differences } from './differences.ts';
import { committedFidelity, fidelityPath } from './fidelity-input.ts';
import { leftOut } from './left-out.ts';

const root = join(import.meta.dirname, '..', '..');

test('the fidelity document is what the suite says', () => {
  assert.equal(readFileSync(join(root, fidelityPath), 'utf8'), committedFidelity(), 'run npm run docs:fidelity');
});

test('every case has a name of its own, and every difference names one', () => {
  const ids = areas.flatMap((area) => area.cases.map((item) => `${area.name}/${item.id}`));
  assert.deepEqual(
    ids.filter((id, index) => ids.indexOf(id) !== index),
    [],
  );
  assert.deepEqual(
    Object.keys(differences).filter((id) => !ids.includes(id)),
    [],
  );
  const left = leftOut.map((item) => item.id);
  assert.equal(new Set(left).size, left.length);
  assert.deepEqual(
    [...ids, ...left].filter((id) => !/^[a-z0-9/-]+$/.test(id)),
    [],
  );
});
