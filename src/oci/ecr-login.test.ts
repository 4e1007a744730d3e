import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, beforeEach, describe, it } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { digestOf } from '#base/digest.ts';
import { isAppError } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import { redact } from '#base/redact.ts';
import { ManualClock } from '../../test/clock.ts';
import { RegistryFixture } from '../../test/registry-fixture.ts';
import { assumeRoleWithWebIdentity, callerIdentity, ecrAuthorizationToken } from './ecr-login.ts';
import { parseReference } from './reference.ts';
import { createRegistryClient } from './registry-client.ts';

const roleArn = 'arn:aws:iam::123456789012:role/push';
const issuer = 'http://issuer.invalid';
const region = 'eu-central-1';
const { signal } = new AbortController();
const { publicKey, privateKey } = await generateKeyPair('RS256');
const clock = new ManualClock(Date.now());
let registry: RegistryFixture;
let issuerDown = false;

before(async () => {
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256' }];
  const about = { issuer, jwks_uri: `${issuer}/keys` };
  const statement = {
    Effect: 'Allow',
    Principal: { Federated: 'arn:aws:iam::123456789012:oidc-provider/ci' },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: { 'ci:sub': 'good' } },
  };
  registry = await RegistryFixture.start({
    clock,
    fetchJson: async (url) => {
      if (issuerDown) throw new Error('connection refused');
      return url.endsWith('/keys') ? { keys } : about;
    },
    trust: {
      providers: [{ name: 'ci', issuer, clientIds: ['sts.amazonaws.com'] }],
      policies: [
        {
          roleArn,
          document: { Statement: statement },
          permissions: [{ repository: 'app', actions: ['pull', 'push'] }],
        },
      ],
    },
  });
});
after(() => registry[Symbol.asyncDispose]());
// The client signs with the machine's time.
beforeEach(() => clock.advance(Date.now() - clock.now()));

async function assume(subject: string) {
  const now = Math.floor(clock.now() / 1000);
  const token = new SignJWT({}).setProtectedHeader({ alg: 'RS256', kid: 'k' }).setIssuer(issuer).setSubject(subject);
  const webIdentityToken = await token
    .setAudience('sts.amazonaws.com')
    .setExpirationTime(now + 300)
    .sign(privateKey);
  const ask = { endpoint: registry.url, region, roleArn, sessionName: 'GitHubActions', webIdentityToken };
  return await assumeRoleWithWebIdentity(ask, signal);
}

async function push(repository: string, login: { username: string; password: string }): Promise<string> {
  await using client = createRegistryClient({ clock, logger: silentLogger, credentials: async () => login });
  const bytes = Buffer.from(repository);
  const blob = { digest: digestOf(bytes), size: bytes.length, open: () => Readable.from([bytes]) };
  try {
    await client.pushBlob(parseReference(`127.0.0.1:${registry.port}/${repository}:1`), blob, signal);
    return 'pushed';
  } catch (error) {
    return isAppError(error) ? error.code : String(error);
  }
}

describe('logging in with an identity token', () => {
  it('gives a password for the repositories of the role, until it expires', async () => {
    const credentials = await assume('good');
    assert.deepEqual(await callerIdentity({ endpoint: registry.url, region, credentials }, signal), {
      account: '123456789012',
      arn: 'arn:aws:sts::123456789012:assumed-role/push/GitHubActions',
    });
    const login = await ecrAuthorizationToken({ endpoint: registry.url, region, credentials }, signal);
    assert.deepEqual([login.username, login.registry], ['AWS', `127.0.0.1:${registry.port}`]);
    assert.ok(login.expiresAt - clock.now() <= 15 * 60_000 && login.expiresAt > clock.now());
    assert.deepEqual([await push('app', login), await push('other', login)], ['pushed', 'forbidden']);
    for (const secret of [credentials.secretAccessKey, credentials.sessionToken, login.password])
      assert.doesNotMatch(redact(`log: ${secret}`), new RegExp(secret.slice(0, 10).replace(/[+/]/g, '.')));
    clock.advance(15 * 60_000);
    assert.equal(await push('app', login), 'unauthorized');
  });

  it('is refused for another subject, in words that help', async () => {
    await assert.rejects(
      assume('evil'),
      (error: unknown) => isAppError(error, 'forbidden') && /trust policy/.test(error.hint ?? ''),
    );
  });

  it('says that it may be tried again when the issuer cannot be asked for its keys', async () => {
    clock.advance(11 * 60_000);
    issuerDown = true;
    await assert.rejects(assume('good'), (error: unknown) => isAppError(error, 'unavailable'));
    issuerDown = false;
    assert.match((await assume('good')).accessKeyId, /^ASIA/);
  });

  it('is refused for credentials that were changed', async () => {
    const credentials = await assume('good');
    const ask = (changed: Partial<typeof credentials>) =>
      ecrAuthorizationToken({ endpoint: registry.url, region, credentials: { ...credentials, ...changed } }, signal);
    const refused = (error: unknown) => isAppError(error, 'unauthorized');
    assert.equal((await ask({})).username, 'AWS', 'as they are, they are good');
    await assert.rejects(ask({ secretAccessKey: 'x'.repeat(40) }), refused);
    await assert.rejects(ask({ accessKeyId: 'ASIAAAAAAAAAAAAAAAAA' }), refused);
    await assert.rejects(ask({ sessionToken: `${credentials.sessionToken}x` }), refused);
    clock.advance(20 * 60_000);
    await assert.rejects(ask({}), refused);
  });
});
