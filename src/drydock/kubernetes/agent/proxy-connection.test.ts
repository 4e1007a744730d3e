import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer as createHttp, type Server as HttpServer, request } from 'node:http';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { test } from 'node:test';
import { type Backend, backendId, type ConnectionLimits, ProxyConnection } from './proxy-connection.ts';

const limits: ConnectionLimits = { connectMs: 100, retryDelayMs: 5, replayBytes: 1024 };

interface Front extends AsyncDisposable {
  port: number;
  backends: Backend[];
  draining: Set<string>;
  connections: Set<ProxyConnection>;
}

async function listen(server: Server | HttpServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(isAddress(address));
  return address.port;
}

function isAddress(value: unknown): value is AddressInfo {
  return typeof value === 'object' && value !== null && 'port' in value;
}

async function startFront(backends: Backend[]): Promise<Front> {
  const draining = new Set<string>();
  const connections = new Set<ProxyConnection>();
  let turn = 0;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const connection = new ProxyConnection(client, {
      backends: {
        pick: (tried) => {
          const usable = backends.filter((one) => !tried.has(backendId(one)) && !draining.has(one.podIp));
          turn += 1;
          return usable[turn % Math.max(1, usable.length)];
        },
        isDraining: (one) => draining.has(one.podIp),
      },
      limits,
      onClosed: () => connections.delete(connection),
    });
    connections.add(connection);
  });
  const port = await listen(server);
  return {
    port,
    backends,
    draining,
    connections,
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.destroy();
      server.close();
    },
  };
}

async function web(
  name: string,
  options: { answer?: boolean } = {},
): Promise<{ backend: Backend; server: HttpServer; asked: string[] }> {
  const asked: string[] = [];
  const server = createHttp((incoming, response) => {
    asked.push(incoming.method ?? '');
    if (options.answer === false) incoming.socket.destroy();
    else response.end(name);
  });
  return { backend: { podIp: name, host: '127.0.0.1', port: await listen(server) }, server, asked };
}

async function unusedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  return port;
}

function ask(port: number, agent: Agent, method = 'GET', body = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, agent, method }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => resolve(text));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function close(...servers: HttpServer[]): void {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
}

test('one kept-alive connection moves to another backend when its own is drained', async () => {
  const [one, two] = [await web('one'), await web('two')];
  await using front = await startFront([one.backend]);
  using agent = keepAlive();
  assert.equal(await ask(front.port, agent.agent), 'one');
  front.backends.push(two.backend);
  front.draining.add('one');
  for (const connection of front.connections) connection.leave('one');
  assert.equal(await ask(front.port, agent.agent), 'two');
  assert.equal(front.connections.size, 1);
  close(one.server, two.server);
});

test('a backend that refuses is passed over', async () => {
  const two = await web('two');
  const dead = { podIp: 'dead', host: '127.0.0.1', port: await unusedPort() };
  await using front = await startFront([dead, two.backend]);
  for (let count = 0; count < 4; count += 1) {
    using agent = keepAlive();
    assert.equal(await ask(front.port, agent.agent, 'POST', 'x'), 'two');
  }
  close(two.server);
});

test('a request that is closed on without an answer is asked again elsewhere, unless that could do it twice', async () => {
  const [mute, two] = [await web('mute', { answer: false }), await web('two')];
  await using front = await startFront([mute.backend, two.backend]);
  for (let count = 0; count < 4; count += 1) {
    using agent = keepAlive();
    assert.equal(await ask(front.port, agent.agent), 'two');
  }
  assert.ok(mute.asked.length > 0);
  front.backends.splice(1);
  using agent = keepAlive();
  const before = mute.asked.length;
  await assert.rejects(ask(front.port, agent.agent, 'POST', 'x'));
  assert.equal(mute.asked.length, before + 1);
  close(mute.server, two.server);
});

test('with no backend the client is turned away', async () => {
  await using front = await startFront([]);
  using agent = keepAlive();
  await assert.rejects(ask(front.port, agent.agent));
});

test('a large body goes through whole', async () => {
  const server = createHttp((incoming, response) => {
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    incoming.on('end', () => response.end('y'.repeat(bytes)));
  });
  const backend = { podIp: 'big', host: '127.0.0.1', port: await listen(server) };
  await using front = await startFront([backend]);
  using agent = keepAlive();
  assert.equal((await ask(front.port, agent.agent, 'POST', 'x'.repeat(3_000_000))).length, 3_000_000);
  close(server);
});

test('what is not HTTP is passed on as it is, also when the server speaks first', async () => {
  const server = createServer((socket) => {
    socket.write('hello\n');
    socket.on('data', (chunk) => socket.end(`you said ${chunk}`));
  });
  const backend = { podIp: 'raw', host: '127.0.0.1', port: await listen(server) };
  await using front = await startFront([backend]);
  const client = connect(front.port, '127.0.0.1');
  let text = '';
  client.on('data', (chunk) => {
    if (text === '') client.write('GET out');
    text += chunk;
  });
  await once(client, 'end');
  assert.equal(text, 'hello\nyou said GET out');
  server.close();
});

function keepAlive(): Disposable & { agent: Agent } {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return { agent, [Symbol.dispose]: () => agent.destroy() };
}
