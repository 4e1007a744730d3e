import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { getArray, getNumber, getString } from '#base/json.ts';
import { IngressWorld, ingressObject } from '../../../../test/ingress-world.ts';
import { eventually } from '../../../../test/node-world.ts';

test('hosts and paths lead to Services; the rest is not found, and without endpoints not available', async () => {
  await using world = await IngressWorld.start();
  await world.backend('shop');
  await world.backend('api');
  await world.service('empty', []);
  await world.create(
    ingressObject('shop', { paths: { '/': 'shop', '/api': 'api', '/empty': 'empty', '/gone': 'missing' } }),
  );
  const got = async (path: string, host?: string) => {
    const { status, text } = await world.ask(path, host === undefined ? {} : { host });
    return status === 200 ? text : status;
  };
  assert.equal(await got('/'), 'shop');
  assert.equal(await got('/api/x'), 'api');
  assert.equal(await got('/apix'), 'shop');
  assert.equal(await got('//api'), 'api');
  assert.equal(await got('/x/../api'), 'api');
  assert.equal(await got('/', 'SHOP.test:1234'), 'shop');
  assert.equal(await got('/empty'), 503);
  assert.equal(await got('/gone'), 503);
  assert.equal(await got('/', 'other.test'), 404);
  const page = await world.ask('/', { host: 'other.test' });
  assert.match(page.text, /<center><h1>404 Not Found<\/h1><\/center>/);
  assert.equal(page.headers['content-type'], 'text/html');
});

test('an Ingress is told where it answers, and what of it does not', async () => {
  await using world = await IngressWorld.start();
  await world.create(
    ingressObject('shop', { annotations: { 'auth-url': 'http://auth', 'limit-rps': '1', 'proxy-body-size': 'much' } }),
  );
  const found = await eventually('a status', () => {
    const one = world.api.get('ingresses.networking.k8s.io', 'default', 'shop');
    return getNumber(one, 'status', 'loadBalancer', 'ingress', 0, 'ports', 0, 'port') ? one : undefined;
  });
  assert.deepEqual(found['status'], {
    loadBalancer: { ingress: [{ ip: '127.0.0.1', ports: [{ port: world.ingress.ports.http, protocol: 'TCP' }] }] },
  });
  const event = await eventually('an event', () =>
    world.api.list('events').find((one) => getString(one, 'reason') === 'NotServed'),
  );
  const message = getString(event, 'message') ?? '';
  for (const part of [
    /ingress\.kubernetes\.io\/auth-url/,
    /limit-rps/,
    /proxy-body-size: "much"/,
    /default\/shop does not exist/,
  ])
    assert.match(message, part);
  await world.create({
    ...ingressObject('theirs'),
    spec: { ...Object(ingressObject('theirs')['spec']), ingressClassName: 'traefik' },
  });
  assert.equal((await world.ask('/', { host: 'shop.test' })).status, 503);
  await world.backend('shop');
  await eventually('fewer problems', () =>
    world.api
      .list('events')
      .some(
        (one) => !/does not exist/.test(getString(one, 'message') ?? '') && getString(one, 'reason') === 'NotServed',
      ),
  );
  const theirs = world.api.get('ingresses.networking.k8s.io', 'default', 'theirs');
  assert.deepEqual(getArray(theirs, 'status', 'loadBalancer', 'ingress'), [], 'of another class: left alone');
});

test('a backend is told of the client, and what the client claims is kept apart', async () => {
  await using world = await IngressWorld.start();
  await world.backend('echo', (incoming, response) => {
    response.setHeader('set-cookie', ['a=1', 'b=2']);
    response.end(JSON.stringify({ url: incoming.url, headers: incoming.headers }));
  });
  await world.create(ingressObject('echo'));
  const sent = {
    'x-forwarded-for': '9.9.9.9',
    'x-request-id': 'mine',
    connection: 'close, x-hop',
    'x-hop': '1',
    te: 'x',
  };
  const { text, headers } = await world.ask('/a%20b?x=1&y', { headers: sent });
  const { url, headers: got } = JSON.parse(text);
  assert.equal(url, '/a%20b?x=1&y');
  assert.equal(got.host, 'shop.test');
  assert.equal(got['x-forwarded-for'], '127.0.0.1');
  assert.equal(got['x-original-forwarded-for'], '9.9.9.9');
  assert.equal(got['x-forwarded-proto'], 'http');
  assert.equal(got['x-forwarded-port'], String(world.ingress.ports.http));
  assert.equal(got['x-request-id'], 'mine');
  assert.deepEqual([got['x-hop'], got.te], [undefined, undefined]);
  assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2']);
  const fresh = JSON.parse((await world.ask('/')).text).headers['x-request-id'];
  assert.match(fresh, /^[0-9a-f]{32}$/);
});

