import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ContainerLog, defaultLogLimits, type LogLimits } from './container-log.ts';
import { type LogReadOptions, readLog } from './log-reader.ts';

const now = Date.UTC(2026, 0, 1);
let dir = '';
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drydock-log-'));
});
after(() => rm(dir, { recursive: true, force: true }));

function openLog(name: string, limits: Partial<LogLimits> = {}): ContainerLog {
  return new ContainerLog(join(dir, name), { limits: { ...defaultLogLimits, ...limits }, now: () => now });
}

async function read(log: ContainerLog, options: Partial<LogReadOptions> = {}): Promise<string> {
  const all = { follow: false, timestamps: false, ...options, signal: AbortSignal.timeout(5000) };
  let text = '';
  for await (const chunk of readLog(log.path, log, all)) text += chunk;
  return text;
}

test('what was written is read, in lines', async () => {
  const log = openLog('plain');
  log.append('stdout', Buffer.from(`one\ntw`));
  log.append('stdout', Buffer.from(`o\nthree`));
  assert.equal(await read(log), 'one\ntwo\n');
  log.close();
  assert.equal(await read(log), 'one\ntwo\nthree\n');
  assert.equal(await read(log, { tailLines: 1 }), 'three\n');
  assert.equal(await read(log, { tailLines: 0 }), '');
  assert.equal(await read(log, { limitBytes: 5 }), 'one\nt');
  assert.equal(await read(log, { sinceMs: now + 1 }), '');
  assert.equal(await read(log, { timestamps: true, tailLines: 1 }), '2026-01-01T00:00:00.000000000Z three\n');
});

test('a line without end is cut into parts and read as one', async () => {
  const log = openLog('long', { maxLineBytes: 10 });
  log.append('stdout', Buffer.from(`${'x'.repeat(35)}\n`));
  assert.equal(await read(log), `${'x'.repeat(35)}\n`);
  log.close();
});

test('a log never grows beyond twice its limit, and its newest lines stay', async () => {
  const log = openLog('big', { maxBytes: 1000 });
  for (let line = 0; line < 200; line += 1) log.append('stdout', Buffer.from(`line ${line}\n`));
  const sizes = await Promise.all(['big', 'big.1'].map(async (name) => (await stat(join(dir, name))).size));
  assert.ok(
    sizes.every((size) => size <= 1000),
    `${sizes}`,
  );
  const lines = (await read(log)).trim().split('\n');
  assert.equal(lines.at(-1), 'line 199');
  assert.ok(lines.length > 10);
  log.close();
});

test('following goes on over a turned-over file and ends with the container', async () => {
  const log = openLog('follow', { maxBytes: 300 });
  const reading = read(log, { follow: true });
  for (let line = 0; line < 30; line += 1) {
    log.append('stdout', Buffer.from(`line ${line}\n`));
    if (line % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  log.close();
  assert.equal(await reading, Array.from({ length: 30 }, (_, line) => `line ${line}\n`).join(''));
});
