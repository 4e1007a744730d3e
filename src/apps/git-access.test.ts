import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import type { GitAccess } from '#git/port.ts';
import type { RepositoryAccess } from '#model/argocd/repository-access.ts';
import { gitAccess } from './git-access.ts';

const tokens = { get: async () => 'minted' };
const signal = new AbortController().signal;
const of = (fields: Partial<RepositoryAccess>) =>
  gitAccess({ tokens }, { url: 'https://h/x', type: 'git', ...fields }, signal);

const rows: { name: string; access: Partial<RepositoryAccess>; want: GitAccess | undefined }[] = [
  { name: 'nothing', access: { insecure: false }, want: undefined },
  { name: 'a user', access: { username: 'u', password: 'p' }, want: { username: 'u', password: 'p' } },
  { name: 'a token alone', access: { password: 'p' }, want: { username: 'x-access-token', password: 'p' } },
  { name: 'a token as the user', access: { username: 't' }, want: { username: 't', password: '' } },
  { name: 'a bearer token', access: { bearerToken: 'b' }, want: { bearerToken: 'b' } },
  {
    name: 'a bearer token that has to be basic',
    access: { bearerToken: 'b', forceHttpBasicAuth: true },
    want: { username: 'x-access-token', password: 'b' },
  },
  {
    name: 'a GitHub App',
    access: { githubApp: { id: '1', installationId: '2', privateKey: 'k' } },
    want: { username: 'x-access-token', password: 'minted' },
  },
  {
    name: 'a proxy and certificates',
    access: { proxy: 'http://p', noProxy: 'h', caData: 'ca', tlsClientCertData: 'c', tlsClientCertKey: 'k' },
    want: { proxy: 'http://p', noProxy: 'h', ca: 'ca', clientCert: 'c', clientKey: 'k' },
  },
  {
    name: 'ssh',
    access: { url: 'git@h:x', sshPrivateKey: 'k', sshKnownHosts: 'hosts', caData: 'ca' },
    want: { sshPrivateKey: 'k', sshKnownHosts: 'hosts' },
  },
];
for (const { name, access, want } of rows)
  test(`git reaches a repository with ${name}`, async () => {
    assert.deepEqual(await of(access), want);
  });

test('what would have no effect is refused', async () => {
  await assert.rejects(of({ url: 'ssh://git@h/x', proxy: 'http://p' }), (error) => isAppError(error, 'unsupported'));
});
