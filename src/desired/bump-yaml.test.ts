import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { isAppError } from '#base/errors.ts';
import { bumpYaml, readYamlValue, type YamlEdit } from './bump-yaml.ts';

const values = [
  '# values of the shop',
  'replicaCount:   2   # scaled by hand',
  'image:',
  '    repository: registry.example.com/shop',
  '    tag: "1.4.2"  # set by CI',
  "    pullPolicy: 'IfNotPresent'",
  'services:',
  '  - name: api',
  '    image: { tag: main-aaaaaaa, digest: "" }',
  '  - name: web',
  '    image:',
  '      tag: main-bbbbbbb # staging_services/web',
  'annotations:',
  '  "a.b/c": old',
  'empty:',
  'noted: # nothing yet',
  'ports: [80, 443]',
  'last: end',
  '',
].join('\n');

interface Case {
  name: string;
  content?: string;
  edit: YamlEdit;
  /** The text that gives place, and what takes it. */
  from: string;
  to: string;
}

const cases: Case[] = [
  { name: 'double quotes stay', edit: { path: 'image.tag', value: '1.5.0' }, from: '"1.4.2"', to: '"1.5.0"' },
  { name: 'a leading dot', edit: { path: '.image.tag', value: '1.5.0' }, from: '"1.4.2"', to: '"1.5.0"' },
  {
    name: 'single quotes stay',
    edit: { path: 'image.pullPolicy', value: "it's" },
    from: "'IfNotPresent'",
    to: "'it''s'",
  },
  { name: 'a number stays a number', edit: { path: 'replicaCount', value: '10' }, from: '  2 ', to: '  10 ' },
  {
    name: 'a number that would change is quoted',
    edit: { path: 'replicaCount', value: '1.10' },
    from: '  2 ',
    to: '  "1.10" ',
  },
  {
    name: 'a place in a list and a flow mapping',
    edit: { path: 'services[0].image.tag', value: 'main-ccccccc' },
    from: 'main-aaaaaaa',
    to: 'main-ccccccc',
  },
  {
    name: 'an item by name',
    edit: { path: 'services[name=web].image.tag', value: 'x' },
    from: 'main-bbbbbbb',
    to: 'x',
  },
  { name: 'a number as a step', edit: { path: 'services.1.image.tag', value: 'x' }, from: 'main-bbbbbbb', to: 'x' },
  { name: 'a quoted key', edit: { path: 'annotations."a.b/c"', value: 'new' }, from: 'old', to: 'new' },
  { name: 'a key in brackets', edit: { path: 'annotations["a.b/c"]', value: 'new' }, from: 'old', to: 'new' },
  { name: 'an empty value', edit: { path: 'empty', value: 'full' }, from: 'empty:', to: 'empty: full' },
  { name: 'an empty value before a comment', edit: { path: 'noted', value: 'v' }, from: 'noted: #', to: 'noted: v #' },
  { name: 'a list item', edit: { path: 'ports[1]', value: '8443' }, from: '443', to: '8443' },
  { name: 'a marker', edit: { marker: '# staging_services/web', value: 'x' }, from: 'main-bbbbbbb', to: 'x' },
  { name: 'a marker without its hash', edit: { marker: 'set by CI', value: '2' }, from: '"1.4.2"', to: '"2"' },
  {
    name: 'a short commit of digits is quoted',
    edit: { path: 'last', value: '1234567' },
    from: 'end',
    to: '"1234567"',
  },
  {
    name: 'a commit that looks like a float is quoted',
    edit: { path: 'last', value: '12e4567' },
    from: 'end',
    to: '"12e4567"',
  },
  { name: 'a word for true is quoted', edit: { path: 'last', value: 'off' }, from: 'end', to: '"off"' },
  { name: 'a date is quoted', edit: { path: 'last', value: '2026-11-21' }, from: 'end', to: '"2026-11-21"' },
  { name: 'a version of three parts is plain', edit: { path: 'last', value: '1.5.0' }, from: 'end', to: '1.5.0' },
  { name: 'a colon and a blank are quoted', edit: { path: 'last', value: 'a: b' }, from: 'end', to: '"a: b"' },
  { name: 'two lines are quoted', edit: { path: 'last', value: 'a\nb' }, from: 'end', to: '"a\\nb"' },
  {
    name: 'one of several documents',
    content: 'kind: A\ntag: 1.0.0\n---\nkind: B\nimage:\n  tag: 1.0.0 # b\n',
    edit: { path: 'image.tag', value: '1.0.1' },
    from: '1.0.0 # b',
    to: '1.0.1 # b',
  },
  {
    name: 'a document by its number',
    content: 'tag: a1\n---\ntag: b1\n',
    edit: { path: 'tag', value: 'c', document: 1 },
    from: 'b1',
    to: 'c',
  },
  {
    name: 'line ends of Windows',
    content: 'a: b # m\r\nc: d\r\n',
    edit: { marker: 'm', value: 'x' },
    from: 'b #',
    to: 'x #',
  },
  { name: 'a byte order mark', content: '\uFEFFa: b\n', edit: { path: 'a', value: 'x' }, from: 'a: b', to: 'a: x' },
  { name: 'an anchor stays', content: 'a: &t v1\nb: *t\n', edit: { path: 'a', value: 'v2' }, from: 'v1', to: 'v2' },
  { name: 'no newline at the end', content: 'a: b', edit: { path: 'a', value: 'x' }, from: ': b', to: ': x' },
  {
    name: 'an empty list item',
    content: 'a:\n  -\n  - b\n',
    edit: { path: 'a[0]', value: 'x' },
    from: '-\n',
    to: '- x\n',
  },
];

