import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonSyntaxError } from './json-syntax.ts';

/** What Go 1.26 answers. */
const table: [text: string, error: string][] = [
  ['', 'unexpected end of JSON input'],
  ['  ', 'unexpected end of JSON input'],
  ['{"a":1,', 'unexpected end of JSON input'],
  ['[[[', 'unexpected end of JSON input'],
  ['"abc', 'unexpected end of JSON input'],
  ['x', `invalid character 'x' looking for beginning of value`],
  ["'a'", `invalid character '\\'' looking for beginning of value`],
  ['\u0007', `invalid character '\\a' looking for beginning of value`],
  ['\u0001', `invalid character '\\x01' looking for beginning of value`],
  ['\u00e9', `invalid character '\u00c3' looking for beginning of value`],
  ['{"a":1,}', `invalid character '}' looking for beginning of object key string`],
  ['{a:1}', `invalid character 'a' looking for beginning of object key string`],
  ['{"a" 1}', `invalid character '1' after object key`],
  ['{"a":1 "b"}', `invalid character '"' after object key:value pair`],
  ['[1,]', `invalid character ']' looking for beginning of value`],
  ['[1 2]', `invalid character '2' after array element`],
  ['trux', `invalid character 'x' in literal true (expecting 'e')`],
  ['tru', `invalid character ' ' in literal true (expecting 'e')`],
  ['NaN', `invalid character 'N' looking for beginning of value`],
  ['"a\nb"', `invalid character '\\n' in string literal`],
  ['"\\x"', `invalid character 'x' in string escape code`],
  ['"\\u12G4"', `invalid character 'G' in \\u hexadecimal character escape`],
  ['01', `invalid character '1' after top-level value`],
  ['-x', `invalid character 'x' in numeric literal`],
  ['1.', `invalid character ' ' after decimal point in numeric literal`],
  ['1ex', `invalid character 'x' in exponent of numeric literal`],
  ['{}x', `invalid character 'x' after top-level value`],
];

for (const [text, error] of table)
  test(`what is wrong with ${JSON.stringify(text)}`, () => assert.equal(jsonSyntaxError(text), error));

test('nothing is wrong with JSON', () => {
  for (const text of ['null', ' {"a":[1,-0.5e+3,"\\u00e9\\n"]} ', '"x"'])
    assert.equal(jsonSyntaxError(text), undefined);
});
