import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { getString, type JsonObject } from '#base/json.ts';
import { ManualClock } from '../../../../../test/clock.ts';
import { configMap, configMaps, type TestCluster, testCluster } from '../api-fixture.test.ts';

const clock = new ManualClock();
let cluster: TestCluster;
before(async () => {
  cluster = await testCluster({ clock });
});
after(() => cluster[Symbol.asyncDispose]());

const marks = (events: JsonObject[]): string[] =>
  events
    .filter((event) => event['type'] === 'BOOKMARK')
    .map((event) => getString(event, 'object', 'metadata', 'resourceVersion') ?? '');

/** The events of a watch from now until it ends; `meanwhile` moves the clock when the watch has begun. */
async function watched(query: string, meanwhile: (seconds: (count: number) => Promise<void>) => Promise<void>) {
  const name = `begin-${String(clock.now())}`;
  const from = getString((await cluster.send('GET', `${configMaps}?limit=1`)).body, 'metadata', 'resourceVersion');
  let begun = (): void => undefined;
  const beginning = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const events = cluster.watch(`${configMaps}?watch=true&resourceVersion=${from}&${query}`, (all) => {
    if (all.length > 0) begun();
    return false;
  });
  await cluster.send('POST', configMaps, { body: configMap(name) });
  await beginning;
  await meanwhile(async (count) => {
    for (let n = 0; n < count; n += 1) {
      clock.advance(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  return events;
}

async function write(name: string): Promise<string> {
  const { body } = await cluster.send('POST', configMaps, { body: configMap(name) });
  return getString(body, 'metadata', 'resourceVersion') ?? '';
}

test('a bookmark comes every minute and two seconds before the end, and names the newest version', async () => {
  let versions: string[] = [];
  const events = await watched('allowWatchBookmarks=true&timeoutSeconds=150', async (seconds) => {
    await cluster.send('POST', '/api/v1/namespaces', { body: { metadata: { name: 'elsewhere' } } });
    const first = await write('first');
    await seconds(61);
    const second = await write('second');
    await seconds(60);
    await seconds(29);
    versions = [first, second, second];
  });
  assert.deepEqual(marks(events), versions);
  assert.deepEqual(
    events.map((event) => event['type']),
    ['ADDED', 'ADDED', 'BOOKMARK', 'ADDED', 'BOOKMARK', 'BOOKMARK'],
  );
});

test('a bookmark is past writes of other kinds', async () => {
  let version = '';
  const events = await watched('allowWatchBookmarks=true&timeoutSeconds=70', async (seconds) => {
    const { body } = await cluster.send('POST', '/api/v1/namespaces', { body: { metadata: { name: 'later' } } });
    version = getString(body, 'metadata', 'resourceVersion') ?? '';
    await seconds(70);
  });
  assert.deepEqual(marks(events), [version, version]);
});

test('no bookmarks for who did not ask, nor at the end of a very short watch', async () => {
  const unasked = await watched('timeoutSeconds=100', (seconds) => seconds(100));
  assert.deepEqual(marks(unasked), []);
  const short = await watched('allowWatchBookmarks=true&timeoutSeconds=3', (seconds) => seconds(3));
  assert.deepEqual(marks(short), []);
});
