import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { groupUsage, parseProc, parsePs } from './process-usage.ts';

test('a process is read from proc, whatever its name is', () => {
  const rest = 'S 1 4242 4242 0 -1 4194560 100 0 0 0 250 50 7 3 20 0 1 0 99 1000 500';
  for (const name of ['node', 'a) b (c', ''])
    assert.deepEqual(parseProc(`4243 (${name}) ${rest}`, 'Name:\tx\nVmRSS:\t    2048 kB\nThreads:\t1\n'), {
      group: 4242,
      cpuMs: 3100,
      memoryBytes: 2 * 1024 * 1024,
    });
  assert.equal(parseProc('12 (kthreadd) S', ''), undefined);
});

test('the lines of ps, with and without days, hours and hundredths', () => {
  const text = ['  812  20480   0:01.50', '1 8 1-02:03:04', ' 9 0 12:00:00', 'PGID RSS TIME', ''].join('\n');
  assert.deepEqual(parsePs(text), [
    { group: 812, cpuMs: 1500, memoryBytes: 20480 * 1024 },
    { group: 1, cpuMs: (26 * 3600 + 184) * 1000, memoryBytes: 8192 },
    { group: 9, cpuMs: 43_200_000, memoryBytes: 0 },
  ]);
});

test('the usage of a whole process group, and of none', async () => {
  const script = 'while (process.cpuUsage().user < 200_000); setInterval(() => {}, 1000);';
  const child = spawn(process.execPath, ['-e', `${script} console.log("done")`], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const pid = child.pid ?? 0;
    const found = await groupUsage(new Set([pid, 2 ** 30]));
    assert.deepEqual([...found.keys()], [pid]);
    const usage = found.get(pid);
    assert.ok(usage !== undefined && usage.cpuMs >= 100, `the processor time counts: ${usage?.cpuMs}`);
    assert.ok(usage.memoryBytes > 1024 * 1024);
  } finally {
    child.kill('SIGKILL');
  }
});
