import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileRule } from '../custom/rule.ts';
import { ruleType } from '../custom/rule-type.ts';
import { ruleValue } from '../custom/rule-value.ts';
import { schema, self } from './sample-fixture.test.ts';

function compiled(rule: string): ReturnType<typeof compileRule> {
  const type = ruleType(schema, false);
  assert.ok(type !== undefined);
  const more = { message: '', messageExpression: '', reason: undefined, fieldPath: '', optionalOldSelf: undefined };
  return compileRule({ rule, ...more }, type);
}

/** Line, column and message of each mistake; the text around them is tested below. */
const mistakes: [string, string[]][] = [
  ['self.i == 5.0', ["1:8: found no matching overload for '_==_' applied to '(int, double)'"]],
  ["self.s + 1 == 'x'", ["1:8: found no matching overload for '_+_' applied to '(string, int)'"]],
  ['self.nope == 1', ["1:5: undefined field 'nope'"]],
  ['self.s.foo', ["1:7: type 'string' does not support field selection"]],
  ['foo(self.s)', ["1:4: undeclared reference to 'foo' (in container '')"]],
  ['self.s.foo()', ["1:11: undeclared reference to 'foo' (in container '')"]],
  ['self.i && true', ["1:5: expected type 'bool' but found 'int'"]],
  ['self.i', ['cel expression must evaluate to a bool']],
  ['self', ['cel expression must evaluate to a bool']],
  ["self.s.matches('[')", ['1:16: invalid matches argument']],
  ["self.s.reverse() == 'olleh'", ["1:15: undeclared reference to 'reverse' (in container '')"]],
  [
    "'%d'.format(['x']) == ''",
    ['1:14: error during formatting: decimal clause can only be used on integers, was given string'],
  ],
  ["'%s %s'.format(['x']) == ''", ['1:15: index 1 out of range']],
  [
    "self.ls.existsOne(x, x == 'b')",
    [
      "1:18: undeclared reference to 'existsOne' (in container '')",
      "1:19: undeclared reference to 'x' (in container '')",
      "1:22: undeclared reference to 'x' (in container '')",
    ],
  ],
  ["self.ls.sum() == 'x'", ["1:12: found no matching overload for 'sum' applied to 'list(string).()'"]],
  ['self.o.zz == 1', ["1:7: undefined field 'zz'"]],
  [
    "self.lo == [{'k':'y','v':2},{'k':'x','v':1}]",
    ["1:9: found no matching overload for '_==_' applied to '(list(selfType.lo.@idx), list(map(string, dyn)))'"],
  ],
  ['self.any == 1', ["1:5: undefined field 'any'"]],
  ['self.open.q == 1', ["1:10: undefined field 'q'"]],
  ["int('x') == 1", ["program instantiation failed: type conversion error from 'string' to 'int'"]],
  ['string(123456789.0)', ['cel expression must evaluate to a bool']],
  ["bool('x')", ["program instantiation failed: type conversion error from 'string' to 'bool'"]],
  ["duration('1x') == self.dur", ['1:10: invalid duration argument']],
  ["timestamp('x') == self.ts", ['1:11: invalid timestamp argument']],
  ['5u == 5', ["1:4: found no matching overload for '_==_' applied to '(uint, int)'"]],
  ['self.i == 5u', ["1:8: found no matching overload for '_==_' applied to '(int, uint)'"]],
  ["1 == '1'", ["1:3: found no matching overload for '_==_' applied to '(int, string)'"]],
  ["[1, 'a'] == []", ["1:5: expected type 'int' but found 'string'"]],
  ["{'a': 1, 'b': 'x'} == {}", ["1:15: expected type 'int' but found 'string'"]],
  ['self.i ? true : false', ["1:8: found no matching overload for '_?_:_' applied to '(int, bool, bool)'"]],
  ["true ? 1 : 'x'", ["1:6: found no matching overload for '_?_:_' applied to '(bool, int, string)'"]],
  [
    'cel.bind(x, self.i, x == 5)',
    [
      "1:1: undeclared reference to 'cel' (in container '')",
      "1:9: undeclared reference to 'bind' (in container '')",
      "1:10: undeclared reference to 'x' (in container '')",
      "1:21: undeclared reference to 'x' (in container '')",
    ],
  ],
  ["self.ls.slice(0, 1) == ['a']", ["1:14: undeclared reference to 'slice' (in container '')"]],
  ['self.ls.flatten() == []', ["1:16: undeclared reference to 'flatten' (in container '')"]],
  ['self.ls.reverse() == []', ["1:16: undeclared reference to 'reverse' (in container '')"]],
  [
    "quantity('1k').asInteger() == 1000 && quantity('1500m').asApproximateFloat() == 1.5 && !quantity('1500m').isInteger() && quantity('-3').sign() == -1",
    ["1:141: found no matching overload for 'sign' applied to 'kubernetes.Quantity.()'"],
  ],
  [
    "semver('1.2.3').major() == 1",
    [
      "1:7: undeclared reference to 'semver' (in container '')",
      "1:22: undeclared reference to 'major' (in container '')",
    ],
  ],
  ["isSemver('1.2.3')", ["1:9: undeclared reference to 'isSemver' (in container '')"]],
  ['self.ls.all(x.y, true)', ['1:14: argument must be a simple name']],
  ['self.ls.map(1, true)', ['1:13: argument is not an identifier']],
  ['has(self.i.x)', ["1:4: type 'int' does not support field selection"]],
  ['has(self)', ['1:5: invalid argument to has() macro']],
  ["has(self['i'])", ['1:9: invalid argument to has() macro']],
  [
    'self.i ==',
    [
      "1:10: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}",
    ],
  ],
  ['self.i == 5 )', ["1:13: Syntax error: extraneous input ')' expecting <EOF>"]],
  ['(self.i == 5', ["1:13: Syntax error: missing ')' at '<EOF>'"]],
  ['self.i == 5 &&& true', ["1:15: Syntax error: token recognition error at: '& '"]],
  [
    "self.s == 'abc",
    [
      "1:11: Syntax error: token recognition error at: ''abc'",
      "1:15: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}",
    ],
  ],
  [
    'self.s == "\\q"',
    [
      "1:11: Syntax error: token recognition error at: '\"\\q'",
      "1:14: Syntax error: token recognition error at: '\"'",
      "1:15: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}",
    ],
  ],
  [
    '@',
    [
      "1:1: Syntax error: token recognition error at: '@'",
      "1:2: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}",
    ],
  ],
  [
    'self.i = 5',
    ["1:8: Syntax error: token recognition error at: '= '", "1:10: Syntax error: extraneous input '5' expecting <EOF>"],
  ],
  ['1 2', ["1:3: Syntax error: extraneous input '2' expecting <EOF>"]],
  ['if', ['1:1: reserved identifier: if']],
  ['self.package == 1', ["1:5: undefined field 'package'"]],
  [
    '// comment',
    [
      "1:11: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}",
    ],
  ],
  ['self.li[0] == 1.0', ["1:12: found no matching overload for '_==_' applied to '(int, double)'"]],
  ['self.s == null', ["1:8: found no matching overload for '_==_' applied to '(string, null)'"]],
  ['9223372036854775808 == 0', ['1:1: invalid int literal']],
  ["-self.s == 'x'", ["1:1: found no matching overload for '-_' applied to '(string)'"]],
  ['self.ls < self.ls', ["1:9: found no matching overload for '_<_' applied to '(list(string), list(string))'"]],
  ['self.ls + self.li == []', ["1:9: found no matching overload for '_+_' applied to '(list(string), list(int))'"]],
  [
    'self.m + self.m == {}',
    ["1:8: found no matching overload for '_+_' applied to '(map(string, string), map(string, string))'"],
  ],
  ["self.metadata.name == 'x'", ["1:5: undefined field 'metadata'"]],
  ["self.kind == 'x'", ["1:5: undefined field 'kind'"]],
  ['self.i.size() == 1', ["1:12: found no matching overload for 'size' applied to 'int.()'"]],
  ["self.s[0] == 'h'", ["1:7: found no matching overload for '_[_]' applied to '(string, int)'"]],
  ["self.o['a'] == 'q'", ["1:7: found no matching overload for '_[_]' applied to '(selfType.o, string)'"]],
  ["self.o[?'a'].hasValue()", ["1:7: found no matching overload for '_[?_]' applied to '(selfType.o, string)'"]],
  ['Msg{a: 1} == 1', ["1:4: undeclared reference to 'Msg' (in container '')"]],
  [
    "{1: 'a', 2u: 'b', true: 'c', 'x': 'd'} == {}",
    [
      "1:10: expected type 'int' but found 'uint'",
      "1:19: expected type 'int' but found 'bool'",
      "1:30: expected type 'int' but found 'string'",
    ],
  ],
  ['[1, null] == []', ["1:5: expected type 'int' but found 'null'"]],
  [
    "[dyn(1), 'a'] == [1, 'a']",
    ["1:10: expected type 'dyn' but found 'string'", "1:22: expected type 'int' but found 'string'"],
  ],
  [
    'math.greatest(1,2) == 2',
    [
      "1:1: undeclared reference to 'math' (in container '')",
      "1:14: undeclared reference to 'greatest' (in container '')",
    ],
  ],
  [
    "base64.encode(b'x') == 'x'",
    [
      "1:1: undeclared reference to 'base64' (in container '')",
      "1:14: undeclared reference to 'encode' (in container '')",
    ],
  ],
  ['self.ls.distinct() == self.ls', ["1:17: undeclared reference to 'distinct' (in container '')"]],
  [
    'lists.range(3) == [0,1,2]',
    [
      "1:1: undeclared reference to 'lists' (in container '')",
      "1:12: undeclared reference to 'range' (in container '')",
    ],
  ],
  ['self.ls.sort() == self.ls', ["1:13: undeclared reference to 'sort' (in container '')"]],
  ["self.lo[0].k == 'x' && self.lo[0].zz == 1", ["1:34: undefined field 'zz'"]],
];

