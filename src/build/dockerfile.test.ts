import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { parseDockerfile } from './dockerfile.ts';
import { expandWord, splitWords } from './dockerfile-words.ts';
import { parseDockerignore } from './dockerignore.ts';
import { pathPattern } from './path-pattern.ts';

describe('parseDockerfile', () => {
  it('reads instructions with comments, continuations and both command forms', () => {
    const text = [
      '# syntax=docker/dockerfile:1',
      'from node:24-slim AS run',
      'WORKDIR /app',
      'ENV A=1 B="two words" \\',
      '  # a comment inside',
      '',
      '    C=3',
      'ENV OLD the old form',
      'COPY --chown=1000:1000 --chmod=755 --link a.js "b.js" ./',
      'COPY ["with space", "/dst/"]',
      'EXPOSE 8080 53/udp',
      "LABEL x='y z'",
      'USER node',
      'ENTRYPOINT ["node", "--enable-source-maps"]',
      'CMD node server.js --port $PORT',
    ].join('\r\n');
    assert.deepEqual(parseDockerfile(text), {
      from: { line: 2, image: 'node:24-slim' },
      instructions: [
        { kind: 'workdir', line: 3, value: '/app' },
        {
          kind: 'env',
          line: 4,
          pairs: [
            ['A', '1'],
            ['B', '"two words"'],
            ['C', '3'],
          ],
        },
        { kind: 'env', line: 8, pairs: [['OLD', 'the old form']] },
        {
          kind: 'copy',
          line: 9,
          sources: ['a.js', '"b.js"'],
          destination: './',
          owner: { user: '1000', group: '1000' },
          mode: 0o755,
        },
        { kind: 'copy', line: 10, sources: ['with space'], destination: '/dst/', owner: undefined, mode: undefined },
        { kind: 'expose', line: 11, ports: ['8080', '53/udp'] },
        { kind: 'label', line: 12, pairs: [['x', "'y z'"]] },
        { kind: 'user', line: 13, value: 'node' },
        { kind: 'entrypoint', line: 14, command: ['node', '--enable-source-maps'] },
        { kind: 'cmd', line: 15, command: ['/bin/sh', '-c', 'node server.js --port $PORT'] },
      ],
    });
  });

  const refusals: { name: string; text: string; code: 'unsupported' | 'bad-input'; message: RegExp }[] = [
    ...[
      'RUN npm ci',
      'ADD a b',
      'ARG X=1',
      'HEALTHCHECK NONE',
      'VOLUME /x',
      'SHELL ["x"]',
      'ONBUILD RUN x',
      'STOPSIGNAL 9',
    ].map((text) => ({
      name: text,
      text: `FROM a\n${text}`,
      code: 'unsupported' as const,
      message: new RegExp(`line 2: ${text.split(' ')[0]} is not supported`),
    })),
    { name: 'ARG before FROM', text: 'ARG V=1\nFROM a:$V', code: 'unsupported', message: /line 1: ARG/ },
    { name: 'two stages', text: 'FROM a\nFROM b', code: 'unsupported', message: /line 2: a second FROM/ },
    { name: 'COPY --from', text: 'FROM a\nCOPY --from=x /a /b', code: 'unsupported', message: /COPY --from/ },
    {
      name: 'a strange owner',
      text: 'FROM a\nCOPY --chown=a:b:c a b',
      code: 'bad-input',
      message: /--chown=a:b:c is not/,
    },
    {
      name: 'a here-document',
      text: 'FROM a\nCOPY <<EOF /x\nhi\nEOF',
      code: 'unsupported',
      message: /line 2: here-documents/,
    },
    { name: 'another escape', text: '# escape=`\nFROM a', code: 'unsupported', message: /escape character/ },
    {
      name: 'a platform',
      text: 'FROM --platform=linux/arm64 a',
      code: 'unsupported',
      message: /line 1: FROM --platform/,
    },
    { name: 'a variable in FROM', text: 'FROM a:$V', code: 'unsupported', message: /variable in FROM/ },
    { name: 'nothing', text: '# nothing\n', code: 'bad-input', message: /no FROM/ },
    { name: 'no FROM first', text: 'COPY a b\nFROM x', code: 'bad-input', message: /first instruction/ },
    {
      name: 'a typing error',
      text: 'FROM a\nCOYP a b',
      code: 'bad-input',
      message: /line 2: COYP is not an instruction/,
    },
    { name: 'COPY of one word', text: 'FROM a\nCOPY a', code: 'bad-input', message: /at least one source/ },
    { name: 'ENV without a value', text: 'FROM a\nENV X', code: 'bad-input', message: /NAME=VALUE/ },
    { name: 'CMD without anything', text: 'FROM a\nCMD', code: 'bad-input', message: /CMD needs an argument/ },
  ];
  for (const { name, text, code, message } of refusals)
    it(`refuses ${name}`, () => {
      assert.throws(
        () => parseDockerfile(text),
        (error: unknown) => {
          assert(isAppError(error, code), String(error));
          assert.match(error.message, message);
          if (code === 'unsupported') assert.match(error.hint ?? '', /docker|write numbers|backslash/);
          return true;
        },
      );
    });
});

