import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import { startApiServer } from '#drydock/kubernetes/api/server.ts';
import { createTypeRegistry } from '#drydock/kubernetes/types/registry.ts';
import { testClock, testEntropy } from '../../test/clock.ts';
import { createKubeClient } from './client.ts';
import { clusterTarget } from './cluster-config.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const of = (config: unknown, server = 'https://c') =>
  clusterTarget({ server, name: 'far', config: typeof config === 'string' ? config : JSON.stringify(config) });

const rows: { name: string; config: unknown; headers?: object; tls?: object }[] = [
  { name: 'nothing', config: '' },
  { name: 'a token', config: { bearerToken: 't' }, headers: { Authorization: 'Bearer t' } },
  {
    name: 'a user',
    config: { username: 'u', password: 'p' },
    headers: { Authorization: `Basic ${base64('u:p')}` },
  },
  {
    name: 'certificates',
    config: {
      tlsClientConfig: { caData: base64('ca'), certData: base64('cert'), keyData: base64('key'), serverName: 's' },
    },
    tls: { ca: 'ca', cert: 'cert', key: 'key', servername: 's' },
  },
  { name: 'no verification', config: { tlsClientConfig: { insecure: true } }, tls: { rejectUnauthorized: false } },
];
for (const { name, config, headers = {}, tls = {} } of rows)
  test(`a cluster's config: ${name}`, async () => {
    const access = await (await of(config)).access();
    assert.deepEqual(access.headers, headers);
    const none = { ca: undefined, cert: undefined, key: undefined, servername: undefined, rejectUnauthorized: true };
    assert.deepEqual(access.tls, { ...none, ...tls });
  });

const wrong: { name: string; config: unknown; server?: string; want: RegExp }[] = [
  {
    name: 'no JSON, whose text is not told',
    config: '{"bearerToken": "secret"',
    want: /^the config of cluster "far" is not JSON$/,
  },
  { name: 'no object', config: '[]', want: /is not a JSON object/ },
  { name: 'no server', config: {}, server: 'nowhere', want: /cluster "far" has no usable server/ },
  { name: 'a proxy of another kind', config: { proxyUrl: 'socks5://p' }, want: /proxyUrl/ },
];
for (const { name, config, server, want } of wrong)
  test(`a cluster's config is refused: ${name}`, async () => {
    await assert.rejects(of(config, server), (error) => isAppError(error) && want.test(error.message));
  });

test('a login program gives the credentials', async () => {
  const credential = {
    apiVersion: 'client.authentication.k8s.io/v1beta1',
    kind: 'ExecCredential',
    status: { token: 't' },
  };
  const script = `process.stdout.write(process.env.CREDENTIAL)`;
  const execProviderConfig = {
    command: process.execPath,
    args: ['-e', script],
    env: { CREDENTIAL: JSON.stringify(credential) },
    apiVersion: 'client.authentication.k8s.io/v1beta1',
  };
  const target = await of({ execProviderConfig, tlsClientConfig: { insecure: true } });
  const { headers, tls } = await target.access();
  assert.equal(headers['Authorization'], 'Bearer t');
  assert.equal(tls.rejectUnauthorized, false);
});

test('a cluster behind a proxy', async () => {
  const logger = silentLogger;
  const common = { clock: testClock, entropy: testEntropy, logger };
  await using server = await startApiServer({ ...common, types: createTypeRegistry(), dataDir: undefined });
  const address = /server: (\S+)/.exec(server.kubeconfig())?.[1] ?? '';
  let through = 0;
  const proxy = createServer();
  proxy.on('connect', (request, socket) => {
    through += 1;
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const target = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      target.pipe(socket).pipe(target);
    });
    target.on('error', () => socket.destroy());
    socket.on('error', () => target.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  try {
    const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const tlsClientConfig = { caData: base64(server.caPem) };
    const target = await of({ bearerToken: server.adminToken, tlsClientConfig, proxyUrl }, address);
    await using client = createKubeClient({ target, clock: testClock, logger });
    const signal = AbortSignal.timeout(10_000);
    assert.match((await client.version(signal)).gitVersion, /^v1\./);
    const secrets = await client.discovery.find({ group: '', version: 'v1', kind: 'Secret' }, signal);
    assert.ok(secrets);
    await assert.rejects(
      client.as('kim').list(secrets, {}, signal),
      (error) => isAppError(error, 'forbidden') && /User "kim" cannot list/.test(error.message),
    );
    assert.ok(through > 0);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
});
