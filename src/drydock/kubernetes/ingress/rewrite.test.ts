import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AskOptions, IngressWorld, ingressObject } from '../../../../test/ingress-world.ts';

test('paths are rewritten and requests redirected as the annotations say', async () => {
  await using world = await IngressWorld.start();
  await world.backend('echo', (incoming, response) => response.end(`${incoming.headers.host} ${incoming.url}`));
  const paths = (path: string) => ({ paths: { [path]: 'echo' }, pathType: 'ImplementationSpecific' });
  const create = (name: string, path: string, annotations: Record<string, string>) =>
    world.create(ingressObject(name, { host: `${name}.test`, ...paths(path), annotations }));
  await create('rewrite', '/something(/|$)(.*)', { 'rewrite-target': '/$2' });
  await create('fixed', '/old', { 'rewrite-target': '/new' });
  await create('regex', '/v\\d+/x', { 'use-regex': 'true' });
  await create('vhost', '/', { 'upstream-vhost': 'inner.test' });
  await create('moved', '/', { 'permanent-redirect': 'https://new.test/' });
  await create('moved-so', '/', { 'permanent-redirect': 'https://new.test/', 'permanent-redirect-code': '308' });
  await create('away', '/', { 'temporal-redirect': 'https://away.test' });
  await create('app', '/', { 'app-root': '/home' });
  await create('alias', '/', { 'server-alias': 'a.test, b.test' });
  const rows: [string, string, string][] = [
    ['rewrite.test', '/something/a/b?c=d', '200 rewrite.test /a/b?c=d'],
    ['rewrite.test', '/SOMETHING', '200 rewrite.test /'],
    ['rewrite.test', '/somethingelse', '404'],
    ['fixed.test', '/old/path', '200 fixed.test /new'],
    ['regex.test', '/v12/x', '200 regex.test /v12/x'],
    ['regex.test', '/vx/x', '404'],
    ['vhost.test', '/', '200 inner.test /'],
    ['moved.test', '/x', '301 https://new.test/'],
    ['moved-so.test', '/x', '308 https://new.test/'],
    ['away.test', '/x', '302 https://away.test'],
    ['app.test', '/', '302 /home'],
    ['app.test', '/home', '200 app.test /home'],
    ['b.test', '/', '200 b.test /'],
  ];
  for (const [host, path, want] of rows) {
    const options: AskOptions = { host };
    const { status, text, headers } = await world.ask(path, options);
    const got = headers.location ?? (status === 200 ? text : '');
    assert.equal(`${status} ${got}`.trim(), want, `${host}${path}`);
  }
});
