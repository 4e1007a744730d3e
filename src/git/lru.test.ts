import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lru } from './lru.ts';

test('what was not used for longest goes first, by weight', () => {
  const lru = new Lru<string>(10, (value) => value.length);
  lru.set('a', '1234');
  lru.set('b', '1234');
  assert.equal(lru.get('a'), '1234');
  lru.set('c', '123');
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => lru.has(key)),
    [true, false, true],
  );
  lru.set('a', '1');
  lru.set('d', '123456');
  assert.deepEqual(
    ['a', 'c', 'd'].map((key) => lru.get(key)),
    ['1', '123', '123456'],
  );
});

test('a value over the limit is not kept, and clearing forgets all', () => {
  const lru = new Lru<string>(3, (value) => value.length);
  lru.set('large', '1234');
  assert.equal(lru.get('large'), undefined);
  lru.set('a', '1');
  lru.clear();
  lru.set('b', '123');
  assert.deepEqual(
    ['a', 'b'].map((key) => lru.get(key)),
    [undefined, '123'],
  );
});
