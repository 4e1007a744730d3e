import { AppError } from '#base/errors.ts';
import type { ActionContext } from './action.ts';
import type { Conclusion } from './job.ts';
import { type Frame, type JobState, pathOf, setJobEnv, stepEnv } from './job-state.ts';
import { localAction } from './local-action.ts';
import type { StepDefinition } from './workflow.ts';

export interface ActionCall {
  frame: Frame;
  env: Record<string, string>;
  inputs: Record<string, string>;
}

export type RunnableAction = (call: ActionCall, signal: AbortSignal) => Promise<Record<string, string>>;

export type StepRunner = (
  state: JobState,
  frame: Frame,
  step: StepDefinition,
  signal: AbortSignal,
) => Promise<Conclusion>;

/** Finds what `uses:` names: a directory of the workspace, or a built-in action. `runStep` runs the steps of composite actions. */
export async function resolveAction(state: JobState, uses: string, runStep: StepRunner): Promise<RunnableAction> {
  if (uses.startsWith('./')) return localAction(state, uses, runStep);
  if (uses.startsWith('docker://')) {
    throw new AppError('unsupported', `${uses}: this runner has no container engine`, {
      hint: 'run the step with docker or buildah on a runner that has one',
    });
  }
  const [name = ''] = uses.split('@');
  const known = Object.keys(state.deps.builtins);
  const found = known.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  const action = found === undefined ? undefined : state.deps.builtins[found];
  if (action === undefined) {
    throw new AppError('unsupported', `the action ${uses} is not available on this runner`, {
      hint: `available are ${known.sort().join(', ')}, and actions of the repository itself as ./path`,
    });
  }
  return async ({ frame, env, inputs }, signal) => {
    const { outputs = {} } = await action(contextOf(state, uses, { frame, env, inputs }), signal);
    return outputs;
  };
}

function contextOf(state: JobState, uses: string, call: ActionCall): ActionContext {
  return {
    uses,
    inputs: call.inputs,
    env: { ...stepEnv(state, call.frame, call.env), PATH: pathOf(state) },
    workspace: state.workspace.workspace,
    tempDir: state.workspace.tempDir,
    stateDir: state.spec.stateDir,
    github: call.frame.github,
    log: (line) => state.log.line(line),
    addMask: (value) => state.mask.add(value),
    setEnv: (name, value) => setJobEnv(state, name, value),
    addPath: (directory) => {
      state.paths.push(directory);
    },
    idToken: async (audience, signal) => {
      const token = await state.spec.idToken(audience, signal);
      state.mask.add(token);
      return token;
    },
    addPost: (run) => {
      state.posts.push({ name: `Post Run ${uses}`, run });
    },
  };
}
