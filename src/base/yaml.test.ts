import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseYamlDocuments } from './yaml.ts';

test('a quoted text may go on at any column, as libyaml lets it', () => {
  const text = 'a:\n  b:\n    - c: \'one\n      two\n    three\'\n      d: 1\n---\ne: "x\n  y"\n';
  assert.deepEqual(parseYamlDocuments(text, 'test'), [{ a: { b: [{ c: 'one two three', d: 1 }] } }, { e: 'x y' }]);
});

test('what is no YAML stays an error that names the document', () => {
  assert.throws(() => parseYamlDocuments("a: 'open\nb: 1\n", 'values.yaml'), /values\.yaml is not valid YAML/);
  assert.throws(() => parseYamlDocuments('a:\n- b\n c: 1\n', 'values.yaml'), /values\.yaml is not valid YAML/);
});
