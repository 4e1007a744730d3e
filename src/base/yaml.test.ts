import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseYamlDocuments } from './yaml.ts';

test('YAML is read as kubectl reads it', () => {
  const rows: [string, unknown[]][] = [
    [
      'a: yes\nb: off\nc: 010\nd: 1e3\ne: 2001-01-01\nf: ~\n',
      [{ a: true, b: false, c: 8, d: 1000, e: '2001-01-01', f: null }],
    ],
    ['---\n---\na: 1\n---\n- b\n', [{ a: 1 }, ['b']]],
    ['a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}\n', [{ a: { b: 1 }, c: { b: 1 }, d: { b: 1, e: 2 } }]],
  ];
  for (const [text, want] of rows) assert.deepEqual(parseYamlDocuments(text, 'the text'), want, text);
  assert.throws(() => parseYamlDocuments('a: [', 'f.yaml'), /f\.yaml is not valid YAML/);
  assert.throws(() => parseYamlDocuments('a: .nan', 'f.yaml'), /that JSON cannot write/);
});

test('aliases of aliases do not grow without end', () => {
  const names = [...'abcdefgh'];
  const lines = names.map(
    (name, index) =>
      `${name}: &${name} [${Array(9)
        .fill(index === 0 ? 'x' : `*${names[index - 1]}`)
        .join(', ')}]`,
  );
  assert.throws(() => parseYamlDocuments(lines.join('\n'), 'f.yaml'), /more than 5000000 values when its aliases/);
});