test('bodies stream both ways, and those over the limit are refused', async () => {
  await using world = await IngressWorld.start();
  await world.backend('echo', (incoming, response) => incoming.pipe(response));
  await world.create(ingressObject('echo', { annotations: { 'proxy-body-size': '4m' } }));
  await world.create(ingressObject('small', { host: 'small.test', paths: { '/': 'echo' } }));
  const body = Buffer.alloc(3_000_000, 'x');
  assert.equal((await world.ask('/', { method: 'POST', body })).text.length, 3_000_000);
  const chunked = { 'transfer-encoding': 'chunked' };
  assert.equal((await world.ask('/', { method: 'POST', body, headers: chunked })).text.length, 3_000_000);
  assert.equal((await world.ask('/', { host: 'small.test', method: 'POST', body: 'x'.repeat(1024 ** 2) })).status, 200);
  const refused = await world.ask('/', { host: 'small.test', method: 'POST', body: 'x'.repeat(1024 ** 2 + 1) });
  assert.equal(refused.status, 413);
  assert.equal((await world.ask('/', { method: 'POST' })).text, '');
});

test('an answer is passed on as it comes', async () => {
  await using world = await IngressWorld.start();
  let finish = (): void => {};
  await world.backend('events', (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: 1\n\n');
    finish = () => response.end('data: 2\n\n');
  });
  await world.create(ingressObject('events'));
  const client = connect(world.ingress.ports.http, '127.0.0.1');
  client.write('GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n');
  let text = '';
  client.on('data', (chunk) => {
    text += chunk;
  });
  await eventually('the first event', () => text.includes('data: 1'));
  assert.ok(!text.includes('data: 2'));
  finish();
  await once(client, 'end');
  assert.ok(text.includes('data: 2'));
});

