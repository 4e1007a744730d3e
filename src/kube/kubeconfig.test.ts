import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { redact } from '#base/redact.ts';
import { inClusterTarget, loadKubeTarget } from './kubeconfig.ts';

const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const base64 = (text: string) => Buffer.from(text).toString('base64');
const credential = JSON.stringify({
  apiVersion: 'client.authentication.k8s.io/v1',
  kind: 'ExecCredential',
  status: { token: 'token-of-the-plugin' },
});
const text = `
apiVersion: v1
kind: Config
current-context: one
clusters:
- name: one
  cluster: {server: "https://one.example.com:6443/", certificate-authority-data: ${base64('CA')}, tls-server-name: inside}
- name: two
  cluster: {server: "https://two.example.com/k8s/c-1", insecure-skip-tls-verify: true}
- name: proxied
  cluster: {server: "https://three.example.com", proxy-url: "http://proxy.example.com"}
contexts:
- {name: one, context: {cluster: one, user: token}}
- {name: cert, context: {cluster: one, user: cert}}
- {name: two, context: {cluster: two, user: basic}}
- {name: exec, context: {cluster: two, user: exec}}
- {name: broken, context: {cluster: two, user: broken}}
- {name: proxied, context: {cluster: proxied, user: token}}
- {name: grouped, context: {cluster: two, user: grouped}}
- {name: as, context: {cluster: two, user: as}}
- {name: file, context: {cluster: two, user: file}}
- {name: nobody, context: {cluster: two}}
users:
- {name: token, user: {token: token-of-ann}}
- {name: cert, user: {client-certificate-data: ${base64('CERT')}, client-key-data: ${base64('KEY')}}}
- {name: basic, user: {username: bob, password: password-of-bob}}
- name: exec
  user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/echo, args: ['${credential}']}}
- {name: grouped, user: {token: token-of-ann, as: bob, as-groups: [admins]}}
- {name: as, user: {token: token-of-ann, as: bob}}
- {name: file, user: {tokenFile: token}}
- name: broken
  user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: /nowhere/login}}
`;

const noTls = { ca: undefined, cert: undefined, key: undefined, servername: undefined, rejectUnauthorized: false };
const oneTls = { ...noTls, ca: 'CA', servername: 'inside', rejectUnauthorized: true };

test('users and clusters of a kubeconfig', async (t) => {
  const one = 'https://one.example.com:6443';
  const two = 'https://two.example.com/k8s/c-1';
  const basic = `Basic ${base64('bob:password-of-bob')}`;
  const cases = [
    { context: undefined, server: one, headers: { Authorization: 'Bearer token-of-ann' }, tls: oneTls },
    { context: 'cert', server: one, headers: {}, tls: { ...oneTls, cert: 'CERT', key: 'KEY' } },
    { context: 'two', server: two, headers: { Authorization: basic }, tls: noTls },
    {
      context: 'as',
      server: two,
      headers: { Authorization: 'Bearer token-of-ann', 'Impersonate-User': 'bob' },
      tls: noTls,
    },
    { context: 'nobody', server: two, headers: {}, tls: noTls },
    { context: 'exec', server: two, headers: { Authorization: 'Bearer token-of-the-plugin' }, tls: noTls },
  ];
  for (const { context, server, headers, tls } of cases) {
    await t.test(context ?? 'the current one', async () => {
      const target = await loadKubeTarget({ text, ...(context !== undefined && { context }) });
      assert.equal(target.server, server);
      assert.deepEqual(await target.access(), { headers, tls });
    });
  }
  assert.equal(redact('it said token-of-the-plugin'), 'it said ******');
});

test('a file, with a CA beside it', async () => {
  writeFileSync(join(folder, 'ca.crt'), 'FROM FILE');
  const path = join(folder, 'config');
  writeFileSync(path, text.replace(/certificate-authority-data: \S+,/, 'certificate-authority: ca.crt,'));
  const target = await loadKubeTarget({ path });
  assert.equal((await target.access()).tls.ca, 'FROM FILE');
});

test('a token file is read again when it changes', async () => {
  const path = join(folder, 'with-token-file');
  writeFileSync(path, text);
  const target = await loadKubeTarget({ path, context: 'file' });
  await assert.rejects(target.access(), (error) => isAppError(error, 'unauthorized') && /"file"/.test(error.message));
  for (const token of ['first-token', 'second-token-is-longer']) {
    writeFileSync(join(folder, 'token'), `${token}\n`);
    assert.deepEqual((await target.access()).headers, { Authorization: `Bearer ${token}` });
  }
});

test('inside a cluster the address is the one the pod is given', () => {
  assert.equal(inClusterTarget('10.0.0.1', '443').server, 'https://10.0.0.1:443');
  assert.equal(inClusterTarget('fd00::1', '443').server, 'https://[fd00::1]:443');
});

test('what cannot be used says why', async (t) => {
  const path = join(folder, 'absent');
  await t.test('no file', async () => {
    const load = loadKubeTarget({ path });
    await assert.rejects(load, (error) => isAppError(error, 'bad-input') && error.message.includes(path));
  });
  await t.test('no YAML', async () => {
    await assert.rejects(loadKubeTarget({ text: 'a: [' }), (error) => isAppError(error, 'bad-input'));
  });
  await t.test('an unknown context lists the known ones', async () => {
    const load = loadKubeTarget({ text, context: 'nope' });
    await assert.rejects(load, (error) => isAppError(error, 'bad-input') && /one, cert, two/.test(error.hint ?? ''));
  });
  for (const context of ['proxied', 'grouped']) {
    await t.test(`${context}: what would be ignored is refused`, async () => {
      await assert.rejects(loadKubeTarget({ text, context }), (error) => isAppError(error, 'unsupported'));
    });
  }
  await t.test('a login command that is not there', async () => {
    const target = await loadKubeTarget({ text, context: 'broken' });
    await assert.rejects(
      target.access(),
      (error) => isAppError(error, 'unauthorized') && /broken/.test(error.hint ?? ''),
    );
  });
});
