import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommand } from './command.ts';
import { parseCommandFile } from './command-file.ts';
import { evaluate, evaluateCondition, type Scope, type Value } from './expression.ts';
import { matchesPatterns } from './filter-pattern.ts';
import { expandMatrix, matrixSuffix } from './matrix.ts';
import { SecretMask } from './secret-mask.ts';
import { templateOf } from './template.ts';
import { asksToSkip, isTriggered, type TriggerEvent } from './trigger.ts';
import { parseWorkflow } from './workflow.ts';

const patterns: [patterns: string[], name: string, want: boolean][] = [
  [['main'], 'main', true],
  [['main'], 'mainline', false],
  [['releases/**'], 'releases/10/rc', true],
  [['releases/*'], 'releases/10/rc', false],
  [['v*'], 'v1.5.0', true],
  [['v[12].[0-9]+.[0-9]+'], 'v1.10.1', true],
  [['v[12].[0-9]+.[0-9]+'], 'v3.1.0', false],
  [['services/*@[0-9]+.[0-9]+.[0-9]+'], 'services/go-backend@0.2.3', true],
  [['**', '!docs/**'], 'docs/a.md', false],
  [['!docs/**', 'docs/README.md'], 'docs/README.md', true],
  [['**.js'], 'src/js/app.js', true],
  [['*.js'], 'src/app.js', false],
  [['**/migrate-*.sql'], 'db/sept/migrate-10909.sql', true],
  [['**/README.md'], 'README.md', true],
  [['docs/**/*.md'], 'docs/a/b/c.md', true],
  [['*.jsx?'], 'page.js', true],
  [['(x)'], '(x)', true],
];
test('filter patterns', () => {
  for (const [given, name, want] of patterns) assert.equal(matchesPatterns(given, name), want, `${given} ${name}`);
});

const push = (ref: string, changedPaths?: string[]): TriggerEvent => ({
  name: 'push',
  action: undefined,
  ref,
  changedPaths,
});
const triggers: [on: Parameters<typeof isTriggered>[0], event: TriggerEvent, want: boolean][] = [
  [{ push: {} }, push('refs/tags/v1'), true],
  [{ push: { branches: ['main'] } }, push('refs/heads/main'), true],
  [{ push: { branches: ['main'] } }, push('refs/tags/main'), false],
  [{ push: { tags: ['v*'] } }, push('refs/heads/v1'), false],
  [{ push: { branches: ['main'], tags: ['v*'] } }, push('refs/tags/v1'), true],
  [{ push: { 'branches-ignore': ['wip/**'] } }, push('refs/heads/wip/a'), false],
  [{ push: { paths: ['services/a/**'] } }, push('refs/heads/x', ['services/b/x']), false],
  [{ push: { paths: ['services/a/**'] } }, push('refs/heads/x', ['services/a/x', 'b']), true],
  [{ push: { 'paths-ignore': ['docs/**'] } }, push('refs/heads/x', ['docs/x']), false],
  [{ push: { 'paths-ignore': ['docs/**'] } }, push('refs/heads/x', ['docs/x', 'a']), true],
  [{ push: { paths: ['a'] } }, push('refs/tags/v1'), true],
  [
    { pull_request: {} },
    { name: 'pull_request', action: 'closed', ref: 'refs/heads/main', changedPaths: undefined },
    false,
  ],
  [
    { pull_request: { types: ['closed'] } },
    { name: 'pull_request', action: 'closed', ref: undefined, changedPaths: undefined },
    true,
  ],
  [
    { repository_dispatch: { types: ['a'] } },
    { name: 'repository_dispatch', action: 'b', ref: undefined, changedPaths: undefined },
    false,
  ],
  [
    { repository_dispatch: {} },
    { name: 'repository_dispatch', action: 'b', ref: undefined, changedPaths: undefined },
    true,
  ],
];
test('triggers', () => {
  for (const [on, event, want] of triggers) assert.equal(isTriggered(on, event), want, JSON.stringify({ on, event }));
  assert.deepEqual(
    ['x [skip ci]', '[ci skip]', '[no ci] x', 'a\n\n[actions skip]', 'skip ci', 'x\n\nskip-checks: true'].map(
      asksToSkip,
    ),
    [true, true, true, true, false, true],
  );
});

const scope: Scope = {
  contexts: { github: { ref: 'refs/tags/v1.2.0', event: { tags: ['a', 'b'] } }, env: { A: 'x' }, matrix: {} },
  status: { success: false, failure: true, canceled: false },
  hashFiles: () => [],
};
const templates: [value: unknown, want: Value][] = [
  ['plain', 'plain'],
  ['${{ env.A }}', 'x'],
  ["a ${{ env.A }} b ${{ '}}' }}", 'a x b }}'],
  ['${{ 1 == 1 }}', true],
  ['n=${{ 1.50 }} ${{ null }} ${{ github.event }}', 'n=1.5  Object'],
  ["${{ startsWith(github.ref, 'refs/tags/v') && 'tag' || 'branch' }}", 'tag'],
  ["${{ join(github.event.tags, '+') }}", 'a+b'],
  ["${{ fromJSON('[1,2]')[1] }}", 2],
  ["${{ hashFiles('**/lock') }}", ''],
  [{ a: ['${{ env.A }}', 3, true, null] }, { a: ['x', 3, true, null] }],
];
test('templates keep text as it is and evaluate what stands between the braces', () => {
  for (const [value, want] of templates)
    assert.deepEqual(evaluate(templateOf(value), scope), want, JSON.stringify(value));
  assert.equal(evaluateCondition('failure() && !cancelled()', scope), true);
  assert.equal(evaluateCondition('always()', scope), true);
  assert.throws(() => evaluate(templateOf('${{ nothing.x }}'), scope), /cannot evaluate \$\{\{ nothing\.x \}\}/);
  assert.throws(() => templateOf('a ${{ b'), /not closed/);
});

