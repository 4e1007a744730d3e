import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { test } from 'node:test';
import { getNumber, getString } from '#base/json.ts';
import { eventually, startWorld, type World } from '../../../../test/node-world.ts';
import { affinitySeconds, SessionAffinity } from './session-affinity.ts';

/** A server that says its name to whoever connects. */
async function named(name: string): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.end(name)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: getNumber(server.address(), 'port') ?? 0 };
}

async function service(world: World, name: string, ports: number[], spec: object): Promise<void> {
  await world.api.create({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec }, 'test');
  for (const port of ports)
    await world.api.create(
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          name: `${name}-${port}`,
          namespace: 'default',
          labels: { 'kubernetes.io/service-name': name },
        },
        addressType: 'IPv4',
        ports: [{ name: '', port, protocol: 'TCP' }],
        endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
      },
      'test',
    );
}

async function ask(world: World, name: string, times: number): Promise<Set<string>> {
  const at = await eventually('an address', () => world.agent.proxyAddress('default', name, 80));
  const heard = new Set<string>();
  for (let count = 0; count < times; count += 1) {
    const socket = connect(at.port, at.host);
    const [text] = await once(socket, 'data');
    heard.add(String(text));
    socket.destroy();
  }
  return heard;
}

test('connections are spread over the endpoints, unless the service keeps a client with its pod', async () => {
  await using world = await startWorld({});
  const [one, two] = [await named('one'), await named('two')];
  const ports = [{ port: 80, targetPort: 8080 }];
  await service(world, 'spread', [one.port, two.port], { ports });
  await service(world, 'sticky', [one.port, two.port], { ports, sessionAffinity: 'ClientIP' });
  assert.deepEqual([...(await ask(world, 'spread', 8))].sort(), ['one', 'two']);
  const [kept, ...others] = await ask(world, 'sticky', 8);
  assert.deepEqual(others, []);
  const gone = kept === 'one' ? one : two;
  await world.api.delete('endpointslices.discovery.k8s.io', 'default', `sticky-${gone.port}`);
  assert.deepEqual([...(await ask(world, 'sticky', 4))], [kept === 'one' ? 'two' : 'one']);
  one.server.close();
  two.server.close();
});

test('ports that are not TCP are told on the service', async () => {
  await using world = await startWorld({});
  await service(world, 'dns', [], {
    ports: [
      { name: 'udp', port: 53, protocol: 'UDP' },
      { name: 'tcp', port: 53, protocol: 'TCP' },
    ],
  });
  const event = await eventually('the event', () =>
    world.api.list('events').find((one) => getString(one, 'reason') === 'ProtocolNotOffered'),
  );
  assert.equal(
    getString(event, 'message'),
    'Not offered: 53/UDP. Services of this cluster are reachable over TCP only.',
  );
});

test('a client stays for the time that the service says after its last connection', () => {
  const spec = (affinity: object) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' }, spec: affinity });
  assert.equal(affinitySeconds(spec({ sessionAffinity: 'None' })), undefined);
  assert.equal(affinitySeconds(spec({ sessionAffinity: 'ClientIP' })), 10_800);
  const sessionAffinityConfig = { clientIP: { timeoutSeconds: 5 } };
  assert.equal(affinitySeconds(spec({ sessionAffinity: 'ClientIP', sessionAffinityConfig })), 5);
  const affinity = new SessionAffinity();
  affinity.remember('a', '10.0.0.1:80', 100);
  assert.equal(affinity.backendOf('a', 99), '10.0.0.1:80');
  assert.equal(affinity.backendOf('a', 100), undefined);
  for (let at = 0; at < 10_001; at += 1) affinity.remember(`client ${at}`, 'x', 1000);
  assert.equal(affinity.backendOf('client 0', 0), undefined);
  assert.equal(affinity.backendOf('client 1', 0), 'x');
});
