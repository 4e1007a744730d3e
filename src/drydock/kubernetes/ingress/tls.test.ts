import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { getString } from '#base/json.ts';
import { IngressWorld, ingressObject } from '../../../../test/ingress-world.ts';
import { eventually } from '../../../../test/node-world.ts';

async function subjectOf(world: IngressWorld, servername: string | undefined): Promise<string> {
  const socket = connect({
    host: '127.0.0.1',
    port: world.ingress.ports.https,
    ca: world.server.caPem,
    rejectUnauthorized: false,
    ...(servername === undefined ? {} : { servername }),
  });
  await once(socket, 'secureConnect');
  const names = String(socket.getPeerCertificate().subjectaltname).split(', ')[0] ?? '';
  const trusted = socket.authorized;
  socket.destroy();
  return `${names}${trusted ? '' : ' (not trusted)'}`;
}

async function secret(world: IngressWorld, name: string, host: string): Promise<void> {
  const { certificatePem, keyPem } = world.server.certificateFor(host);
  await world.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'default' },
    type: 'kubernetes.io/tls',
    data: {
      'tls.crt': Buffer.from(certificatePem).toString('base64'),
      'tls.key': Buffer.from(keyPem).toString('base64'),
    },
  });
}

test('TLS with the certificate of the Secret by server name, else one that the cluster makes', async () => {
  await using world = await IngressWorld.start();
  await world.backend('shop', (incoming, response) => response.end(String(incoming.headers['x-forwarded-proto'])));
  await secret(world, 'shop-tls', 'shop-from-secret.test');
  const spec = { tls: [{ hosts: ['shop.test', '*.wild.test'], secretName: 'shop-tls' }] };
  await world.create(ingressObject('shop', { spec }));
  assert.equal((await world.ask('/', { secure: true, host: 'other.test' })).status, 404);
  assert.equal(await subjectOf(world, 'other.test'), 'DNS:other.test');
  assert.equal(await subjectOf(world, undefined), 'DNS:localhost');
  assert.equal(await subjectOf(world, 'shop.test'), 'DNS:shop-from-secret.test (not trusted)');
  assert.equal(await subjectOf(world, 'a.wild.test'), 'DNS:shop-from-secret.test (not trusted)');
  assert.equal(await subjectOf(world, 'a.b.wild.test'), 'DNS:a.b.wild.test');
  await world.api.delete('secrets', 'default', 'shop-tls');
  await secret(world, 'shop-tls', 'shop.test');
  const answer = await world.ask('/', { secure: true });
  assert.deepEqual([answer.status, answer.text], [200, 'https']);
});

test('plain requests for a host with a certificate are sent to HTTPS, unless the annotation says no', async () => {
  await using world = await IngressWorld.start();
  await world.backend('shop');
  const spec = { tls: [{ hosts: ['shop.test', 'open.test'], secretName: 'missing' }] };
  await world.create(ingressObject('shop', { spec }));
  await world.create(
    ingressObject('open', {
      host: 'open.test',
      paths: { '/': 'shop' },
      spec,
      annotations: { 'ssl-redirect': 'false' },
    }),
  );
  await world.create(
    ingressObject('force', {
      host: 'force.test',
      paths: { '/': 'shop' },
      annotations: { 'force-ssl-redirect': 'true' },
    }),
  );
  const { https } = world.ingress.ports;
  const moved = await world.ask('/a?b=c');
  assert.deepEqual([moved.status, moved.headers.location], [308, `https://shop.test:${https}/a?b=c`]);
  assert.equal((await world.ask('/', { host: 'open.test' })).text, 'shop');
  assert.equal((await world.ask('/', { host: 'force.test' })).status, 308);
  assert.equal((await world.ask('/', { host: 'force.test', secure: true })).text, 'shop');
  const event = await eventually('an event', () =>
    world.api.list('events').find((one) => getString(one, 'reason') === 'NotServed'),
  );
  assert.match(getString(event, 'message') ?? '', /Secret default\/missing does not exist: the cluster's own/);
});