test('a matrix with exclude and include', () => {
  const matrix = {
    fruit: ['apple', 'pear'],
    animal: ['cat', 'dog'],
    include: [{ color: 'green' }, { color: 'pink', animal: 'cat' }, { fruit: 'banana' }],
    exclude: [{ fruit: 'pear', animal: 'dog' }],
  };
  assert.deepEqual(expandMatrix(matrix), [
    { fruit: 'apple', animal: 'cat', color: 'pink' },
    { fruit: 'apple', animal: 'dog', color: 'green' },
    { fruit: 'pear', animal: 'cat', color: 'pink' },
    { fruit: 'banana' },
  ]);
  assert.deepEqual(expandMatrix(undefined), [{}]);
  assert.equal(matrixSuffix({ a: 1, b: { c: 'x' } }), ' (1, x)');
  const wide = Array.from({ length: 17 }, (_, n) => n);
  assert.throws(() => expandMatrix({ a: wide, b: wide }), /at most 256/);
});

const commands: [line: string, want: ReturnType<typeof parseCommand>][] = [
  ['hello', undefined],
  ['::add-mask::secret', { name: 'add-mask', properties: {}, message: 'secret' }],
  [
    '::error file=a.ts,line=3::no%0Agood',
    { name: 'error', properties: { file: 'a.ts', line: '3' }, message: 'no\ngood' },
  ],
  ['::warning title=a%3Ab%2Cc::x::y', { name: 'warning', properties: { title: 'a:b,c' }, message: 'x::y' }],
  ['::endgroup::', { name: 'endgroup', properties: {}, message: '' }],
];
test('workflow commands', () => {
  for (const [line, want] of commands) assert.deepEqual(parseCommand(line), want, line);
});

test('files steps write to', () => {
  assert.deepEqual(parseCommandFile('a=1\nb<<EOF\nx=y\n\nz\nEOF\r\na=2\n', 'F'), { a: '2', b: 'x=y\n\nz' });
  assert.throws(() => parseCommandFile('a=1\nnonsense\n', 'GITHUB_ENV'), /GITHUB_ENV, line 2: expected NAME=value/);
  assert.throws(() => parseCommandFile('b<<EOF\nx\n', 'F'), /no closing delimiter/);
});

test('secrets are masked line by line, the longest first', () => {
  const mask = new SecretMask();
  mask.add('pass');
  mask.add('password1\nsecond-line');
  assert.equal(mask.apply('password1 pass second-line p'), '*** *** *** p');
});

test('a workflow as plain data; block scalars keep no indentation', async () => {
  const parsed = await parseWorkflow(
    'ci.yml',
    "on:\n  push:\n    branches: [main]\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: x/y@v1\n        with:\n          tags: |\n            one:${{ github.sha }}\n            two\n        if: github.ref == 'x'\n",
  );
  assert.ok(parsed.kind === 'workflow');
  const step = parsed.workflow.jobs[0]?.steps[0];
  assert.equal(step?.if, "success() && (github.ref == 'x')");
  assert.deepEqual(step?.with, {
    kind: 'mapping',
    entries: [
      { key: { kind: 'literal', value: 'tags' }, value: { kind: 'text', parts: ['one:', 'github.sha', '\ntwo\n'] } },
    ],
  });
  assert.deepEqual(parsed.workflow.on, { push: { branches: ['main'] } });
});

const mistakes: [content: string, want: RegExp][] = [
  ['', /bad\.yml/],
  ['on: push\n', /Required property is missing: jobs/],
  [
    'on: push\njobs:\n  a:\n    runs-on: x\n    needs: b\n    steps: [{run: x}]\n',
    /at least one job with no dependencies/,
  ],
  [
    'on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{run: "${{ nothing.x }}"}]\n',
    /bad\.yml \(Line: 5, Col: 19\): .*nothing/,
  ],
  ['on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{run: "${{ github.sha"}]\n', /not closed/],
  [
    'on: push\njobs: {a: {runs-on: x, steps: [{run: x}]}, a: {runs-on: x, steps: [{run: x}]}}\n',
    /'a' is already defined/,
  ],
];
test('mistakes are told with their place', async () => {
  for (const [content, want] of mistakes) {
    const parsed = await parseWorkflow('bad.yml', content);
    assert.ok(parsed.kind === 'invalid', content);
    assert.match(parsed.message, want);
  }
});
