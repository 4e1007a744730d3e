import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Agent, request } from 'undici';
import { getArray, getString, isObject, type JsonObject, parseJson } from '#base/json.ts';
import { configMap, configMaps } from '../api-fixture.test.ts';
import { type Pick, seeded, seeds } from '../seeds-fixture.test.ts';

const here = join(import.meta.dirname, '..');
/** Serves until it is killed, and says where. */
const serving = `
  import { startApiServer } from '${here}/server.ts';
  import { createTypeRegistry } from '${here}/../types/registry.ts';
  import { silentLogger } from '${here}/../../../base/log.ts';
  import { testClock as clock, testEntropy as entropy } from '${join(here, '../../../../test/clock.ts')}';
  const types = createTypeRegistry();
  const dataDir = process.argv[1];
  const server = await startApiServer({ clock, entropy, logger: silentLogger, types, dataDir });
  const { caPem: ca, adminToken: token, listening: { url } } = server;
  process.stdout.write(JSON.stringify({ url, ca, token }) + '\\n');
`;

interface Serving {
  child: ChildProcess;
  send(method: string, path: string, body?: JsonObject): Promise<{ code: number; body: JsonObject }>;
  kill(): Promise<void>;
}

async function serve(dataDir: string): Promise<Serving> {
  const args = ['--input-type=module-typescript', '--eval', serving, dataDir];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (chunk) => resolve(String(chunk)));
    child.once('exit', () => reject(new Error('the server ended before it served')));
  });
  const said = parseJson(line, 'what the server said');
  const url = getString(said, 'url') ?? '';
  const dispatcher = new Agent({ connect: { ca: getString(said, 'ca') ?? '' }, connections: 16 });
  const headers = {
    authorization: `Bearer ${getString(said, 'token')}`,
    accept: 'application/json',
    'content-type': 'application/json',
  };
  return {
    child,
    async send(method, path, body) {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const answer = await request(url + path, { dispatcher, method, headers, ...sent });
      const value: unknown = await answer.body.json();
      return { code: answer.statusCode, body: isObject(value) ? value : {} };
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
      await dispatcher.destroy();
    },
  };
}

/** What one object is: undefined is absent. */
type State = string | undefined;

/** A lane writes objects of its own, one write after the other, so that it knows what must be there. */
interface Lane {
  known: Map<string, State>;
  /** The write that was under way at the end: both outcomes are right. */
  open: { name: string; state: State } | undefined;
  newest: number;
  writes: number;
}

async function write(server: Serving, lane: Lane, { prefix, pick }: { prefix: string; pick: Pick }): Promise<void> {
  for (;;) {
    const name = `${prefix}${pick(6)}`;
    const there = lane.known.get(name) !== undefined;
    const remove = there && pick(3) === 0;
    const state = remove ? undefined : String(pick(1_000_000));
    lane.open = { name, state };
    const path = there ? `${configMaps}/${name}` : configMaps;
    const body = remove ? undefined : configMap(name, { n: state ?? '', fill: 'x'.repeat(500) });
    const answer = await server.send(remove ? 'DELETE' : there ? 'PUT' : 'POST', path, body);
    assert.ok(answer.code < 300, JSON.stringify(answer.body));
    lane.newest = Math.max(lane.newest, Number(getString(answer.body, 'metadata', 'resourceVersion') ?? 0));
    lane.known.set(name, state);
    lane.open = undefined;
    lane.writes += 1;
  }
}

/** Reads all the time; what it was shown may not be taken back either. */
async function read(server: Serving, shown: { newest: number; objects: Map<string, number> }): Promise<void> {
  for (;;) {
    const { body } = await server.send('GET', configMaps);
    shown.newest = Math.max(shown.newest, Number(getString(body, 'metadata', 'resourceVersion')));
    for (const item of getArray(body, 'items'))
      shown.objects.set(
        getString(item, 'metadata', 'uid') ?? '',
        Number(getString(item, 'metadata', 'resourceVersion')),
      );
  }
}

const rounds = seeds(2).length;

test(`SIGKILL in ${rounds} storms of writes: nothing acknowledged is lost, no version goes back`, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'drydock-kill-'));
  const pick = seeded(1);
  const lanes: Lane[] = Array.from({ length: 8 }, () => ({
    known: new Map(),
    open: undefined,
    newest: 0,
    writes: 0,
  }));
  const shown = { newest: 0, objects: new Map<string, number>() };
  let server = await serve(dataDir);
  try {
    for (let round = 0; round < rounds; round += 1) {
      const goal = lanes.reduce((sum, { writes }) => sum + writes, 0) + 50 + pick(150);
      const work = [
        ...lanes.map((lane, n) => write(server, lane, { prefix: `l${n}-`, pick: seeded(1 + n + round * 100) })),
        read(server, shown),
      ];
      const ended = Promise.allSettled(work);
      const enough = (): boolean => lanes.reduce((sum, { writes }) => sum + writes, 0) >= goal;
      for (let tries = 0; tries < 2000 && !enough(); tries += 1) await new Promise((resolve) => setTimeout(resolve, 5));
      assert.ok(enough(), 'the storm went on');
      await server.kill();
      for (const { reason } of (await ended).filter((outcome) => outcome.status === 'rejected'))
        if (reason instanceof assert.AssertionError) throw reason;
      server = await serve(dataDir);
      await check(server, lanes, shown);
    }
  } finally {
    await server.kill();
    rmSync(dataDir, { recursive: true, force: true });
  }
});

async function check(
  server: Serving,
  lanes: Lane[],
  shown: { newest: number; objects: Map<string, number> },
): Promise<void> {
  const { body } = await server.send('GET', configMaps);
  const version = Number(getString(body, 'metadata', 'resourceVersion'));
  assert.ok(version >= shown.newest, `version ${version} after ${shown.newest} was shown`);
  const items = getArray(body, 'items');
  const found = new Map(
    items.map((item) => [getString(item, 'metadata', 'name') ?? '', getString(item, 'data', 'n')] as const),
  );
  for (const item of items) {
    const before = shown.objects.get(getString(item, 'metadata', 'uid') ?? '') ?? 0;
    const now = Number(getString(item, 'metadata', 'resourceVersion'));
    assert.ok(now >= before, `${getString(item, 'metadata', 'name')} went back from ${before} to ${now}`);
  }
  for (const lane of lanes) {
    assert.ok(version >= lane.newest, `version ${version} after ${lane.newest} was acknowledged`);
    for (const [name, state] of lane.known) {
      const open = lane.open?.name === name ? lane.open : undefined;
      assert.ok(
        found.get(name) === state || (open && found.get(name) === open.state),
        `${name}: ${found.get(name)}, not ${state}`,
      );
    }
    if (lane.open) lane.known.set(lane.open.name, found.get(lane.open.name));
    lane.open = undefined;
  }
}
