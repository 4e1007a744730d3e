import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editYaml, parseYq } from './yq.ts';

test('yq -i sets one value and keeps everything else byte for byte', () => {
  const edit = parseYq(['-i', '.image.tag = "main-0a1b2c3"', 'values-dev.yaml']);
  assert.deepEqual(edit, { path: 'image.tag', value: 'main-0a1b2c3', files: ['values-dev.yaml'] });
  const before = '# top\nimage:\n  tag: "1.4.2" # written by the pipeline\n\nreplicas:   2\n';
  assert.equal(editYaml(before, edit), before.replace('"1.4.2"', '"main-0a1b2c3"'));
});

test('indexes and quoted keys become path steps', () => {
  assert.equal(parseYq(['-i', '.images[0]."new-tag" = "x"', 'f']).path, 'images.0.new-tag');
});

for (const args of [
  ['.a = "x"', 'f'],
  ['-i', '.a = 1', 'f'],
  ['-i', '.a = "x"'],
  ['-i', 'del(.a)', 'f'],
]) {
  test(`yq ${args.join(' ')} is refused with the form that works`, () => {
    assert.throws(() => parseYq(args), /only yq -i '\.path\.to\.key = "value"'/);
  });
}
