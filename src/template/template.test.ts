import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import { renderFastTemplate } from './fast-template.ts';
import { branchSlug, normalizeName, toSlug } from './slug.ts';
import { compileTemplate, missingKeyOf } from './template.ts';
import { ofType } from './value.ts';

const deps = {
  clock: { now: () => Date.parse('2026-11-21T10:20:30Z') },
  entropy: { bytes: (size: number) => Buffer.alloc(size, 1), uuid: () => 'a-b-c', fraction: () => 0.5 },
};

interface Case {
  template: string;
  options?: string[];
  result?: string;
  error?: string;
}

/** What Go 1.26's text/template answers with sprig 3.3.0 and sigs.k8s.io/yaml 1.6.0. */
function goAnswers(): { data: Record<string, unknown>; cases: Case[] } {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'go-answers.generated.json'), 'utf8'));
}

function answer(text: string, data: unknown, options: string[] = []): { result: string } | { error: string } {
  try {
    return { result: compileTemplate(text, { missingKey: missingKeyOf(options) }).render(data, deps) };
  } catch (error) {
    if (isAppError(error)) return { error: error.message };
    throw error;
  }
}

test('every function and statement answers as Go does, in the words of its errors too', () => {
  const { data, cases } = goAnswers();
  assert.ok(cases.length > 540);
  for (const { template, options, ...want } of cases) {
    const own = structuredClone(data);
    if (isObject(own['labels'])) ofType(own['labels'], 'string');
    assert.deepEqual(answer(template, own, options), want, template);
  }
});

test('templates have limits', () => {
  const small = { limits: { outputLength: 100, steps: 1000, depth: 5 } };
  const rows: [string, RegExp][] = [
    ['{{ repeat 200 "x" }}', /longer than 100/],
    ['{{ range until 2000 }}{{ end }}', /more than 1000 steps/],
    ['{{ range 100000000 }}{{ end }}', /more than 1000 steps/],
    ['{{ repeat 999999999 "x" | len }}', /more than 1000 steps/],
    ['{{ $x := "xx" }}{{ range 60 }}{{ $x = print $x $x }}{{ end }}', /more than 1000 steps/],
    ['{{ regexReplaceAll "" (repeat 500 "x") (repeat 500 "y") | len }}', /more than 1000 steps/],
    ['{{ replace "" (repeat 500 "y") (repeat 500 "x") | len }}', /more than 1000 steps/],
    ['{{ $l := list }}{{ range 990 }}{{ $l = list $l }}{{ end }}{{ toJson $l | len }}', /more than 1000 steps/],
    ['{{ $l := list 1 2 }}{{ range 60 }}{{ $l = concat $l $l }}{{ end }}', /more than 1000 steps/],
    ['{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}', /maximum template depth \(5\)/],
    [`{{ ${'('.repeat(2000)}1${')'.repeat(2000)} }}`, /max expression depth exceeded/],
    [`${'{{ if 1 }}'.repeat(2000)}${'{{ end }}'.repeat(2000)}`, /max nesting exceeded/],
  ];
  for (const [text, want] of rows)
    assert.throws(() => compileTemplate(text, small).render({}, deps), want, text.slice(0, 40));
});

test('names that objects inherit are no keys', () => {
  assert.deepEqual(answer('{{ .constructor }}{{ hasKey . "__proto__" }}', {}), { result: '<no value>false' });
  assert.deepEqual(answer('{{ set . "__proto__" 1 | len }}', {}), { result: '1' });
  assert.match(JSON.stringify(answer('{{ constructor }}', {})), /not defined/);
});

test('time, randomness and what is refused', () => {
  assert.deepEqual(answer('{{ now | date "2006-01-02 15:04" }} {{ uuidv4 }} {{ randAlpha 3 }}', {}), {
    result: '2026-11-21 10:20 a-b-c aaa',
  });
  assert.deepEqual(answer('{{ now }} {{ ago (now | dateModify "-90s") }}', {}), {
    result: '2026-11-21 10:20:30 +0000 UTC 1m30s',
  });
  for (const name of ['env', 'expandenv', 'getHostByName'])
    assert.match(JSON.stringify(answer(`{{ ${name} "a" }}`, {})), new RegExp(`function .*${name}.* not defined`));
  assert.match(JSON.stringify(answer('{{ genPrivateKey "rsa" }}', {})), /take it from a Secret/);
  assert.match(JSON.stringify(answer('{{ . }}', {}, ['missing=x'])), /unrecognized option/);
});

test('fasttemplate replaces what it knows', () => {
  const params: Record<string, string> = { name: 'web', 'path.basename': 'x', 'path[0]': 'a', empty: '' };
  const rows: [string, string][] = [
    ['{{name}}-{{ path.basename }}', 'web-x'],
    ['{{ path[0] }}{{empty}}|{{ unknown }}|{{}}|{{ }}', 'a|{{ unknown }}|{{}}|{{ }}'],
    ['{{name', '{{name'],
    ['{{ a {{name}} b', '{{ a {{name}} b'],
    ['}}{{name}}{{', '}}web{{'],
    ['no template', 'no template'],
  ];
  for (const [text, want] of rows)
    assert.equal(
      renderFastTemplate(text, (key) => (Object.hasOwn(params, key) ? params[key] : undefined)),
      want,
      text,
    );
});

test('names and slugs', () => {
  assert.equal(normalizeName('Feature/ABC_x.'), 'feature-abc-x');
  assert.equal(normalizeName('a'.repeat(300)).length, 253);
  assert.equal(branchSlug('feat/Ärger_mit & Ümlaut'), 'feat-arger-mit-and-umlaut');
  assert.equal(toSlug('one two three four', 12), 'one-two');
  assert.equal(toSlug('one two three four', 12, false), 'one-two-thre');
});