test('another protocol is spoken through after an upgrade, and a refusal of it is passed on', async () => {
  await using world = await IngressWorld.start();
  const server = await world.backend('socket', (_, response) => response.writeHead(426).end('no'));
  server.on('upgrade', (incoming, socket) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${incoming.headers.upgrade}\r\nConnection: upgrade\r\n\r\n`,
    );
    socket.on('data', (chunk: Buffer) => socket.write(`you said ${chunk}`));
    socket.on('end', () => socket.end());
  });
  await world.backend('plain', (_, response) => response.writeHead(400).end('not here'));
  await world.create(ingressObject('socket', { paths: { '/': 'socket', '/plain': 'plain' } }));
  const say = async (path: string, then?: string): Promise<string> => {
    const client = connect(world.ingress.ports.http, '127.0.0.1');
    client.write(`GET ${path} HTTP/1.1\r\nHost: shop.test\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n`);
    let text = '';
    client.on('data', (chunk) => {
      if (text === '' && then !== undefined) client.write(then);
      text += chunk;
      if (then !== undefined && text.includes(then)) client.end();
    });
    await once(client, 'close');
    return text;
  };
  const switched = await say('/', 'hello');
  assert.match(switched, /^HTTP\/1\.1 101 Switching Protocols\r\nUpgrade: websocket\r\n/);
  assert.match(switched, /you said hello$/);
  assert.match(await say('/plain'), /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*not here/);
});

test('a backend that fails is passed over where that is safe; else the client is told', async () => {
  await using world = await IngressWorld.start();
  const asked: string[] = [];
  const mute = await world.listen((incoming) => {
    asked.push(incoming.method ?? '');
    incoming.socket.resetAndDestroy();
  });
  const good = await world.listen((_, response) => response.end('good'));
  const dead = createServer().listen(0, '127.0.0.1');
  await once(dead, 'listening');
  const deadPort = getNumber(dead.address(), 'port') ?? 0;
  dead.close();
  await world.service('mixed', [mute.port, good.port]);
  await world.service('mute', [mute.port]);
  await world.service('dead', [deadPort]);
  await world.create(ingressObject('all', { paths: { '/': 'mixed', '/mute': 'mute', '/dead': 'dead' } }));
  for (let at = 0; at < 6; at += 1) assert.equal((await world.ask('/')).text, 'good');
  assert.ok(asked.length > 0);
  asked.length = 0;
  const answers = await Promise.all(Array.from({ length: 6 }, () => world.ask('/', { method: 'POST', body: 'x' })));
  const failed = answers.filter(({ status }) => status === 502).length;
  assert.equal(failed, asked.length, 'a POST is sent once');
  assert.equal(answers.filter(({ text }) => text === 'good').length, 6 - failed);
  assert.equal((await world.ask('/mute')).status, 502);
  assert.equal((await world.ask('/dead')).status, 502);
});

test('a slow backend ends in 504, and an answer that breaks off is seen to be broken', async () => {
  await using world = await IngressWorld.start();
  await world.backend('slow', () => undefined);
  await world.backend('half', (incoming, response) => {
    response.writeHead(200, { 'content-length': '10' });
    response.write('half');
    setTimeout(() => incoming.socket.resetAndDestroy(), 20);
  });
  await world.create(ingressObject('slow', { annotations: { 'proxy-read-timeout': '1' } }));
  await world.create(ingressObject('half', { host: 'half.test' }));
  assert.equal((await world.ask('/', { method: 'POST' })).status, 504);
  await assert.rejects(world.ask('/', { host: 'half.test' }), /aborted|hang up/);
});

test('a backend that restarts on kept-alive connections loses no request', async () => {
  await using world = await IngressWorld.start();
  let count = 0;
  await world.backend('web', (incoming, response) => {
    count += 1;
    response.end('ok');
    // Closes a kept connection without a word, as a server does that idles out.
    if (count % 3 === 0) setImmediate(() => incoming.socket.destroy());
  });
  await world.create(ingressObject('web'));
  for (let at = 0; at < 60; at += 1) assert.equal((await world.ask('/')).status, 200);
});

test('a Service of type ExternalName is asked by its own name', async () => {
  await using world = await IngressWorld.start();
  const outside = await world.listen((incoming, response) => response.end(`outside ${incoming.url}`));
  const ports = [{ name: 'http', port: outside.port }];
  await world.service('outside', [], { type: 'ExternalName', externalName: 'localhost', ports });
  const backend = { service: { name: 'outside', port: { name: 'http' } } };
  await world.create({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'outside', namespace: 'default' },
    spec: { defaultBackend: backend },
  });
  assert.equal((await world.ask('/x', { host: 'any.test' })).text, 'outside /x');
});

test('an Ingress of its own default backend answers for paths that no rule of its host has', async () => {
  await using world = await IngressWorld.start();
  await world.backend('api');
  await world.backend('rest');
  const spec = { defaultBackend: { service: { name: 'rest', port: { number: 80 } } } };
  const ingress = ingressObject('api', { paths: { '/api': 'api' } });
  await world.create({ ...ingress, spec: { ...Object(ingress['spec']), ...spec } });
  assert.equal((await world.ask('/api')).text, 'api');
  assert.equal((await world.ask('/other')).text, 'rest');
  assert.equal((await world.ask('/', { host: 'other.test' })).status, 404);
});

test('an upgrade behind a request that is not answered yet cuts the connection; so does one that nobody asked for', async () => {
  await using world = await IngressWorld.start();
  await world.backend('slow', (incoming, response) => {
    if (incoming.url === '/unasked')
      incoming.socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n');
    else setTimeout(() => response.end('late'), 50);
  });
  await world.create(ingressObject('slow'));
  const client = connect(world.ingress.ports.http, '127.0.0.1');
  const head = 'HTTP/1.1\r\nHost: shop.test\r\n';
  client.write(`GET /a ${head}\r\nGET /b ${head}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n`);
  client.resume();
  await once(client, 'close');
  assert.equal((await world.ask('/unasked', { method: 'POST' })).status, 502);
  assert.equal((await world.ask('/')).text, 'late');
});
