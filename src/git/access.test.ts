import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { decodeJwt } from 'jose';
import { isAppError } from '#base/errors.ts';
import { type ClusterIdentity, clusterIdentity } from '#drydock/kubernetes/api/credential/certificates.ts';
import { testClock, testEntropy } from '../../test/clock.ts';
import { toolPath } from '../../test/tools.ts';
import { githubAppTokens } from './github-app.ts';
import type { GitAccess } from './port.ts';
import { TestingGitServer } from './testing-server.ts';

const signal = () => AbortSignal.timeout(20_000);
const clock = testClock;

let server: TestingGitServer;
let identity: ClusterIdentity;
let head: string;
let names = 0;

before(async () => {
  server = await TestingGitServer.start({ gitPath: toolPath('git'), clock, entropy: testEntropy });
  server.create('demo');
  head = server.commit('demo', { 'a.txt': 'a' });
  identity = clusterIdentity({ clock, entropy: testEntropy }, undefined);
});
after(() => server[Symbol.asyncDispose]());

async function listening(
  made: Server | ReturnType<typeof createTlsServer>,
): Promise<{ port: number } & AsyncDisposable> {
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  const { port } = made.address() as AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      made.closeAllConnections();
      await new Promise((resolve) => made.close(resolve));
    },
  };
}

/** The head of main as a mirror of its own finds it, twice: by a clone and by a look at what moved. */
async function headAt(url: string, access: GitAccess, env: Record<string, string> = {}): Promise<string> {
  names += 1;
  await using mirrors = server.mirrors(`access-${names}`, { access, env });
  const mirror = await mirrors.open(url, signal());
  await mirror.fetch(signal());
  return await mirror.resolve('main', signal());
}

