import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { argumentVector, defaultPath, resolveCommand } from './command.ts';
import { imageId } from './image.ts';
import { buildRootView, realPath } from './root-view.ts';

let root = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'drydock-root-'));
  await put('usr/local/bin/tool', 'binary');
  await put('app/run.sh', '#!/usr/bin/env tool -x\n');
  await put('app/plain.txt', 'x', 0o644);
  await symlink('/usr/local/bin/tool', join(root, 'usr/local/bin/alias'));
});
after(() => rm(root, { recursive: true, force: true }));

async function put(path: string, content: string, mode = 0o755): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
  await chmod(join(root, path), mode);
}

const vectors: { name: string; command?: string[]; args?: string[]; want: string[] }[] = [
  { name: 'the image alone', want: ['entry', 'cmd'] },
  { name: 'args replace Cmd', args: ['a'], want: ['entry', 'a'] },
  { name: 'command replaces both', command: ['c'], want: ['c'] },
  { name: 'command and args', command: ['c'], args: ['a'], want: ['c', 'a'] },
];
for (const { name, command = [], args = [], want } of vectors)
  test(`arguments: ${name}`, () =>
    assert.deepEqual(argumentVector({ command, args, config: { Entrypoint: ['entry'], Cmd: ['cmd'] } }), want));

const rows: { name: string; command: string[]; workingDir?: string; want: string[] | RegExp }[] = [
  { name: 'by PATH', command: ['tool', 'a'], want: ['<root>/usr/local/bin/tool', 'a'] },
  { name: 'by absolute path', command: ['/usr/local/bin/tool'], want: ['<root>/usr/local/bin/tool'] },
  { name: 'by an absolute link of the image', command: ['alias'], want: ['<root>/usr/local/bin/tool'] },
  {
    name: 'relative to the working directory',
    command: ['./run.sh', 'a'],
    workingDir: '/app',
    want: ['<root>/usr/local/bin/tool', '-x', '<root>/app/run.sh', 'a'],
  },
  {
    name: 'absolute arguments that exist',
    command: ['tool', '/app/plain.txt', '/none', '/'],
    want: ['<root>/usr/local/bin/tool', '<root>/app/plain.txt', '/none', '/'],
  },
  { name: 'absent', command: ['none'], want: /exec: "none": executable file not found in \$PATH/ },
  { name: 'absent by path', command: ['/none'], want: /exec: "\/none": stat \/none: no such file or directory/ },
  { name: 'not executable', command: ['/app/plain.txt'], want: /exec: "\/app\/plain.txt"/ },
  { name: 'a way out of the root', command: ['/../../../../../../bin/ls'], want: /no such file/ },
  { name: 'nothing', command: [], want: /no command specified/ },
];
for (const { name, command, workingDir, want } of rows)
  test(`program: ${name}`, async () => {
    const input = { command, args: [], workingDir, config: {}, root, path: defaultPath, hostPath: '' };
    if (want instanceof RegExp) return assert.rejects(resolveCommand(input), want);
    const found = await resolveCommand(input);
    assert.deepEqual(
      [found.file, ...found.args].map((word) => word.replace(root, '<root>')),
      want,
    );
    assert.equal(found.cwd, join(root, workingDir ?? '/'));
  });

test('sh comes from the machine when the image has none', async () => {
  const input = {
    command: ['/bin/sh', '-c', 'x'],
    args: [],
    workingDir: undefined,
    config: {},
    root,
    path: defaultPath,
  };
  assert.equal((await resolveCommand({ ...input, hostPath: '/bin' })).file, '/bin/sh');
});

test('a view shows the mount among the files of the image', async () => {
  const view = join(root, '..', `${root.split('/').at(-1)}-view`);
  await buildRootView(root, view, [{ path: '/app/config', source: '/somewhere/volume' }]);
  const { readlink, lstat } = await import('node:fs/promises');
  assert.equal(await readlink(join(view, 'app', 'config')), '/somewhere/volume');
  assert.ok((await lstat(join(view, 'app', 'plain.txt'))).isFile());
  assert.equal(await readlink(join(view, 'usr')), join(root, 'usr'));
  await rm(view, { recursive: true });
});

test('paths below a mount are told by where they really are', () => {
  const mounts = [
    { path: '/etc/app', source: '/v/one' },
    { path: '/etc/app/deep/', source: '/v/two' },
  ];
  assert.equal(realPath('/etc/app/x.yaml', mounts), '/v/one/x.yaml');
  assert.equal(realPath('/etc/app/deep/y', mounts), '/v/two/y');
  assert.equal(realPath('/etc/apple', mounts), '/etc/apple');
});

for (const [image, want] of [
  ['a/b:1', 'a/b@sha256:x'],
  ['127.0.0.1:5000/a/b', '127.0.0.1:5000/a/b@sha256:x'],
  ['127.0.0.1:5000/a/b:1.2', '127.0.0.1:5000/a/b@sha256:x'],
  ['a@sha256:y', 'a@sha256:x'],
] as const)
  test(`image id of ${image}`, () => assert.equal(imageId(image, 'sha256:x'), want));
