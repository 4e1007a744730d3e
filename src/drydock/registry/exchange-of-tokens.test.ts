import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { ManualClock } from '../../../test/clock.ts';
import { basic, RegistryFixture } from '../../../test/registry-fixture.ts';
import type { RegistryAuditRecord } from './audit.ts';

const roleArn = 'arn:aws:iam::123456789012:role/push-api';
const subject = 'repo:shop/api:ref:refs/heads/main';

/** An identity provider whose keys can change. */
class Issuer implements AsyncDisposable {
  readonly #server: Server;
  keys: JWK[] = [];
  requests = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Issuer> {
    const server = createServer((request, response) => {
      issuer.requests += 1;
      const about = { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` };
      response.end(JSON.stringify(request.url === '/keys' ? { keys: issuer.keys } : about));
    });
    const issuer = new Issuer(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async newKey(kid: string): Promise<CryptoKey> {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    this.keys.push({ ...(await exportJWK(publicKey)), kid, alg: 'ES256' });
    return privateKey;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const clock = new ManualClock();
const audit: RegistryAuditRecord[] = [];
let issuer: Issuer;
let registry: RegistryFixture;
let key: CryptoKey;

before(async () => {
  issuer = await Issuer.start();
  key = await issuer.newKey('one');
  const name = 'token.actions.githubusercontent.com';
  const statement = {
    Effect: 'Allow',
    Principal: { Federated: `arn:aws:iam::123456789012:oidc-provider/${name}` },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: { [`${name}:aud`]: 'sts.amazonaws.com' }, StringLike: { [`${name}:sub`]: subject } },
  };
  registry = await RegistryFixture.start({
    clock,
    audit: (record) => audit.push(record),
    trust: {
      providers: [{ name, issuer: issuer.url, clientIds: ['sts.amazonaws.com'] }],
      policies: [
        {
          roleArn,
          document: { Version: '2012-10-17', Statement: [statement] },
          permissions: [{ repository: 'api', actions: ['pull', 'push'] }],
        },
      ],
    },
  });
});
after(async () => {
  await registry[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
});

interface TokenOptions {
  sub?: string;
  aud?: string;
  iss?: string;
  kid?: string;
  signedBy?: CryptoKey;
  lifetimeS?: number;
}

async function identityToken(options: TokenOptions = {}): Promise<string> {
  const now = Math.floor(clock.now() / 1000);
  return await new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', kid: options.kid ?? 'one' })
    .setIssuer(options.iss ?? issuer.url)
    .setAudience(options.aud ?? 'sts.amazonaws.com')
    .setSubject(options.sub ?? subject)
    .setIssuedAt(now)
    .setExpirationTime(now + (options.lifetimeS ?? 300))
    .sign(options.signedBy ?? key);
}

async function assume(token: string, more: Record<string, string> = {}) {
  const body = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    RoleArn: roleArn,
    RoleSessionName: 'run-1',
    WebIdentityToken: token,
    ...more,
  }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return await registry.send('POST', '/', { body, headers, authorization: '' });
}

function xml(text: string, name: string): string {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? '';
}

describe('AssumeRoleWithWebIdentity', () => {
  it('gives credentials of limited life for a token the policy trusts', async () => {
    audit.length = 0;
    const answer = await assume(await identityToken(), { DurationSeconds: '3600' });
    assert.equal(answer.status, 200, answer.text);
    assert.match(xml(answer.text, 'AccessKeyId'), /^ASIA[A-Z2-7]{16}$/);
    assert.equal(Date.parse(xml(answer.text, 'Expiration')) - clock.now(), 15 * 60_000);
    assert.equal(xml(answer.text, 'Arn'), 'arn:aws:sts::123456789012:assumed-role/push-api/run-1');
    assert.deepEqual(
      audit.map(({ outcome, actor, role }) => ({ outcome, actor, role })),
      [{ outcome: 'granted', actor: subject, role: roleArn }],
    );
  });

  const refusals: { name: string; token: TokenOptions; more?: Record<string, string>; code: string; reason: RegExp }[] =
    [
      {
        name: 'another branch',
        token: { sub: 'repo:shop/api:ref:refs/heads/evil' },
        code: 'AccessDenied',
        reason: /StringLike .* wants/,
      },
      {
        name: 'a pull request of a fork',
        token: { sub: 'repo:fork/api:pull_request' },
        code: 'AccessDenied',
        reason: /StringLike/,
      },
      { name: 'another audience', token: { aud: 'elsewhere' }, code: 'InvalidIdentityToken', reason: /aud/ },
      {
        name: 'an unknown issuer',
        token: { iss: 'https://evil.example.com' },
        code: 'AccessDenied',
        reason: /no provider has the issuer/,
      },
      { name: 'a token that is over', token: { lifetimeS: -60 }, code: 'InvalidIdentityToken', reason: /exp/ },
      {
        name: 'an unknown role',
        token: {},
        more: { RoleArn: `${roleArn}-2` },
        code: 'AccessDenied',
        reason: /no such role/,
      },
    ];
  for (const { name, token, more, code, reason } of refusals)
    it(`refuses ${name} tersely, and tells the audit log why`, async () => {
      audit.length = 0;
      const answer = await assume(await identityToken(token), more);
      assert.equal(xml(answer.text, 'Code'), code);
      assert.doesNotMatch(answer.text, /StringLike|refs\/heads|evil/);
      assert.equal(audit.length, 1);
      assert.equal(audit[0]?.outcome, 'refused');
      assert.match(audit[0]?.reason ?? '', reason);
    });

  it('refuses a token signed with a key the issuer does not publish', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const answer = await assume(await identityToken({ signedBy: privateKey }));
    assert.equal(xml(answer.text, 'Code'), 'InvalidIdentityToken');
  });

  it('refuses what is no token, and requests that are malformed', async () => {
    assert.equal(xml((await assume('nonsense')).text, 'Code'), 'AccessDenied');
    const more = [{ RoleArn: 'x' }, { RoleSessionName: '?' }, { WebIdentityToken: '' }, { DurationSeconds: 'x' }];
    for (const bad of more)
      assert.equal(xml((await assume(await identityToken(), bad)).text, 'Code'), 'ValidationError');
    assert.equal(xml((await assume(await identityToken(), { Action: 'CreateUser' })).text, 'Code'), 'InvalidAction');
  });

  it('keeps the keys for a while, and reads them again for a key it does not know', async () => {
    await assume(await identityToken());
    const before = issuer.requests;
    await assume(await identityToken());
    assert.equal(issuer.requests, before);
    const fresh = await issuer.newKey('two');
    const early = await assume(await identityToken({ kid: 'two', signedBy: fresh }));
    assert.equal(xml(early.text, 'Code'), 'InvalidIdentityToken');
    clock.advance(11_000);
    const later = await assume(await identityToken({ kid: 'two', signedBy: fresh }));
    assert.equal(later.status, 200);
    assert.equal(issuer.requests, before + 2);
  });
});

describe('GetAuthorizationToken', () => {
  it('refuses requests that are not signed, or by nobody known', async () => {
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken',
    };
    const plain = await registry.send('POST', '/', { body: '{}', headers, authorization: '' });
    assert.deepEqual([plain.status, JSON.parse(plain.text).__type], [400, 'MissingAuthenticationToken']);
    const authorization = `AWS4-HMAC-SHA256 Credential=ASIAX/20260101/eu/ecr/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`;
    const forged = await registry.send('POST', '/', { body: '{}', headers, authorization });
    assert.equal(JSON.parse(forged.text).__type, 'UnrecognizedClientException');
    const other = { ...headers, 'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.DeleteRepository' };
    const unknown = await registry.send('POST', '/', { body: '{}', headers: other, authorization: '' });
    assert.equal(JSON.parse(unknown.text).__type, 'UnknownOperationException');
  });

  it('does not take a session token for a password', async () => {
    const answer = await assume(await identityToken());
    const authorization = basic('AWS', xml(answer.text, 'SessionToken'));
    assert.equal((await registry.send('POST', '/v2/api/blobs/uploads/', { authorization })).status, 401);
  });
});
