import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '#base/json.ts';
import { compileDeletion, compileJq, JqLimit, runJq, runOnce } from './jq.ts';

const deployment: Json = {
  metadata: { annotations: { 'x/y': '1', keep: 'k' } },
  spec: {
    replicas: 2,
    containers: [
      { name: 'a', image: 'i:1', env: [{ name: 'E', value: '1' }, { name: 'F' }] },
      { name: 'b', image: 'j:2' },
    ],
  },
};
const spec = (containers: Json) => ({ ...deployment, spec: { replicas: 2, containers } });
const [first, second] = [
  { name: 'a', image: 'i:1', env: [{ name: 'E', value: '1' }, { name: 'F' }] },
  { name: 'b', image: 'j:2' },
];

/** The results are those of gojq 0.12.19, which Argo CD evaluates expressions with. */
const deletions: { name: string; expression: string; want: Json }[] = [
  { name: 'a path', expression: '.spec.replicas', want: { ...deployment, spec: { containers: [first, second] } } },
  { name: 'several', expression: '.metadata, .spec', want: {} },
  { name: 'nothing there', expression: '.spec.nothing.at.all', want: deployment },
  { name: 'an item by a condition', expression: '.spec.containers[] | select(.name == "a")', want: spec([second]) },
  {
    name: 'a member of all items',
    expression: '.spec.containers[].env',
    want: spec([{ name: 'a', image: 'i:1' }, second]),
  },
  {
    name: 'an item of a list in a list',
    expression: '.spec.containers[].env[]? | select(.name | test("^E"))',
    want: spec([{ ...first, env: [{ name: 'F' }] }, second]),
  },
  { name: 'items by index, all of the list as it was', expression: '.spec.containers[0, 1]', want: spec([]) },
  { name: 'a slice', expression: '.spec.containers[1:]', want: spec([first]) },
  {
    name: 'quoted keys',
    expression: '.metadata.annotations["x/y"]',
    want: { ...deployment, metadata: { annotations: { keep: 'k' } } },
  },
  {
    name: 'keys by a condition',
    expression: '.metadata.annotations | .[keys[] | select(startswith("x"))]',
    want: { ...deployment, metadata: { annotations: { keep: 'k' } } },
  },
  {
    name: 'whatever stands anywhere',
    expression: '.. | .image?',
    want: spec([{ name: 'a', env: first?.env ?? null }, { name: 'b' }]),
  },
  {
    name: 'an alternative',
    expression: '.status // .spec.replicas',
    want: { ...deployment, spec: { containers: [first, second] } },
  },
  { name: 'the whole', expression: '.', want: null },
];
for (const { name, expression, want } of deletions)
  test(`del: ${name}`, () => {
    assert.deepEqual(runOnce(compileDeletion(expression), deployment), want);
  });

