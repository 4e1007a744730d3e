import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLsRefs } from './ls-refs.ts';
import { parseLsRemote } from './refs.ts';

const a = 'a'.repeat(40);
const b = 'b'.repeat(40);
const line = (text: string) => `${(text.length + 5).toString(16).padStart(4, '0')}${text}\n`;

test('parseLsRefs', async (t) => {
  const head = line(`${a} HEAD symref-target:refs/heads/main`);
  const whole = `${head}${line(`${a} refs/heads/main`)}${line(`${b} refs/tags/v1`)}${line(`${a} refs/pull/1/head`)}`;
  const refs = new Map([
    ['refs/heads/main', a],
    ['refs/tags/v1', b],
  ]);
  const cases = [
    { name: 'branches and tags', text: `${whole}0000`, want: { refs, head: 'refs/heads/main' } },
    { name: 'an empty repository', text: '0000', want: { refs: new Map(), head: undefined } },
    {
      name: 'a branch without a commit',
      text: `${line('unborn HEAD symref-target:refs/heads/main')}0000`,
      want: { refs: new Map(), head: 'refs/heads/main' },
    },
    { name: 'cut off', text: whole, want: undefined },
    { name: 'cut inside a line', text: whole.slice(0, -3), want: undefined },
    { name: 'an error', text: `${line('ERR no such repository')}0000`, want: undefined },
    { name: 'not the protocol', text: '<html></html>', want: undefined },
    { name: 'nothing', text: '', want: undefined },
  ];
  for (const { name, text, want } of cases)
    await t.test(name, () => assert.deepEqual(parseLsRefs(Buffer.from(text)), want));
});

test('parseLsRemote leaves out what tags point at', () => {
  const text = `ref: refs/heads/main\tHEAD\n${a}\tHEAD\n${a}\trefs/heads/main\n${b}\trefs/tags/v1\n${a}\trefs/tags/v1^{}\n`;
  const refs = new Map([
    ['refs/heads/main', a],
    ['refs/tags/v1', b],
  ]);
  assert.deepEqual(parseLsRemote(text), { refs, head: 'refs/heads/main' });
});
