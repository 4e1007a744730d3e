import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTypeRegistry } from '../../types/registry.ts';
import { ApiError } from '../port.ts';
import { statusOf } from '../protocol/status-error.ts';
import { ServedResources } from '../served.ts';
import { Store } from '../store/store.ts';
import { listPage } from './list.ts';

const configMaps = new ServedResources(createTypeRegistry()).find('', 'v1', 'configmaps');
assert.ok(configMaps);
const resource = configMaps;
const filter = { namespace: 'n', labels: [], fields: [] };
const page = (store: Store, query: Record<string, string>) =>
  listPage(store, resource, { filter, query: new URLSearchParams(query) });
const names = (found: { items: { key: string }[] }): string[] => found.items.map(({ key }) => key);

test('a continued list whose version is forgotten answers 410 with a token to go on from there', async () => {
  await using store = new Store(undefined);
  const put = (name: string) => {
    const metadata = { name, namespace: 'n' };
    const key = `n/${name}`;
    const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata };
    return store.put({ storage: 'configmaps', key }, object, store.get('configmaps', key));
  };
  for (const name of ['a', 'b', 'c']) await put(name);
  const first = await page(store, { limit: '1' });
  assert.deepEqual(names(first), ['n/a']);
  for (let n = 0; n < 4200; n += 1) await put('b');
  await put('d');
  let token = '';
  await assert.rejects(page(store, { limit: '1', continue: first.continueToken ?? '' }), (error: unknown) => {
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.code, error.reason], [410, 'Expired']);
    token = error.continueToken ?? '';
    assert.deepEqual(statusOf(error)['metadata'], { continue: token });
    return true;
  });
  const rest = await page(store, { continue: token });
  assert.deepEqual(names(rest), ['n/b', 'n/c', 'n/d']);
  assert.equal(rest.revision, store.revision);
});

test('remaining items are counted only without a selector', async () => {
  await using store = new Store(undefined);
  for (const name of ['a', 'b', 'c']) {
    const metadata = { name, namespace: 'n', labels: { x: '1' } };
    const at = { storage: 'configmaps', key: `n/${name}` };
    await store.put(at, { kind: 'ConfigMap', apiVersion: 'v1', metadata }, undefined);
  }
  assert.equal((await page(store, { limit: '2' })).remainingItemCount, 1);
  const labels = [{ key: 'x', operator: 'in' as const, values: ['1'] }];
  const selected = await listPage(store, resource, {
    filter: { ...filter, labels },
    query: new URLSearchParams({ limit: '2' }),
  });
  assert.equal(selected.remainingItemCount, undefined);
  assert.notEqual(selected.continueToken, undefined);
});