const results: { program: string; input?: Json; want: Json[] }[] = [
  { program: '.[] as [$a, {b: $c}] | [$a, $c]', input: [[1, { b: 2 }]], want: [[1, 2]] },
  { program: '.[] as [$a] ?// $a | [$a]', input: [[1], 2], want: [[1], [2]] },
  { program: '1 + 2 as $x | $x * 10', want: [30] },
  {
    program: '[(1,2) + (10,20)], {a: (1,2), b: (3,4)}',
    want: [[11, 12, 21, 22], { a: 1, b: 3 }, { a: 1, b: 4 }, { a: 2, b: 3 }, { a: 2, b: 4 }],
  },
  {
    program: 'reduce range(5) as $x (0; . + $x), [foreach range(3) as $x (0; . + $x; [$x, .])]',
    want: [
      10,
      [
        [0, 0],
        [1, 1],
        [2, 3],
      ],
    ],
  },
  { program: 'label $out | 1, break $out, 2', want: [1] },
  { program: 'try error({a: 1}) catch .a, (try error("x") catch .), [.[]?]', input: 3, want: [1, 'x', []] },
  { program: '(.a, .b) |= . + 1 | .c += 2 | .d //= 5 | del(.a)', input: { a: 1, b: 2 }, want: [{ b: 3, c: 2, d: 5 }] },
  { program: '.[1:] = ["x"] | .[0] |= empty', input: [1, 2, 3], want: [['x']] },
  { program: '[path(..)]', input: { a: [1] }, want: [[[], ['a'], ['a', 0]]] },
  {
    program: 'with_entries(.value += 1) | to_entries',
    input: { b: 1, a: 2 },
    want: [
      [
        { key: 'a', value: 3 },
        { key: 'b', value: 2 },
      ],
    ],
  },
  {
    program: 'group_by(.k) | map(map(.v))',
    input: [
      { k: 2, v: 1 },
      { k: 1, v: 2 },
      { k: 2, v: 3 },
    ],
    want: [[[2], [1, 3]]],
  },
  { program: '"a\\(1 + 1)-\\(.)", @base64 "x\\("y")"', input: null, want: ['a2-null', 'xeQ=='] },
  {
    program: 'gsub("(?<l>[a-z])"; "<\\(.l)>"), [match("a*"; "g").offset], [splits(", *")]',
    input: 'ab, c',
    want: ['<a><b>, <c>', [0, 2, 3, 4, 5], ['ab', 'c']],
  },
  { program: 'def f(g; $n): g * $n; f(. + 1; 2, 3)', input: 1, want: [4, 6] },
  { program: 'def fac: if . <= 1 then 1 else . * (. - 1 | fac) end; fac', input: 5, want: [120] },
  { program: 'walk(if type == "number" then . + 1 else . end)', input: [1, { a: 2 }], want: [[2, { a: 3 }]] },
  { program: '.[1.7], .[-1], .[1:][0]', input: [1, 2, 3], want: [2, 3, 2] },
  { program: '.["__proto__"], (.["__proto__"] = 1 | keys)', input: {}, want: [null, ['__proto__']] },
  {
    program: 'sort, unique, min, max, any, all',
    input: [2, null, 'a', 1, 1],
    want: [[null, 1, 1, 2, 'a'], [null, 1, 2, 'a'], null, 'a', true, false],
  },
  { program: 'env, $ENV', want: [{}, {}] },
];
for (const { program, input = null, want } of results)
  test(`jq: ${program}`, () => {
    assert.deepEqual(runJq(compileJq(program), input), want);
  });

test('an object is not changed, and shares nothing that was', () => {
  const before = structuredClone(deployment);
  runOnce(compileDeletion('.spec.containers[].env'), deployment);
  assert.deepEqual(deployment, before);
});

const wrong: [string, RegExp][] = [
  ['.a[', /unexpected the end at offset 3/],
  ['.a b', /unexpected b at offset 3/],
  ['nosuch(1)', /function not defined: nosuch\/1/],
  ['_match(1; 2)', /function not defined: _match\/2/],
  ['$x', /variable not defined: \$x/],
  ['break $x', /label not defined: \$x/],
  ['@base99', /format not defined: @base99/],
  ['"\\q"', /bad escape/],
];
for (const [program, message] of wrong)
  test(`jq refuses ${program}`, () => {
    assert.throws(() => compileJq(program), message);
  });

const raised: [string, Json, RegExp][] = [
  ['.a', 5, /expected an object but got: number \(5\)/],
  ['.[]', 'x', /cannot iterate over: string \("x"\)/],
  ['path([1] | .[0])', null, /invalid path against: array/],
  ['error("oh")', null, /^oh$/],
];
for (const [program, input, message] of raised)
  test(`jq raises: ${program}`, () => {
    assert.throws(() => runJq(compileJq(program), input), { name: 'JqError', message });
  });

const endless = [
  'def f: f; f',
  '[repeat(1)]',
  'last(range(infinite))',
  'recurse(. + 1)',
  'until(false; .)',
  'reduce range(100) as $i ([1]; . + .)',
  'reduce range(100) as $i ("x"; . + .)',
  'reduce range(60) as $i (1; [., .]) | tojson',
  'reduce range(60) as $i (1; [., .])',
  'def f: [f, f]; f',
];
for (const program of endless)
  test(`jq stops ${program}`, () => {
    assert.throws(() => runJq(compileJq(program), 0), JqLimit);
  });
