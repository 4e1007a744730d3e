import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonnetError } from './error.ts';
import { evaluateJsonnet, type Variable } from './evaluate.ts';
import { importsOf } from './lexer.ts';

function run(text: string, files: Record<string, string> = {}, tlas: Variable[] = []): unknown {
  const all: Record<string, string> = { main: text, ...files };
  const result = evaluateJsonnet({
    entry: 'main',
    resolve: (_from, path) => (Object.hasOwn(all, path) ? path : undefined),
    open: (name) => Buffer.from(all[name] ?? ''),
    extVars: [
      { name: 'text', value: '1+1', code: false },
      { name: 'program', value: '1+1', code: true },
    ],
    tlas,
    parseYaml: (yaml) => yaml.split('---').map((part) => part.trim()),
  });
  return JSON.parse(JSON.stringify(result));
}

/** Programs and their results, as go-jsonnet 0.22 gives them. */
const programs: [string, unknown][] = [
  ['1 + 2 * 3 - 10 / 4 % 2', 6.5],
  ['{ a: 1, b: self.a + 1, c:: 3 }', { a: 1, b: 2 }],
  ['{ a: 1 } + { a: super.a + 1, b::: 3, c: self.b }', { a: 2, b: 3, c: 3 }],
  ['{ a: 1 } { b: 2 }', { a: 1, b: 2 }],
  ['local f(x, y=2) = x * y; [f(1), f(1, 3), f(x=2), f(y=5, x=1)]', [2, 3, 4, 5]],
  ["{ local x = 1, a: x, [if true then 'b']: 2, [if false then 'c']: 3, [null]: 4 }", { a: 1, b: 2 }],
  ['[x * y for x in [1, 2, 3] if x > 1 for y in [10, 20]]', [20, 40, 30, 60]],
  ["{ local z = x + '1', [x]: z for x in ['a', 'b'] }", { a: 'a1', b: 'b1' }],
  ['{ a: { b: $.c }, c: 5 }', { a: { b: 5 }, c: 5 }],
  ['{ a: { b: 1, c: 2 } } + { a+: { c: 3 } }', { a: { b: 1, c: 3 } }],
  ['{ a+: { b: 1 } }', { a: { b: 1 } }],
  ['{ a:: 1 } + { a: 2 }', {}],
  ['{ a:: 1 } + { a::: 2 }', { a: 2 }],
  [
    "{ a: 1 } + { b: { ['c']: 'a' in super }, d: 'a' in super, e: 'z' in super }",
    { a: 1, b: { c: false }, d: true, e: false },
  ],
  [
    'local B = { n:: "x", full: "hi " + self.n }; [B, B { n: "y" }, B { n: "z", full+: "!" }]',
    [{ full: 'hi x' }, { full: 'hi y' }, { full: 'hi z!' }],
  ],
  ['|||\n  hello\n    world\n\n  end\n|||', 'hello\n  world\n\nend\n'],
  ['|||-\n  hello\n|||', 'hello'],
  [`"\\u00e9\\n" + 'x\\'y' + @"a\\b""c" + @'it''s'`, "é\nx'ya\\b\"cit's"],
  ['"%s %d %5.2f|%-3s|%05d %x %g %%" % ["a", 3, 3.14159, "ab", 42, 255, 0.5]', 'a 3  3.14|ab |00042 ff 0.5 %'],
  ['"%(a)s-%(b)03d" % { a: 1, b: 7 }', '1-007'],
  ['[[1, 2, 3, 4, 5][::2], "hello"[1:3], [1, 2, 3][-2:]]', [[1, 3, 5], 'el', [2, 3]]],
  ['[std.length("😀a"), std.stringChars("a😀"), "😀" > "\uffee"]', [2, ['a', '😀'], true]],
  ['std.foldl(function(a, b) a + b, [1, 2, 3], 0)', 6],
  ['std.sort([{ a: 2 }, { a: 1 }], function(x) x.a) + std.set([3, 1, 3])', [{ a: 1 }, { a: 2 }, 1, 3]],
  ['[std.setUnion([1, 3], [2, 3]), std.setInter([1, 3], [3]), std.setDiff([1, 3], [3])]', [[1, 2, 3], [3], [1]]],
  ['[1 & 3, 1 | 2, 5 ^ 1, 1 << 4, 256 >> 2, ~5, [1] < [1, 0], !true || 1 == 1.0]', [1, 3, 4, 16, 64, -6, true, true]],
  [
    '[std.toString(0.1), "" + 1e20, "" + 1.5e-7, "" + 1 / 3, std.toString({ a: [1, {}] })]',
    [
      '0.10000000000000001',
      '100000000000000000000',
      '1.4999999999999999e-07',
      '0.33333333333333331',
      '{"a": [1, { }]}',
    ],
  ],
  ['[std.extVar("text"), std.extVar("program")]', ['1+1', 2]],
  [
    'std.manifestYamlDoc({ a: [1, { b: 2, c: [3] }], d: "x\\ny\\n", e: "", f: {}, g: [], "1": true })',
    '"1": true\n"a":\n- 1\n- "b": 2\n  "c":\n  - 3\n"d": |\n  x\n  y\n"e": ""\n"f": {}\n"g": []',
  ],
  ['std.manifestJsonEx({ a: [1], b: {} }, "  ")', '{\n  "a": [\n    1\n  ],\n  "b": {\n\n  }\n}'],
  ['std.manifestIni({ main: { a: 1 }, sections: { s: { b: ["x", "y"] } } })', 'a = 1\n[s]\nb = x\nb = y\n'],
  ['std.manifestToml({ a: 1, d: { e: "x" } })', 'a = 1\n\n[d]\n  e = "x"'],
  ['std.mergePatch({ a: 1, b: { c: 2, d: 3 } }, { b: { c: null, e: 4 }, a: null })', { b: { d: 3, e: 4 } }],
  ['std.prune({ a: null, b: [], d: [null, 1, {}], e: 0, f: "" })', { d: [1], e: 0, f: '' }],
  [
    '[std.base64("hello"), std.base64Decode("aGVsbG8="), std.md5("a")]',
    ['aGVsbG8=', 'hello', '0cc175b9c0f1b6a831c399e269772661'],
  ],
  [
    '[std.splitLimit("a,b,c", ",", 1), std.splitLimitR("a,b,c", ",", 1), std.strReplace("aXb", "X", "$&")]',
    [['a', 'b,c'], ['a,b', 'c'], 'a$&b'],
  ],
  ['{ a: error "x", b: 1 }.b', 1],
  ['local arr = [error "no", 2]; arr[1]', 2],
  ['local f(n) = if n == 0 then 0 else 1 + f(n - 1); f(400)', 400],
  ['if false then 1', null],
  ['(function(a, b=a + 1) [a, b])(1)', [1, 2]],
  ['std.thisFile', 'main'],
  [
    '[std.manifestJsonMinified([0.1, 1.5e-7, 1e21, 1 / 3]), std.toString(12345678901234567890)]',
    ['[0.1,0.00000015,1000000000000000000000,0.3333333333333333]', '12345678901234567168'],
  ],
  ['local A = { a: 1, b: self.a + 1 }, B = A { a: 10, c: super.b }; B { a: 100 }', { a: 100, b: 101, c: 101 }],
  ['std.foldl(function(acc, x) acc { [x.k]+: [x.v] }, [{ k: "a", v: 1 }, { k: "a", v: 2 }], {})', { a: [1, 2] }],
  ['local base = { f(x):: x + 1, v: self.f(1) }; base { f(x):: super.f(x) * 10 }', { v: 20 }],
  ['[[x for x in [[1, 2], [3]] for x in x], "%*d|%.2f" % [5, 3, 3.14159]]', [[1, 2, 3], '    3|3.14']],
];
for (const [text, want] of programs)
  test(`a program: ${text}`, () => {
    assert.deepEqual(run(text), want);
  });

