import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AuthorizationCache, covers } from './authorization-cache.ts';

describe('covers', () => {
  const cases: [scope: string, wanted: string, want: boolean][] = [
    ['repository:a:pull,push', 'repository:a:pull', true],
    ['repository:a:pull,push repository:b:pull', 'repository:b:pull repository:a:push', true],
    ['repository:a:pull', 'repository:a:pull,push', false],
    ['repository:a:pull,push', 'repository:a/b:pull', false],
    ['', 'repository:a:pull', false],
    ['repository:a:pull', '', true],
  ];
  for (const [scope, wanted, want] of cases)
    it(`"${scope}" ${want ? 'covers' : 'does not cover'} "${wanted}"`, () => assert.equal(covers(scope, wanted), want));
});

describe('AuthorizationCache', () => {
  it('finds what covers and lives, until it is forgotten', () => {
    const cache = new AuthorizationCache();
    cache.remember('here', { header: 'push', expiresAt: 10, scope: 'repository:a:pull,push' });
    const find = (place: string, now: number) => cache.find(place, 'repository:a:pull', now);
    assert.deepEqual([find('here', 9), find('here', 10), find('there', 9)], ['push', undefined, undefined]);
    cache.forget('here', 'push');
    assert.equal(find('here', 9), undefined);
    cache.remember('here', { header: 'password', expiresAt: 10, scope: undefined });
    assert.equal(find('here', 9), 'password');
  });
});
