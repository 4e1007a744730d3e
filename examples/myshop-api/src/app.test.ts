import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { createApp } from './app.ts';

const server = createServer(createApp({ version: '9.9.9', environment: 'test', pod: 'p-1' }));
let base = '';

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => server.close());

async function get(path: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${base}${path}`, { headers: { connection: 'close' } });
  return { status: response.status, body: await response.json() };
}

test('says which version it is', async () => {
  assert.deepEqual(await get('/version'), {
    status: 200,
    body: { version: '9.9.9', environment: 'test', pod: 'p-1' },
  });
});

test('lists products and finds one by its number, whatever the case', async () => {
  const { body } = await get('/products');
  assert.equal(Array.isArray(body) && body.length, 3);
  assert.deepEqual((await get('/products/mug-01')).body, { sku: 'MUG-01', name: 'Enamel mug', priceCents: 1450 });
});

test('an unknown product is a 404 that names the path', async () => {
  assert.deepEqual(await get('/products/none'), { status: 404, body: { error: 'nothing at /products/none' } });
});
