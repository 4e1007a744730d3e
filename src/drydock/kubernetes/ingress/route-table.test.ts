import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PathMatch, Route } from './route.ts';
import { RouteTable } from './route-table.ts';

function route(id: string, host: string, path: PathMatch, more: Partial<Route> = {}): Route {
  const action = { kind: 'refuse' as const, status: 503, why: '' };
  return { id, host, path, headers: [], query: [], order: id, action, ...more };
}

const exact = (value: string): PathMatch => ({ kind: 'exact', value });
const prefix = (value: string, element = true): PathMatch => ({ kind: 'prefix', value, element });

const table = new RouteTable([
  route('root', 'shop.test', prefix('/')),
  route('api', 'shop.test', prefix('/api')),
  route('api-v1', 'shop.test', prefix('/api/v1/')),
  route('exact', 'shop.test', exact('/api')),
  route('loose', 'shop.test', prefix('/lo', false)),
  route('pattern', 'shop.test', { kind: 'pattern', value: '/p/(\\d+)', pattern: /^\/p\/(\d+)/i }),
  route('post', 'shop.test', prefix('/api'), { method: 'POST' }),
  route('beta', 'shop.test', prefix('/api'), { headers: [{ name: 'x-beta', value: /^\d+$/ }] }),
  route('asked', 'shop.test', prefix('/api'), { query: [{ name: 'q', value: '1' }] }),
  route('secure', 'shop.test', exact('/pay'), { only: 'https' }),
  route('one-label', '*.shop.test', prefix('/')),
  route('any-label', '**.deep.shop.test', prefix('/')),
  route('any', '', prefix('/any')),
  route('alias', 'main.test', prefix('/'), { aliases: ['other.test'] }),
  route('b-newer', 'twice.test', prefix('/'), { order: '2026-02' }),
  route('a-older', 'twice.test', prefix('/'), { order: '2026-01' }),
]);

const rows: [string, string, string | undefined, { method?: string; headers?: object; secure?: boolean }?][] = [
  ['shop.test', '/', 'root'],
  ['shop.test', '/apix', 'root'],
  ['shop.test', '/api', 'exact'],
  ['shop.test', '/api/', 'api'],
  ['shop.test', '/api/v1', 'api-v1'],
  ['shop.test', '/api/v1/x', 'api-v1'],
  ['shop.test', '/api/v10', 'api'],
  ['shop.test', '/longer', 'loose'],
  ['shop.test', '/P/12', 'pattern'],
  ['shop.test', '/p/x', 'root'],
  ['shop.test', '/api/x', 'post', { method: 'POST' }],
  ['shop.test', '/api/x', 'beta', { headers: { 'x-beta': '7' } }],
  ['shop.test', '/api/x', 'api', { headers: { 'x-beta': 'seven' } }],
  ['shop.test', '/api/x?q=1', 'asked'],
  ['shop.test', '/pay', 'root'],
  ['shop.test', '/pay', 'secure', { secure: true }],
  ['a.shop.test', '/', 'one-label'],
  ['a.b.shop.test', '/', undefined],
  ['deep.shop.test', '/', 'one-label'],
  ['a.deep.shop.test', '/', 'any-label'],
  ['a.b.deep.shop.test', '/', 'any-label'],
  ['elsewhere.test', '/any', 'any'],
  // Once a host has rules of its own, those of every host do not count for it.
  ['a.shop.test', '/any', 'one-label'],
  ['elsewhere.test', '/other', undefined],
  ['other.test', '/', 'alias'],
  ['twice.test', '/', 'a-older'],
];

for (const [host, target, want, more] of rows)
  test(`${more?.method ?? 'GET'} ${host}${target} ${JSON.stringify(more?.headers ?? '')} is for ${want ?? 'nobody'}`, () => {
    const url = new URL(`http://${host}${target}`);
    const found = table.find({
      host,
      path: url.pathname,
      method: more?.method ?? 'GET',
      query: url.searchParams,
      headers: { ...more?.headers },
      secure: more?.secure ?? false,
    });
    assert.equal(found?.id, want);
  });