describe('bumpYaml', () => {
  for (const { name, content = values, edit, from, to } of cases)
    it(`changes only the value: ${name}`, () => {
      assert.equal(content.split(from).length, 2, 'the case names one place');
      assert.equal(
        bumpYaml(content, edit),
        content.replace(from, () => to),
      );
    });

  it('writes every value that has the marker', () => {
    const content = 'a: 1.0.0 # app\nb:\n  - 1.0.0 # app\n  - 1.0.0 # other\n';
    const want = 'a: 1.0.1 # app\nb:\n  - 1.0.1 # app\n  - 1.0.0 # other\n';
    assert.equal(bumpYaml(content, { marker: 'app', value: '1.0.1' }), want);
  });

  it('changes nothing when the value is there already', () => {
    assert.equal(bumpYaml(values, { path: 'image.tag', value: '1.4.2' }), values);
  });

  it('keeps the type a reader sees for any value', () => {
    for (const value of [
      '0x1f',
      '017',
      '1_000',
      '1:30',
      '.5',
      '-1',
      '~',
      'null',
      '',
      ' x ',
      '#x',
      '&a',
      '*a',
      '@x',
      '%x',
      '- a',
      '? a',
      '|',
      '>',
    ])
      for (const content of ['a: text\n', "a: 'text'\n", 'a: "text"\n'])
        assert.deepEqual(parse(bumpYaml(content, { path: 'a', value })), { a: value });
  });
});

interface Refusal {
  name: string;
  content?: string;
  edit: YamlEdit;
  message: RegExp;
  hint?: RegExp;
}

const refusals: Refusal[] = [
  {
    name: 'a missing key',
    edit: { path: 'image.version', value: 'x' },
    message: /no image\.version: image has no version/,
    hint: /repository, tag, pullPolicy/,
  },
  {
    name: 'a missing parent',
    edit: { path: 'imag.tag', value: 'x' },
    message: /the top level has no imag/,
    hint: /replicaCount, image/,
  },
  {
    name: 'a list that is too short',
    edit: { path: 'ports[2]', value: 'x' },
    message: /ports has no \[2\]/,
    hint: /a list of 2/,
  },
  { name: 'a mapping', edit: { path: 'image', value: 'x' }, message: /image is a mapping/, hint: /repository/ },
  {
    name: 'an unknown marker',
    edit: { marker: 'prod', value: 'x' },
    message: /no value marked with the comment # prod/,
    hint: /staging_services\/web/,
  },
  { name: 'an alias', content: 'a: &t v\nb: *t\n', edit: { path: 'b', value: 'x' }, message: /an alias \(\*t\)/ },
  { name: 'a block of text', content: 'a: |\n  text\n', edit: { path: 'a', value: 'x' }, message: /a block of text/ },
  {
    name: 'two documents',
    content: 'a: b\n---\na: c\n',
    edit: { path: 'a', value: 'x' },
    message: /2 documents of the YAML have a/,
  },
  {
    name: 'no such document',
    content: 'a: b\n',
    edit: { path: 'a', value: 'x', document: 3 },
    message: /no document 3/,
  },
  { name: 'broken YAML', content: 'a: [b\n', edit: { path: 'a', value: 'x' }, message: /the YAML cannot be read/ },
  { name: 'an empty file', content: '', edit: { path: 'a', value: 'x' }, message: /no a/ },
  { name: 'a broken path', edit: { path: 'a..b', value: 'x' }, message: /not a path/ },
];

describe('bumpYaml refuses', () => {
  for (const { name, content = values, edit, message, hint } of refusals)
    it(name, () => {
      assert.throws(
        () => bumpYaml(content, edit),
        (error: unknown) => {
          assert(isAppError(error, 'bad-input'), String(error));
          assert.match(error.message, message);
          if (hint) assert.match(error.hint ?? '', hint);
          return true;
        },
      );
    });
});

describe('readYamlValue', () => {
  it('reads values as they are written', () => {
    const paths = ['image.tag', 'replicaCount', 'services[name=web].image.tag', 'nothing.here'];
    assert.deepEqual(
      paths.map((path) => readYamlValue(values, path)),
      ['1.4.2', '2', 'main-bbbbbbb', undefined],
    );
  });
});
