import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { projectRoot } from '#main/programs.ts';
import { runProgram } from './program.ts';

const data = mkdtempSync(join(tmpdir(), 'slipway-demo-test-'));
after(() => rmSync(data, { recursive: true, force: true }));

test('a world that cannot come up is a leg that failed: named, with the reason, and the exit code is not 0', async () => {
  writeFileSync(join(data, 'ports.json'), 'no ports at all');
  const args = [join(projectRoot, 'src', 'main', 'cli.ts'), 'demo', '--json', '--data', data];
  const signal = AbortSignal.timeout(30_000);
  const { stdout, code } = await runProgram(process.execPath, args, { signal, accept: [1] });
  const last: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  assert.equal(code, 1);
  assert.deepEqual(
    Object(last).legs.map((leg: { leg: string; ok: boolean }) => [leg.leg, leg.ok]),
    [['world', false]],
  );
  assert.match(Object(last).legs[0].error, /ports\.json does not hold this world's ports/);
});
