import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { basic, manifestType, sha256 } from '../../../test/registry-fixture.ts';

const script = `
  import { startRegistry } from '${join(import.meta.dirname, 'start-registry.ts')}';
  import { testClock, testEntropy } from '${join(import.meta.dirname, '../../../test/clock.ts')}';
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const users = [{ name: 'u', password: 'user-password', scopes: [{ repository: '*', actions: ['pull', 'push'] }] }];
  const registry = await startRegistry({ clock: testClock, entropy: testEntropy, logger: quiet, users,
    dataDir: process.argv[1], host: '127.0.0.1', port: 0, tags: { immutable: true } });
  console.log(registry.url);
`;
const authorization = basic('u', 'user-password');

async function startChild(dataDir: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { stdout } = child;
  assert(stdout);
  for await (const url of createInterface({ input: stdout })) return { child, url };
  throw new Error('the registry ended before it listened');
}

async function send(url: string, method: string, path: string, body?: string): Promise<Response> {
  const headers = { authorization, 'content-type': manifestType };
  return await fetch(new URL(path, url), { method, headers, ...(body === undefined ? {} : { body }) });
}

/** Pushes images until the registry is gone; returns the tags it acknowledged with their manifests. */
async function pushUntilKilled(url: string, round: number, acknowledged: Map<string, string>): Promise<void> {
  for (let count = 0; ; count += 1) {
    const content = `round ${round} image ${count}`;
    try {
      const started = await send(url, 'POST', '/v2/app/blobs/uploads/');
      const pushed = await send(url, 'PUT', `${started.headers.get('location')}?digest=${sha256(content)}`, content);
      assert.equal(pushed.status, 201);
      const part = { mediaType: 'application/x', digest: sha256(content), size: content.length };
      const manifest = JSON.stringify({ schemaVersion: 2, config: part, layers: [part] });
      const tagged = await send(url, 'PUT', `/v2/app/manifests/r${round}-${count}`, manifest);
      assert.equal(tagged.status, 201);
      acknowledged.set(`r${round}-${count}`, manifest);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      return;
    }
  }
}

describe('a registry that is killed', () => {
  it('has everything it acknowledged, and nothing half', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'registry-kill-'));
    const acknowledged = new Map<string, string>();
    try {
      for (let round = 0; round < 2; round += 1) {
        const { child, url } = await startChild(dataDir);
        const pushing = Promise.all([0, 1, 2].map((writer) => pushUntilKilled(url, round * 10 + writer, acknowledged)));
        const enough = acknowledged.size + 5;
        while (acknowledged.size < enough) await new Promise((resolve) => setTimeout(resolve, 5));
        child.kill('SIGKILL');
        await pushing;
      }
      const { child, url } = await startChild(dataDir);
      for (const [tag, manifest] of acknowledged) {
        const found = await send(url, 'GET', `/v2/app/manifests/${tag}`);
        assert.deepEqual([tag, found.status, await found.text()], [tag, 200, manifest]);
      }
      // What was not acknowledged may be there, but only whole.
      const { tags } = JSON.parse(await (await send(url, 'GET', '/v2/app/tags/list')).text());
      for (const tag of tags) {
        const manifest = JSON.parse(await (await send(url, 'GET', `/v2/app/manifests/${tag}`)).text());
        const blob = await send(url, 'GET', `/v2/app/blobs/${manifest.config.digest}`);
        assert.equal(sha256(await blob.text()), manifest.config.digest);
      }
      assert.deepEqual(await readdir(join(dataDir, 'tmp')), []);
      child.kill('SIGKILL');
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
