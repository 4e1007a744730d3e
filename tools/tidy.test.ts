import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');

/** Which areas an area may import. `ports` may be imported, for their types, from anywhere above `model`. */
const layers: Record<string, string[]> = {
  base: [],
  model: ['base'],
  store: ['base'],
  git: ['base'],
  kube: ['base'],
  oci: ['base'],
  forge: ['base'],
  lua: ['base'],
  jq: ['base'],
  jsonnet: ['base'],
  template: ['base'],
  health: ['base', 'model', 'kube', 'lua'],
  build: ['base', 'oci'],
  desired: ['base', 'model', 'git'],
  render: ['base', 'model', 'git', 'kube', 'oci', 'jsonnet'],
  trace: ['base', 'model', 'store', 'git', 'kube', 'oci', 'forge'],
  sync: ['base', 'model', 'kube', 'health', 'jq'],
  apps: ['base', 'model', 'git', 'kube', 'health', 'render', 'sync', 'desired'],
  appsets: ['base', 'model', 'git', 'kube', 'forge', 'template', 'jq'],
  controllers: ['base', 'model', 'git', 'kube', 'forge', 'health', 'render', 'sync', 'apps', 'appsets', 'trace'],
  server: ['base', 'model', 'apps', 'template', 'trace'],
  cli: ['base', 'model', 'apps', 'trace', 'desired', 'build', 'oci', 'render', 'health', 'sync', 'appsets'],
  drydock: ['base'],
};
const ports = /^#(?:apps\/port|trace\/event|git\/port|kube\/port|oci\/port|forge\/port)\.ts$/;

