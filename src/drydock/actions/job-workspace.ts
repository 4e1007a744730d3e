import { appendFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#base/errors.ts';

/** The directories of a running job. */
export interface JobWorkspace {
  workspace: string;
  tempDir: string;
  toolCache: string;
  eventPath: string;
  commandDir: string;
}

/** Makes empty directories for a job, as a hosted runner lays them out, and writes the event's payload. */
export async function prepareWorkspace(directory: string, repository: string, event: unknown): Promise<JobWorkspace> {
  const name = repository.split('/')[1] ?? 'workspace';
  const made: JobWorkspace = {
    workspace: join(directory, name, name),
    tempDir: join(directory, '_temp'),
    toolCache: join(directory, '_tool'),
    commandDir: join(directory, '_temp', '_runner_file_commands'),
    eventPath: join(directory, '_temp', '_github_workflow', 'event.json'),
  };
  await rm(directory, { recursive: true, force: true });
  await Promise.all([
    mkdir(made.workspace, { recursive: true }),
    mkdir(made.toolCache, { recursive: true }),
    mkdir(made.commandDir, { recursive: true }),
    mkdir(join(made.tempDir, '_github_workflow'), { recursive: true }),
  ]);
  await writeFile(made.eventPath, JSON.stringify(event, undefined, 2));
  return made;
}

/** Files a step writes to in order to talk to the runner. */
export interface CommandFiles {
  output: string;
  env: string;
  path: string;
  state: string;
  summary: string;
}

export async function makeCommandFiles(workspace: JobWorkspace, key: string): Promise<CommandFiles> {
  const file = (name: string) => join(workspace.commandDir, `${name}_${key}`);
  const files: CommandFiles = {
    output: file('set_output'),
    env: file('set_env'),
    path: file('add_path'),
    state: file('save_state'),
    summary: file('step_summary'),
  };
  await Promise.all(Object.values(files).map((path: string) => appendFile(path, '')));
  return files;
}

export const commandFileLimit = 1024 * 1024;

/** Content of a command file; empty when the step removed it. */
export async function readCommandFile(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > commandFileLimit) {
      throw new AppError('limit', `a step wrote ${size} bytes to a command file; at most ${commandFileLimit} are read`);
    }
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}
