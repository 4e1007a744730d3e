import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CommitSha, parseCommitSha } from './port.ts';
import { planQuickFetch, sameRefs } from './refs.ts';

function oid(digit: string): CommitSha {
  const sha = parseCommitSha(digit.repeat(40));
  assert.ok(sha);
  return sha;
}

const [a, b, c] = [oid('a'), oid('b'), oid('c')];
const refs = (entries: Record<string, CommitSha>) => new Map(Object.entries(entries));
const main = 'refs/heads/main';
const topic = 'refs/heads/topic';
const tag = 'refs/tags/v1';

test('planQuickFetch', async (t) => {
  const many = refs(Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`refs/heads/${index}`, b])));
  const cases = [
    {
      name: 'a branch moved',
      known: refs({ [main]: a, [topic]: c }),
      wanted: refs({ [main]: b, [topic]: c }),
      want: { wants: [b], haves: [a, c], moved: refs({ [main]: b }) },
    },
    {
      name: 'a branch and its tag are new at one commit',
      known: refs({ [main]: a }),
      wanted: refs({ [main]: a, [topic]: b, [tag]: b }),
      want: { wants: [b], haves: [a], moved: refs({ [topic]: b, [tag]: b }) },
    },
    {
      name: 'a branch went away',
      known: refs({ [main]: a, [topic]: a }),
      wanted: refs({ [main]: b }),
      want: undefined,
    },
    { name: 'nothing is known yet', known: refs({}), wanted: refs({ [main]: a }), want: undefined },
    {
      name: 'a ref moved to what is here',
      known: refs({ [main]: a, [topic]: b }),
      wanted: refs({ [main]: b, [topic]: b }),
      want: undefined,
    },
    {
      name: 'much moved',
      known: refs({ [main]: a }),
      wanted: new Map([...refs({ [main]: a }), ...many]),
      want: undefined,
    },
  ];
  for (const { name, known, wanted, want } of cases)
    await t.test(name, () => assert.deepEqual(planQuickFetch(known, wanted), want));
});

test('sameRefs', async (t) => {
  const cases = [
    { name: 'equal in another order', x: refs({ [main]: a, [tag]: b }), y: refs({ [tag]: b, [main]: a }), want: true },
    { name: 'moved', x: refs({ [main]: a }), y: refs({ [main]: b }), want: false },
    { name: 'renamed', x: refs({ [main]: a }), y: refs({ [topic]: a }), want: false },
    { name: 'one more', x: refs({ [main]: a }), y: refs({ [main]: a, [tag]: a }), want: false },
  ];
  for (const { name, x, y, want } of cases) await t.test(name, () => assert.equal(sameRefs(x, y), want));
});