/** The test's repositories by https, with a certificate of an authority of its own. */
function behindTls(options: { clientCertificate: boolean }) {
  const { authority, server: own } = identity;
  const backend = new URL(server.url('demo'));
  const tls = createTlsServer(
    {
      cert: own.certificatePem,
      key: own.keyPem,
      ca: authority.certificatePem,
      requestCert: options.clientCertificate,
      rejectUnauthorized: options.clientCertificate,
    },
    (request, response) => {
      const { method, url: path, headers } = request;
      const forward = httpRequest({ host: backend.hostname, port: backend.port, method, path, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      request.pipe(forward);
    },
  );
  return listening(tls);
}

test('https: an authority of its own, a client certificate, or no verification', async () => {
  const ca = identity.authority.certificatePem;
  const { certificatePem: clientCert, keyPem: clientKey } = identity.admin;
  await using open = await behindTls({ clientCertificate: false });
  const url = `https://127.0.0.1:${open.port}/demo.git`;
  await assert.rejects(
    headAt(url, {}),
    (error) => isAppError(error, 'unavailable') && /certificate/i.test(error.message),
  );
  assert.equal(await headAt(url, { ca }), head);
  assert.equal(await headAt(url, { insecure: true }), head);

  await using strict = await behindTls({ clientCertificate: true });
  const closed = `https://127.0.0.1:${strict.port}/demo.git`;
  await assert.rejects(headAt(closed, { ca }));
  assert.equal(await headAt(closed, { ca, clientCert, clientKey }), head);
});

test('a bearer token', async () => {
  const seen = new Set<string | undefined>();
  server.intercept = (request) => {
    seen.add(request.headers.authorization);
    return false;
  };
  try {
    assert.equal(await headAt(server.url('demo'), { bearerToken: 'token-of-the-bot' }), head);
  } finally {
    server.intercept = () => false;
  }
  assert.deepEqual([...seen], ['Bearer token-of-the-bot']);
});

test('a proxy, and hosts that need none', async () => {
  let through = 0;
  const proxy = createServer((request, response) => {
    through += 1;
    const { method, url = '', headers } = request;
    const forward = httpRequest(url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(forward);
  });
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
  await using listens = await listening(proxy);
  const url = `http://127.0.0.1:${listens.port}`;
  assert.equal(await headAt(server.url('demo'), { proxy: url }), head);
  assert.ok(through > 0);
  through = 0;
  assert.equal(await headAt(server.url('demo'), { proxy: url, noProxy: '127.0.0.1' }), head);
  assert.equal(through, 0);
});

/** Stands in for ssh: notes what it was given, and serves the repository from the test's folder. */
const standIn = `
import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, statSync } from 'node:fs';
const args = process.argv.slice(2);
const key = args[args.indexOf('-i') + 1];
const hosts = args.map((arg) => /^UserKnownHostsFile="?([^"]*)"?$/.exec(arg)?.[1]).find(Boolean);
const read = (path) => path === undefined || path === '/dev/null' ? undefined : readFileSync(path, 'utf8');
const options = args.filter((arg) => arg.startsWith('StrictHostKeyChecking') || arg.startsWith('IdentitiesOnly'));
const mode = (statSync(key).mode & 0o777).toString(8);
appendFileSync(process.env.STAND_IN_LOG, JSON.stringify({ key: read(key), mode, hosts: read(hosts), options }) + '\\n');
const name = /'\\/?(.*)'/.exec(args.at(-1))[1];
process.exit(spawnSync('git', ['upload-pack', process.env.STAND_IN_ROOT + '/' + name], { stdio: 'inherit' }).status);
`;

test('ssh: the key and the known hosts are there for the time of the command', async () => {
  const script = server.folder('stand-in.mjs');
  const log = server.folder('stand-in.log');
  writeFileSync(script, standIn);
  writeFileSync(log, '');
  const env = {
    PATH: process.env['PATH'] ?? '',
    GIT_SSH_COMMAND: `'${process.execPath}' '${script}'`,
    GIT_SSH_VARIANT: 'ssh',
    STAND_IN_LOG: log,
    STAND_IN_ROOT: server.folder(''),
  };
  const url = 'ssh://git@host.example/demo.git';
  const said = () => {
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    writeFileSync(log, '');
    return JSON.parse(lines[0] ?? '');
  };
  const sshPrivateKey = 'key of the bot';
  assert.equal(await headAt(url, { sshPrivateKey, sshKnownHosts: 'host.example ssh-ed25519 AAAA' }, env), head);
  assert.deepEqual(said(), {
    key: 'key of the bot\n',
    mode: '600',
    hosts: 'host.example ssh-ed25519 AAAA\n',
    options: ['IdentitiesOnly=yes', 'StrictHostKeyChecking=yes'],
  });
  assert.equal(
    await headAt('git@host.example:demo.git', { sshPrivateKey, sshKnownHosts: 'x', insecure: true }, env),
    head,
  );
  assert.deepEqual(said(), {
    key: 'key of the bot\n',
    mode: '600',
    options: ['IdentitiesOnly=yes', 'StrictHostKeyChecking=no'],
  });
  const left = readdirSync(join(server.folder(`access-${names}`), 'home')).filter((name) => name.startsWith('access-'));
  assert.deepEqual(left, [], 'nothing stays');
});

test('a GitHub App: its token is asked for once, for the installation of the owner when none is named', async () => {
  const { privateKey: pem } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  const asked: string[] = [];
  const api = createServer((request, response) => {
    const claims = decodeJwt(request.headers.authorization?.replace('Bearer ', '') ?? '');
    asked.push(`${request.method} ${request.url} as ${claims.iss}`);
    response.setHeader('content-type', 'application/json');
    if (request.url === '/api/v3/repos/shop/deploy/installation') response.end(JSON.stringify({ id: 42 }));
    else if (request.url?.startsWith('/api/v3/app/installations/42/'))
      response.end(
        JSON.stringify({ token: 'token-of-42', expires_at: new Date(clock.now() + 3_600_000).toISOString() }),
      );
    else response.writeHead(404).end('{}');
  });
  await using listens = await listening(api);
  await using tokens = githubAppTokens({ clock });
  const enterpriseBaseUrl = `http://127.0.0.1:${listens.port}/api/v3`;
  const app = { id: '7', installationId: undefined, privateKey: pem, enterpriseBaseUrl };
  assert.equal(await tokens.get(app, 'https://github.example.com/shop/deploy.git', signal()), 'token-of-42');
  assert.equal(await tokens.get({ ...app, installationId: '42' }, 'https://x/y/z', signal()), 'token-of-42');
  assert.deepEqual(asked, [
    'GET /api/v3/repos/shop/deploy/installation as 7',
    'POST /api/v3/app/installations/42/access_tokens as 7',
  ]);
  await assert.rejects(
    tokens.get({ ...app, installationId: '43' }, 'https://x/y/z', signal()),
    (error) => isAppError(error, 'not-found') && /as GitHub App 7: 404/.test(error.message),
  );
  await assert.rejects(
    tokens.get({ ...app, id: '8', installationId: '44', privateKey: 'no key' }, 'https://x/y/z', signal()),
    (error) => isAppError(error, 'bad-input') && /private key of GitHub App 8/.test(error.message),
  );
});
