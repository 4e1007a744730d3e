import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { mirrorName, parseGitUrl } from './url.ts';

test('spellings of one address have one mirror', async (t) => {
  const groups = [
    [
      'https://git.example.com/shop/api',
      'https://git.example.com/shop/api.git',
      'https://GIT.example.com:443/shop/api/',
    ],
    ['https://bob:secret-of-bob@git.example.com/shop/api.git', 'https://git.example.com/shop/api'],
    ['git@git.example.com:shop/api.git', 'ssh://git@git.example.com/shop/api'],
    ['http://127.0.0.1:8080/shop/api.git', 'http://127.0.0.1:8080/shop/api'],
  ];
  for (const spellings of groups) {
    await t.test(spellings[0] ?? '', () => {
      assert.equal(new Set(spellings.map((text) => mirrorName(parseGitUrl(text)))).size, 1);
    });
  }
  await t.test('but another path, port or scheme has its own', () => {
    const others = ['https://h/a', 'https://h/b', 'https://h:8443/a', 'http://h/a', 'ssh://h/a', 'https://h/A'];
    assert.equal(new Set(others.map((text) => mirrorName(parseGitUrl(text)))).size, others.length);
  });
});

test('credentials are taken out of an address', () => {
  assert.deepEqual(parseGitUrl('https://bob:p%40ss-of-bob@git.example.com/shop/api.git'), {
    url: 'https://git.example.com/shop/api.git',
    key: 'https://git.example.com/shop/api',
    transport: 'http',
    credentials: { username: 'bob', password: 'p@ss-of-bob' },
  });
});

test('what is no address is refused', async (t) => {
  const texts = [
    '',
    'repo',
    '/srv/repo.git',
    'file:///srv/repo.git',
    '--upload-pack=touch x',
    'ext::sh -c x',
    'https://host',
    'ftp://h/a',
    'https://h/a b',
  ];
  for (const text of texts)
    await t.test(JSON.stringify(text), () =>
      assert.throws(
        () => parseGitUrl(text),
        (error) => isAppError(error, 'bad-input'),
      ),
    );
});
