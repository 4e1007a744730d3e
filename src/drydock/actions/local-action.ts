import { readFile } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { AppError } from '#base/errors.ts';
import { type ActionDefinition, parseActionFile } from './action-file.ts';
import type { RunnableAction, StepRunner } from './action-step.ts';
import { evaluateTexts, type Scope } from './expression.ts';
import { type Frame, type JobState, scopeOf } from './job-state.ts';
import { runProgram, StepFailure } from './step-program.ts';

/** An action kept in the repository itself: composite steps, or a script for Node. */
export async function localAction(state: JobState, uses: string, runStep: StepRunner): Promise<RunnableAction> {
  const root = state.workspace.workspace;
  const directory = resolve(root, uses);
  if (directory !== root && !directory.startsWith(root + sep)) {
    throw new AppError('forbidden', `the action ${uses} lies outside the workspace`);
  }
  const definition = await readAction(directory, uses);
  return async ({ frame, env, inputs }, signal) => {
    if (frame.depth >= state.deps.limits.actionDepth) {
      throw new AppError(
        'limit',
        `actions call each other more than ${state.deps.limits.actionDepth} levels deep at ${uses}`,
      );
    }
    const inner: Frame = {
      inputs: inputsFor(definition, inputs, scopeOf(state, frame), uses),
      steps: {},
      env: { ...frame.env, ...env },
      github: { ...frame.github, action_path: directory },
      failed: false,
      depth: frame.depth + 1,
    };
    return definition.kind === 'composite'
      ? runComposite(state, inner, { definition, runStep }, signal)
      : runNodeAction(state, inner, { definition, directory }, signal);
  };
}

async function readAction(directory: string, uses: string): Promise<ActionDefinition> {
  for (const name of ['action.yml', 'action.yaml']) {
    let text: string;
    try {
      text = await readFile(join(directory, name), 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') continue;
      throw error;
    }
    return parseActionFile(`${uses}/${name}`, text);
  }
  throw new AppError('not-found', `no action.yml in ${uses}`, { hint: 'is actions/checkout run before this step?' });
}

function inputsFor(
  definition: ActionDefinition,
  given: Record<string, string>,
  scope: Scope,
  uses: string,
): Record<string, string> {
  const inputs = { ...evaluateTexts(definition.inputDefaults, scope), ...given };
  const missing = definition.requiredInputs.filter((name) => inputs[name] === undefined);
  if (missing.length > 0) throw new AppError('bad-input', `${uses}: missing input ${missing.join(', ')}`);
  return inputs;
}

async function runComposite(
  state: JobState,
  frame: Frame,
  { definition, runStep }: { definition: Extract<ActionDefinition, { kind: 'composite' }>; runStep: StepRunner },
  signal: AbortSignal,
): Promise<Record<string, string>> {
  for (const step of definition.steps) await runStep(state, frame, step, signal);
  const outputs = evaluateTexts(definition.outputs, scopeOf(state, frame));
  if (frame.failed) throw new StepFailure('A step of the action failed.', outputs);
  if (signal.aborted) throw new StepFailure('The operation was canceled.', outputs);
  return outputs;
}

async function runNodeAction(
  state: JobState,
  frame: Frame,
  { definition, directory }: { definition: Extract<ActionDefinition, { kind: 'node' }>; directory: string },
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const env: Record<string, string> = { ...frame.env };
  for (const [name, value] of Object.entries(frame.inputs)) {
    env[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`] = String(value);
  }
  const run = (script: string, until: AbortSignal) =>
    runProgram(
      state,
      {
        frame,
        env,
        command: 'node',
        args: [join(directory, script)],
        cwd: state.workspace.workspace,
        key: state.log.nextKey(),
      },
      until,
    );
  const { post } = definition;
  if (post !== undefined) {
    state.posts.push({
      name: `Post ${directory}`,
      run: async (_succeeded, until) => {
        await run(post, until);
      },
    });
  }
  return run(definition.main, signal);
}
