import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const slipway = join(import.meta.dirname, 'slipway.mjs');
const folder = mkdtempSync(join(tmpdir(), 'slipway-command-'));
after(() => rmSync(folder, { recursive: true, force: true }));

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  test(`${signal} to the command alone ends what it started`, { timeout: 30_000 }, async (t) => {
    const args = [slipway, 'cluster', '--in-memory', '--node', 'none', '--kubeconfig', join(folder, 'kubeconfig')];
    const child = spawn(process.execPath, args, { cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
    t.after(() => {
      if (child.pid && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    });
    let said = '';
    const address = await new Promise<string | undefined>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        const found = /https:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
        if (found && /kubectl get pods/.test(said)) resolve(found);
      });
      void closed.then(() => resolve(undefined));
    });
    assert(address, said);
    child.kill(signal);
    assert.equal(await closed, 0);
    await assert.rejects(fetch(`${address}/readyz`), ({ cause }: Error) => /ECONNREFUSED/.test(String(cause)));
  });