/** What only some rooms may do; everywhere else it hides a dependency or a decision. */
const banned: { name: string; pattern: RegExp; allowed: RegExp }[] = [
  { name: 'process.env', pattern: /\bprocess\.env\b/, allowed: /^(src\/main|test|tools|bench|web)\// },
  { name: 'process.argv', pattern: /\bprocess\.argv\b/, allowed: /^(src\/main|test|tools|bench)\// },
  { name: 'process.exit', pattern: /\bprocess\.exit\b/, allowed: /^(src\/main|tools|bench)\// },
  { name: 'Date.now', pattern: /\bDate\.now\(|new Date\(\)/, allowed: /^(src\/main|test|tools|bench|web)\// },
  { name: 'Math.random', pattern: /\bMath\.random\(/, allowed: /^(src\/main|test|tools|bench)\// },
  { name: 'crypto randomness', pattern: /\brandom(?:UUID|Bytes|Int)\(/, allowed: /^(src\/main|test|tools|bench)\// },
  {
    name: 'child processes',
    pattern: /from 'node:child_process'/,
    allowed: /^(src\/main|src\/git|src\/render|src\/drydock\/(?:forge|actions|kubernetes\/agent)|test|tools|bench)\//,
  },
  { name: 'as any', pattern: /\bas any\b|<any>/, allowed: /^$/ },
  { name: 'JSON.parse as', pattern: /JSON\.parse\([^)]*\) as\b/, allowed: /^$/ },
  { name: 'type-check escape', pattern: /@ts-(?:ignore|expect-error|nocheck)/, allowed: /^$/ },
  { name: 'focused or skipped test', pattern: /\b(?:test|it|describe)\.(?:only|skip)\(/, allowed: /^$/ },
  { name: 'left-over mark', pattern: /\b(?:TODO|FIXME|XXX)\b/, allowed: /^$/ },
];

const workplace = /\/work\/(?:main|shared)|\/tmp\/helpers|\/farm\//;

function tracked(): string[] {
  const git = spawnSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  assert.equal(git.status, 0, git.stderr);
  return git.stdout.split('\n').filter((path) => path && existsSync(join(root, path)));
}

const files = tracked();
const sources = files.filter(
  (path) => /\.(?:ts|tsx|mjs)$/.test(path) && !path.startsWith('examples/') && path !== 'tools/tidy.test.ts',
);
const read = (path: string) => readFileSync(join(root, path), 'utf8');

function importsOf(text: string): string[] {
  // A statement's own `from`: texts have that word too.
  const statements = /(?:^(?:import|export)\b[^'"`;()]*?\bfrom\s+|\bimport\s*\(?\s*)'([^']+)'/gm;
  return [...text.matchAll(statements)].map((match) => match[1] ?? '');
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

test('files stay rooms: 500 lines of source, 600 of test', () => {
  const large = sources
    .map((path) => ({ path, lines: read(path).split('\n').length - 1 }))
    .filter(({ path, lines }) => lines > (path.endsWith('.test.ts') ? 600 : 500));
  assert.deepEqual(large, []);
});

test('areas import only what stands below them', () => {
  const wrong: string[] = [];
  for (const path of sources) {
    const area = /^src\/([^/]+)\//.exec(path)?.[1];
    if (area === undefined || area === 'main') continue;
    const allowed = layers[area];
    assert.ok(allowed, `${path}: src/${area} is no area of docs/architecture.md`);
    if (path.endsWith('.test.ts')) continue;
    for (const specifier of importsOf(read(path))) {
      const target = /^#([^/]+)\//.exec(specifier)?.[1];
      if (target === undefined || target === area || allowed.includes(target)) continue;
      if (ports.test(specifier) && area !== 'base' && area !== 'drydock') continue;
      wrong.push(`${path} imports ${specifier}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('no test holds a timer that runs while other files are tested', () => {
  const wrong = sources.filter((path) => /^(?:export )?const \w+ = AbortSignal\.timeout/m.test(read(path)));
  assert.deepEqual(wrong, []);
});

test('relative imports stay inside their area', () => {
  const wrong: string[] = [];
  for (const path of sources.filter((file) => file.startsWith('src/'))) {
    for (const specifier of importsOf(read(path)).filter((name) => name.startsWith('.'))) {
      const target = join(dirname(path), specifier);
      const inTests = path.endsWith('.test.ts') && target.startsWith('test/');
      if (target.split('/')[1] !== path.split('/')[1] && !inTests) wrong.push(`${path} imports ${specifier}`);
      if (!existsSync(join(root, target))) wrong.push(`${path} imports ${specifier}, which is not there`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('nothing banned stands outside its room', () => {
  const wrong: string[] = [];
  for (const path of sources) {
    const text = read(path);
    for (const rule of banned) {
      if (rule.allowed.test(path)) continue;
      if (path.endsWith('.test.ts') && /process|Date|Math|crypto|child/.test(rule.name)) continue;
      const line = text.split('\n').findIndex((content) => rule.pattern.test(content));
      if (line >= 0) wrong.push(`${path}:${line + 1} ${rule.name}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('every package is declared, and has its sentence in a decision record', () => {
  const manifest: { dependencies: object; devDependencies: object } = JSON.parse(read('package.json'));
  const declared = new Set([...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)]);
  const decisions = files
    .filter((path) => path.startsWith('docs/decisions/'))
    .map(read)
    .join('\n');
  const used = new Set<string>();
  for (const path of sources) {
    for (const specifier of importsOf(read(path))) {
      if (/^(?:\.|#|node:|virtual:)/.test(specifier) || !/^@?[a-z]/.test(specifier)) continue;
      used.add(packageOf(specifier));
    }
  }
  assert.deepEqual(
    [...used].filter((name) => !declared.has(name)),
    [],
    'imported, not declared',
  );
  assert.deepEqual(
    [...declared].filter((name) => !decisions.includes(`\`${name}\``)),
    [],
    'declared, without a decision',
  );
});

test('links in the documents lead somewhere', () => {
  const wrong: string[] = [];
  for (const path of files.filter((file) => file.endsWith('.md') && !file.startsWith('examples/'))) {
    for (const match of read(path).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      const target = match[1] ?? '';
      if (/^[a-z]+:/.test(target)) continue;
      if (!existsSync(join(root, dirname(path), target))) wrong.push(`${path}: ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('no file speaks of the place it was written in', () => {
  const wrong = files
    .filter((path) => path !== 'tools/tidy.test.ts' && !/\.(?:png|json)$/.test(path))
    .filter((path) => workplace.test(read(path)));
  assert.deepEqual(wrong, []);
});
