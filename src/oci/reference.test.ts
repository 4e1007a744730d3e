import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { parseChallenge } from './challenge.ts';
import { parseDockerConfig } from './docker-config.ts';
import { formatReference, parseReference, registryUrl } from './reference.ts';

const digest = `sha256:${'ab'.repeat(32)}`;

describe('parseReference', () => {
  const cases: [text: string, full: string][] = [
    ['node', 'docker.io/library/node:latest'],
    ['node:24-slim', 'docker.io/library/node:24-slim'],
    ['grafana/grafana', 'docker.io/grafana/grafana:latest'],
    ['docker.io/node', 'docker.io/library/node:latest'],
    ['index.docker.io/library/node:1', 'docker.io/library/node:1'],
    ['localhost/app', 'localhost/app:latest'],
    ['localhost:5000/app:1', 'localhost:5000/app:1'],
    ['127.0.0.1:5000/a/b/c:main-abc1234', '127.0.0.1:5000/a/b/c:main-abc1234'],
    ['ghcr.io/org/app', 'ghcr.io/org/app:latest'],
    ['[::1]:5000/app:1', '[::1]:5000/app:1'],
    [`app@${digest}`, `docker.io/library/app@${digest}`],
    [`ghcr.io/o/app:1.0@${digest}`, `ghcr.io/o/app:1.0@${digest}`],
    ['123456789012.dkr.ecr.eu-central-1.amazonaws.com/app:1', '123456789012.dkr.ecr.eu-central-1.amazonaws.com/app:1'],
  ];
  for (const [text, full] of cases)
    it(text, () => {
      assert.equal(formatReference(parseReference(text)), full);
      assert.deepEqual(parseReference(full), parseReference(text));
    });

  for (const text of ['', 'App', 'a b', 'app:', 'app:a b', 'ghcr.io/', 'app@sha256:12', 'a//b', 'x/App', 'app:-1'])
    it(`refuses "${text}"`, () => {
      assert.throws(
        () => parseReference(text),
        (error: unknown) => isAppError(error, 'bad-input'),
      );
    });
});

describe('registryUrl', () => {
  const cases: [registry: string, url: string][] = [
    ['docker.io', 'https://registry-1.docker.io'],
    ['ghcr.io', 'https://ghcr.io'],
    ['localhost:5000', 'http://localhost:5000'],
    ['127.0.0.1:5000', 'http://127.0.0.1:5000'],
    ['127.1.2.3', 'http://127.1.2.3'],
    ['[::1]:5000', 'http://[::1]:5000'],
    ['10.0.0.1:5000', 'https://10.0.0.1:5000'],
    ['127.0.0.1.example.com', 'https://127.0.0.1.example.com'],
  ];
  for (const [registry, url] of cases) it(registry, () => assert.equal(registryUrl(registry), url));
});

describe('parseDockerConfig', () => {
  it('reads names and passwords, and leaves out what is kept elsewhere', () => {
    const auth = Buffer.from('me:pass:word').toString('base64');
    const text = JSON.stringify({
      auths: {
        'ghcr.io': { auth },
        'https://index.docker.io/v1/': { auth },
        'http://127.0.0.1:5000': { username: 'u', password: 'p' },
        'stored.example.com': {},
      },
      credsStore: 'desktop',
    });
    const credentials = { username: 'me', password: 'pass:word' };
    assert.deepEqual(
      [...parseDockerConfig(text)],
      [
        ['ghcr.io', credentials],
        ['docker.io', credentials],
        ['127.0.0.1:5000', { username: 'u', password: 'p' }],
      ],
    );
    assert.deepEqual([...parseDockerConfig('{}')], []);
  });

  it('names a broken entry, but not what is in it', () => {
    const auth = Buffer.from('nocolon').toString('base64');
    assert.throws(
      () => parseDockerConfig(JSON.stringify({ auths: { 'ghcr.io': { auth } } })),
      (error: unknown) =>
        isAppError(error, 'bad-input') && /ghcr\.io/.test(error.message) && !error.message.includes(auth),
    );
  });
});

describe('parseChallenge', () => {
  it('prefers a token over a password', () => {
    const bearer = 'Bearer realm="https://auth/token",service="reg",scope="repository:a:pull,push"';
    assert.deepEqual(parseChallenge(['Basic realm="x"', bearer]), {
      scheme: 'bearer',
      parameters: { realm: 'https://auth/token', service: 'reg', scope: 'repository:a:pull,push' },
    });
    assert.deepEqual(parseChallenge('basic realm=x'), { scheme: 'basic', parameters: { realm: 'x' } });
    assert.equal(parseChallenge('Digest realm="x"'), undefined);
    assert.equal(parseChallenge(undefined), undefined);
  });
});
