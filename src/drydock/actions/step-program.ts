import { AppError } from '#base/errors.ts';
import { parseCommand, type WorkflowCommand } from './command.ts';
import { parseCommandFile } from './command-file.ts';
import { annotate, type Frame, type JobState, setJobEnv, stepEnv } from './job-state.ts';
import { type CommandFiles, makeCommandFiles, readCommandFile } from './job-workspace.ts';
import { runStepProcess } from './step-process.ts';

/** A step that ended badly but still left outputs. */
export class StepFailure extends AppError {
  readonly outputs: Record<string, string>;

  constructor(message: string, outputs: Record<string, string>) {
    super('tool-failed', message);
    this.outputs = outputs;
  }
}

export interface Program {
  frame: Frame;
  env: Record<string, string>;
  command: string;
  args: string[];
  cwd: string;
  /** Unique within the job. */
  key: string;
}

/** Runs a program as part of a step: its commands and command files take effect, a non-zero exit code fails it. */
export async function runProgram(
  state: JobState,
  program: Program,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const files = await makeCommandFiles(state.workspace, program.key);
  const outputs: Record<string, string> = {};
  const commands = commandReader(state, outputs);
  const env = { ...stepEnv(state, program.frame, program.env), ...fileEnv(files) };
  const { command, args, cwd } = program;
  const killGraceMs = state.deps.limits.killGraceMs;
  const code = await runStepProcess({ command, args, cwd, env, killGraceMs, onLine: commands }, signal);
  await applyFiles(state, files, outputs);
  if (signal.aborted) throw new StepFailure('The operation was canceled.', outputs);
  if (code !== 0) throw new StepFailure(`Process completed with exit code ${code}.`, outputs);
  return outputs;
}

async function applyFiles(state: JobState, files: CommandFiles, outputs: Record<string, string>): Promise<void> {
  const [output, env, path, summary] = await Promise.all(
    [files.output, files.env, files.path, files.summary].map(readCommandFile),
  );
  Object.assign(outputs, parseCommandFile(output ?? '', 'GITHUB_OUTPUT'));
  for (const [name, value] of Object.entries(parseCommandFile(env ?? '', 'GITHUB_ENV'))) setJobEnv(state, name, value);
  state.paths.push(...(path ?? '').split(/\r?\n/).filter(Boolean));
  state.summary += summary ?? '';
}

function fileEnv(files: CommandFiles): Record<string, string> {
  return {
    GITHUB_OUTPUT: files.output,
    GITHUB_ENV: files.env,
    GITHUB_PATH: files.path,
    GITHUB_STATE: files.state,
    GITHUB_STEP_SUMMARY: files.summary,
  };
}

/** Reads the workflow commands in a step's output; other lines go to the log as they are. */
function commandReader(state: JobState, outputs: Record<string, string>): (line: string) => void {
  let stopped: string | undefined;
  return (line) => {
    const command = parseCommand(line);
    if (stopped !== undefined) {
      if (command?.name === stopped.toLowerCase()) stopped = undefined;
      state.log.line(line);
    } else if (command === undefined) state.log.line(line);
    else if (command.name === 'stop-commands') stopped = command.message;
    else applyCommand(state, command, { line, outputs });
  };
}

const levels: Partial<Record<string, 'failure' | 'warning' | 'notice'>> = {
  error: 'failure',
  warning: 'warning',
  notice: 'notice',
};

function applyCommand(
  state: JobState,
  command: WorkflowCommand,
  at: { line: string; outputs: Record<string, string> },
): void {
  const { name, properties, message } = command;
  const level = levels[name];
  if (level !== undefined) {
    state.log.line(`##[${name}]${message}`);
    const { file = '.github', line = '1', title = '' } = properties;
    annotate(state, { level, message, path: file, line: Number(line) || 1, title });
    return;
  }
  switch (name) {
    case 'add-mask':
      state.mask.add(message);
      state.log.line('::add-mask::***');
      return;
    case 'set-output':
      if (properties['name'] !== undefined) at.outputs[properties['name']] = message;
      return;
    case 'group':
    case 'endgroup':
    case 'debug':
      state.log.line(`##[${name}]${message}`);
      return;
    case 'set-env':
    case 'add-path':
      state.log.line(`##[error]The command ${name} is disabled: write to GITHUB_ENV or GITHUB_PATH instead.`);
      return;
    case 'save-state':
      return;
    default:
      state.log.line(at.line);
  }
}