const faults: [string, RegExp][] = [
  ['{ a: self.b }', /^main:1:10: field does not exist: b$/],
  ['\n  foo', /^main:2:3: unknown variable: foo$/],
  ['self.a', /self outside of an object/],
  ['[1, 2][5]', /index 5 out of bounds/],
  ['1 / 0', /division by zero/],
  ['1 + {}', /number and object cannot be added/],
  ['local a = a; a', /infinite recursion/],
  ['local f(x) = f(x + 1) + 1; f(0)', /max stack frames exceeded/],
  ['{ a: function(x) x }', /the result\.a is or holds a function/],
  ['error "boom " + 1', /boom 1/],
  ['local o = { assert self.a > 0 : "a is negative", a: 1 }; o { a: -1 }', /a is negative/],
  ['{ a: 1, a: 2 }', /duplicate field: a/],
  ['{ a: 1 b: 2 }', /expected , or } in the object, found "b"/],
  ['"unterminated', /this string has no end/],
  ['01', /"01" is no number/],
  ['1e1000', /the number 1e1000 is too large/],
  ['std.reverse("abc")', /arr must be an array, got string/],
  ['import "x" + "y"', /expected the end|computed imports/],
  ['import x', /computed imports are not allowed/],
  ['import "none.libsonnet"', /couldn't open import "none.libsonnet"/],
  ['(function(a) a)(1, 2)', /too many arguments/],
  ['(function(a) a)(b=1)', /no parameter b/],
  [
    'local f(x) = error "deep"; local g(x) = f(x); g(1)',
    /^main:1:14: deep\n {2}called at main:1:42\n {2}called at main:1:48$/,
  ],
  ['std.repeat("x", 1e9)', /more than/],
];
for (const [text, want] of faults)
  test(`a mistake: ${text}`, () => {
    assert.throws(
      () => run(text),
      (error) => error instanceof JsonnetError && want.test(error.full),
    );
  });

test('imports: programs, texts and bytes; each file is evaluated once', () => {
  const files = { 'lib.libsonnet': '{ twice(x):: x * 2 }', 'a.txt': 'héllo' };
  assert.deepEqual(
    run('[(import "lib.libsonnet").twice(4), importstr "a.txt", std.length(importbin "a.txt")]', files),
    [8, 'héllo', 6],
  );
});

test('top-level arguments are given to a program that is a function, and are ignored by others', () => {
  const tlas = [
    { name: 'a', value: '2', code: true },
    { name: 'b', value: '2', code: false },
  ];
  assert.deepEqual(run('function(a, b, c=3) [a, b, c]', {}, tlas), [2, '2', 3]);
  assert.deepEqual(run('{}', {}, tlas), {});
  assert.throws(() => run('function(a) a', {}, tlas), /no parameter b/);
});

test('imports are found without running the program', () => {
  const text = 'local a = import "x.libsonnet"; /* import "no" */ [importstr @"y", \'import "not"\', importbin "z"]';
  assert.deepEqual(importsOf({ name: 'main', text }), [
    { how: 'import', path: 'x.libsonnet' },
    { how: 'importstr', path: 'y' },
    { how: 'importbin', path: 'z' },
  ]);
});