for (const [rule, want] of mistakes) {
  test(`CEL refuses ${rule}`, () => {
    const text = compiled(rule).mistake ?? '';
    const places = text
      .replace('compilation failed: ', '')
      .split('\n')
      .filter((line) => line.startsWith('ERROR: '))
      .map((line) => line.replace('ERROR: <input>:', ''));
    assert.deepEqual(places.length === 0 ? [text] : places, want);
  });
}

test('mistakes are shown with their line and place', () => {
  assert.equal(
    compiled('self.i == 1 &&\n  self.t.nope() == self.zz').mistake,
    [
      "compilation failed: ERROR: <input>:2:14: undeclared reference to 'nope' (in container '')",
      ' |   self.t.nope() == self.zz',
      ' | .............^',
      "ERROR: <input>:2:24: undefined field 'zz'",
      ' |   self.t.nope() == self.zz',
      ' | .......................^',
    ].join('\n'),
  );
});

const holding: string[] = [
  'self.i == 5',
  'self.i < 5.5',
  'self.i + 1 == 6',
  '-self.j == 3',
  'self.d == 1.5',
  'self.d > 1',
  "self.s == 'hello'",
  'self.s.size() == 5',
  'size(self.t) == 11',
  "self.s.startsWith('he') && self.s.endsWith('lo') && self.s.contains('ell')",
  "self.s.matches('^h.*o$')",
  "self.s.find('l+') == 'll'",
  "self.s.findAll('l') == ['l','l']",
  "self.s.findAll('l', 1) == ['l']",
  "self.s.charAt(1) == 'e'",
  "self.s.indexOf('l') == 2 && self.s.lastIndexOf('l') == 3",
  "self.s.substring(1,3) == 'el'",
  "self.s.replace('l','L') == 'heLLo' && self.s.replace('l','L',1) == 'heLlo'",
  "self.s.split('l') == ['he','','o']",
  "self.s.split('') == ['h','e','l','l','o']",
  "self.s.split('l', 2) == ['he','lo']",
  "self.s.upperAscii() == 'HELLO' && self.s.lowerAscii() == 'hello' && ' x '.trim() == 'x'",
  "self.ls.join(',') == 'a,b,c' && self.ls.join() == 'abc'",
  'strings.quote(\'a"b\') == \'"a\\\\"b"\'',
  'self.ls.all(x, x.size() == 1)',
  "self.ls.exists(x, x == 'b')",
  "self.ls.exists_one(x, x == 'b')",
  "self.ls.map(x, x + '!') == ['a!','b!','c!']",
  "self.ls.map(x, x != 'b', x) == ['a','c']",
  "self.ls.filter(x, x != 'b') == ['a','c']",
  'self.li.map(x, x * 2).sum() == 12',
  'self.li.sum() == 6 && self.li.min() == 1 && self.li.max() == 3',
  'self.ld.sum() == 3.5',
  "self.ls.isSorted() && self.ls.indexOf('b') == 1 && self.ls.lastIndexOf('z') == -1",
  "self.m.all(k, self.m[k] != '')",
  "self.m.x == '1' && self.m['y'] == '2'",
  "has(self.m.x) && 'x' in self.m && !('q' in self.m)",
  "'a' in self.ls && 1 in self.li",
  "self.ls[0] == 'a'",
  "self.o.a == 'q' && has(self.o.n)",
  "self.lo.exists(x, x.k == 'x' && x.v == 1)",
  "self.set == ['q','p']",
  "self.set + ['p','z'] == ['p','q','z']",
  'self.ios == 5',
  'type(self.ios) == int',
  'self.ios > 3',
  'self.ts.getFullYear() == 2024 && self.ts.getMonth() == 1 && self.ts.getDate() == 29 && self.ts.getHours() == 8',
  'self.ts.getDayOfWeek() == 4 && self.ts.getDayOfYear() == 59 && self.ts.getMilliseconds() == 500',
  "self.ts.getHours('+02:00') == 10 && self.ts.getHours('America/New_York') == 3",
  "self.ts == timestamp('2024-02-29T08:11:12.5Z')",
  "self.ts + duration('1h') > self.ts",
  'self.day.getDate() == 29',
  "self.dur == duration('90m') && self.dur.getMinutes() == 90 && self.dur.getHours() == 1",
  "string(self.dur) == '5400s'",
  "self.by == b'hello'",
  "string(self.by) == 'hello' && bytes('x') == b'x'",
  'self.open == self.open',
  "self.a__dash__b == '1' && self.a__dot__b == '2' && self.a__slash__b == '3' && self.a__underscores__b == '4' && self.__namespace__ == '5'",
  "self.namespace == '5'",
  "int('5') == self.i && string(5) == '5' && double('1.5') == self.d && uint(5) == 5u",
  "string(1.0) == '1' && string(1e21) == '1e+21' && string(1000000.0) == '1e+06'",
  "string(0.00001) == '1e-05'",
  "bool('true') && bool('t')",
  'int(1.9) == 1 && int(-1.9) == -1',
  'dyn(self.i) == 5u',
  "{'a': 1}['a'] == 1 && {'a': 1}.a == 1",
  "{'a': 1, 'a': 2} == {'a': 2}",
  'self.i > 3 ? true : false',
  'self.?i.hasValue() && self.?i.value() == 5',
  'self.?i.orValue(7) == 5',
  "self.m[?'zz'].orValue('d') == 'd' && self.ls[?9].orValue('q') == 'q' && self.m.?zz.orValue('e') == 'e'",
  "self.?o.?a.orValue('x') == 'q'",
  'optional.of(1).hasValue() && !optional.none().hasValue() && optional.ofNonZeroValue(0) == optional.none()',
  'optional.of(self.i).optMap(x, x + 1).orValue(0) == 6',
  'optional.of(self.i).optFlatMap(x, optional.of(x + 1)).orValue(0) == 6',
  'self.?i.or(optional.of(9)).value() == 5',
  "[?self.m[?'zz'], 'x'] == ['x']",
  "{?'k': self.m[?'zz']} == {}",
  "self.ls.all(i, x, i < 3 && x != '')",
  "self.m.exists(k, v, k == 'x' && v == '1')",
  "self.m.transformMap(k, v, int(v) + 1) == {'x': 2, 'y': 3}",
  "self.m.transformMapEntry(k, v, {v: k}) == {'1': 'x', '2': 'y'}",
  "self.m.transformMap(k, v, k == 'x', v) == {'x': '1'}",
  "sets.contains(self.ls, ['a']) && sets.intersects(self.ls, ['z','c']) && sets.equivalent(self.ls, ['c','b','a'])",
  "quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('100m').compareTo(quantity('0.1')) == 0 && isQuantity('1k') && !isQuantity('x')",
  "quantity('1').add(quantity('2')) == quantity('3') && quantity('1').add(2) == quantity('3') && quantity('5').sub(2) == quantity('3')",
  "url('https://user@example.com:80/path/to?a=1&a=2&b=x%20y#f').getHost() == 'example.com:80'",
  "url('https://example.com:80/p').getHostname() == 'example.com' && url('https://[::1]:80/').getPort() == '80' && url('https://[::1]:80/').getHostname() == '::1'",
  "url('/path with').getEscapedPath() == '/path%20with'",
  "url('https://example.com/path?a=1&a=2&b=x%20y').getQuery() == {'a': ['1','2'], 'b': ['x y']}",
  "isURL('https://example.com') && isURL('/abs') && !isURL('rel') && !isURL('../x') && !isURL('https://a b.com/')",
  "ip('10.0.0.1').family() == 4 && ip('::1').isLoopback() && ip('fe80::1').isLinkLocalUnicast() && ip('8.8.8.8').isGlobalUnicast() && ip('0.0.0.0').isUnspecified() && ip('224.0.0.1').isLinkLocalMulticast()",
  "ip.isCanonical('::1') && !ip.isCanonical('0::1') && string(ip('2001:DB8:0:0:1:0:0:1')) == '2001:db8::1:0:0:1'",
  "cidr('10.0.0.0/8').containsIP('10.2.3.4') && cidr('10.0.0.0/8').containsIP(ip('10.2.3.4')) && cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.0.0.0/8').containsCIDR(cidr('0.0.0.0/0'))",
  "cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8') && cidr('10.1.2.3/8').prefixLength() == 8 && cidr('10.1.2.3/8').ip() == ip('10.1.2.3') && string(cidr('::/0')) == '::/0'",
  "!format.dns1123Label().validate('ok').hasValue() && format.dns1123Label().validate('Not OK').hasValue()",
  "format.uri().validate('x').hasValue() && format.uuid().validate('x').value() == ['does not match the UUID format']",
  "true || self.ls[9] == 'x'",
  "self.ls[9] == 'x' || true",
  "self.ls.exists(x, x == 'a' || self.ls[9] == x)",
  'self.li.exists(x, 10 / (x - 1) == 10)',
  'self.ls.all(self, true)',
  'self . i == 5',
  'self.i == 5 // trailing',
  "self.ls.all(x, x in ['a','b','c'])",
  'null == null',
  'self.o != null && self.ts != null',
  'type(self.s) == string && type(self.d) == double && type(self.ls) == list && type(self.m) == map',
  'type(null) == null_type',
  'type(self.ts) == google.protobuf.Timestamp',
  "'\\u00e9\\x41\\101\\n' == 'éAA\\n'",
  "r'\\d' == '\\\\d'",
  "b'\\xff' == b'\\377'",
  '0x10 == 16 && 1e3 == 1000.0 && .5 == 0.5 && 10u == 0xAu',
  '-9223372036854775808 < 0',
  '!!true && --5 == 5',
  "self.s < 'z' && self.b > false && self.ts < timestamp('2030-01-01T00:00:00Z')",
  "self.ls + ['d'] == ['a','b','c','d']",
  'int(self.ts) == 1709194272',
  "matches(self.s, 'h')",
  "size(self.ls) == 3 && self.m.size() == 2 && size(b'abc') == 3",
  '[1,2,3,] == [1,2,3]',
  '[[1],[2]] == [[1],[2]] && [[1]] != [[2]]',
  'self.lo.filter(x, x.v > 1).size() == 1',
  "self.lo.all(x, has(x.v) && x.v > 0) && self.lo.exists_one(x, x.k == 'x')",
];

for (const rule of holding) {
  test(`CEL holds: ${rule}`, () => {
    const { program, mistake } = compiled(rule);
    assert.ok(program !== undefined, mistake);
    const value = ruleValue(schema, self);
    const result = program.run(new Map([['self', value]]), 1_000_000);
    assert.equal('value' in result ? result.value : result.error.message, true);
  });
}
