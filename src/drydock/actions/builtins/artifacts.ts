import { cp, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { AppError } from '#base/errors.ts';
import type { ActionContext, BuiltinAction } from '../action.ts';
import { matchingPaths } from '../workspace-files.ts';

/** `actions/upload-artifact`: keeps files of the workspace under a name for later jobs of the same run. */
export const uploadArtifact: BuiltinAction = async (context) => {
  const name = context.inputs['name'] || 'artifact';
  const target = artifactDir(context, name);
  const files = matchingPaths(context.workspace, (context.inputs['path'] ?? '').split('\n'));
  if (files.length === 0) return noFiles(context);
  if ((await exists(target)) && context.inputs['overwrite'] !== 'true') {
    throw new AppError('conflict', `an artifact named ${name} exists already in this run`);
  }
  const root = commonRoot(files);
  const temporary = `${target}.new`;
  await rm(temporary, { recursive: true, force: true });
  for (const file of files) {
    const to = join(temporary, relative(root, file));
    await mkdir(dirname(to), { recursive: true });
    await cp(join(context.workspace, file), to);
  }
  await rm(target, { recursive: true, force: true });
  await rename(temporary, target);
  context.log(`Artifact ${name}: ${files.length} files`);
  return { outputs: { 'artifact-id': name } };
};

function noFiles(context: ActionContext): { outputs: Record<string, string> } {
  const message = `No files were found with the path: ${context.inputs['path'] ?? ''}`;
  if (context.inputs['if-no-files-found'] === 'error') throw new AppError('not-found', message);
  if (context.inputs['if-no-files-found'] !== 'ignore') context.log(`##[warning]${message}`);
  return { outputs: {} };
}

/** `actions/download-artifact`: one artifact of the run by name, or all of them, each in a directory of its own. */
export const downloadArtifact: BuiltinAction = async (context) => {
  const name = context.inputs['name'];
  const target = resolve(context.workspace, context.inputs['path'] || '.');
  if (target !== context.workspace && !target.startsWith(context.workspace + sep)) {
    throw new AppError('bad-input', `${context.uses}: path lies outside the workspace`);
  }
  await mkdir(target, { recursive: true });
  if (name) {
    const source = artifactDir(context, name);
    if (!(await exists(source))) throw new AppError('not-found', `no artifact named ${name} in this run`);
    await cp(source, target, { recursive: true });
  } else {
    const all = dirname(artifactDir(context, 'any'));
    const names = (await exists(all)) ? await readdir(all) : [];
    for (const each of names) await cp(join(all, each), join(target, each), { recursive: true });
  }
  return { outputs: { 'download-path': target } };
};

function artifactDir(context: ActionContext, name: string): string {
  if (!/^[^/\\:*?"<>|\r\n]{1,200}$/.test(name) || name.startsWith('.')) {
    throw new AppError('bad-input', `${JSON.stringify(name)} is not a valid name of an artifact`);
  }
  return join(context.stateDir, 'artifacts', String(context.github['run_id']), name);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The deepest directory that all files share, which is left out of their names in the artifact. */
function commonRoot(files: string[]): string {
  let root = dirname(files[0] ?? '.');
  while (root !== '.' && !files.every((file) => file.startsWith(root + sep))) root = dirname(root);
  return root;
}