describe('expandWord', () => {
  const variables = new Map([
    ['A', 'one'],
    ['EMPTY', ''],
  ]);
  const cases: [word: string, want: string][] = [
    ['$A/x', 'one/x'],
    ['${A}x', 'onex'],
    ['"$A b"', 'one b'],
    ["'$A b'", '$A b'],
    ['\\$A', '$A'],
    ['"\\$A \\n"', '$A \\n'],
    ['${EMPTY:-dflt}', 'dflt'],
    ['${NONE:-$A}', 'one'],
    ['${A:+set}', 'set'],
    ['${NONE:+set}', ''],
    ['$NONE', ''],
    ['a$', 'a$'],
    ['a\\ b', 'a b'],
  ];
  for (const [word, want] of cases) it(word, () => assert.equal(expandWord(word, variables), want));

  it('refuses what it cannot read', () => {
    assert.throws(
      () => expandWord('${A%x}', variables),
      (error: unknown) => isAppError(error, 'unsupported'),
    );
    assert.throws(
      () => expandWord('"open', variables),
      (error: unknown) => isAppError(error, 'bad-input'),
    );
  });

  it('splits at blanks outside quotes', () => {
    assert.deepEqual(splitWords('a="b c"  d=\'e f\' g=h\\ i'), ['a="b c"', "d='e f'", 'g=h\\ i']);
  });
});

describe('parseDockerignore', () => {
  const cases: { rules: string; ignored: string[]; kept: string[] }[] = [
    {
      rules: 'node_modules\n.git',
      ignored: ['node_modules', 'node_modules/a/b', '.git/HEAD'],
      kept: ['a/node_modules', 'src'],
    },
    { rules: '**/node_modules', ignored: ['node_modules', 'a/b/node_modules/c'], kept: ['node_modules2'] },
    { rules: '*.md\n!README.md', ignored: ['a.md'], kept: ['README.md', 'docs/a.md'] },
    { rules: '**/*.test.ts', ignored: ['a.test.ts', 'x/y/a.test.ts'], kept: ['a.ts'] },
    { rules: '# note\n\n/dist/\n', ignored: ['dist', 'dist/x'], kept: ['a/dist'] },
    { rules: '*\n!src\n!package.json', ignored: ['README.md', 'test/x'], kept: ['src', 'src/a/b', 'package.json'] },
    { rules: 'docs/**', ignored: ['docs/a', 'docs/a/b'], kept: ['doc'] },
    { rules: 'a?c\n[x-z]1', ignored: ['abc', 'y1'], kept: ['ac', 'a1'] },
  ];
  for (const { rules, ignored, kept } of cases)
    it(JSON.stringify(rules), () => {
      const { ignores } = parseDockerignore(rules);
      assert.deepEqual([ignored.filter((path) => !ignores(path)), kept.filter(ignores)], [[], []]);
    });
});

describe('pathPattern', () => {
  it('stops at slashes and takes the next character after a backslash literally', () => {
    const matches = (pattern: string, text: string) => pathPattern(pattern, { doubleStar: false }).test(text);
    assert.deepEqual(
      [
        matches('*.json', 'a.json'),
        matches('*.json', 'a/b.json'),
        matches('\\*', '*'),
        matches('\\*', 'a'),
        matches('[!a]', 'b'),
        matches('[^a]', 'a'),
      ],
      [true, false, true, false, true, false],
    );
  });
});
