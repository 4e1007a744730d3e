import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AppError, explain } from '#base/errors.ts';
import { resolveAction } from './action-step.ts';
import { evaluate, evaluateText, evaluateTexts, isTruthy } from './expression.ts';
import type { Conclusion } from './job.ts';
import { annotate, conditionHolds, type Frame, type JobState, pathOf, scopeOf } from './job-state.ts';
import { shellCommand } from './shell.ts';
import { runProgram, StepFailure } from './step-program.ts';
import type { StepDefinition } from './workflow.ts';

/** Runs one step if its condition holds, records its result in the frame, and resolves to its conclusion. */
export async function runStep(
  state: JobState,
  frame: Frame,
  step: StepDefinition,
  signal: AbortSignal,
): Promise<Conclusion> {
  let outcome: Conclusion = 'skipped';
  let outputs: Record<string, string> = {};
  let mayFail = false;
  try {
    if (conditionHolds(state, frame, step)) {
      mayFail = step.continueOnError !== undefined && isTruthy(evaluate(step.continueOnError, scopeOf(state, frame)));
      const limited = withTimeout(state, frame, step, signal);
      outputs =
        step.uses === undefined
          ? await runScript(state, frame, step, limited)
          : await runAction(state, frame, step, limited);
      outcome = 'success';
    }
  } catch (error) {
    outcome = state.canceled && signal.aborted ? 'cancelled' : 'failure';
    if (error instanceof StepFailure) outputs = error.outputs;
    const text =
      signal.aborted && !state.canceled
        ? `The step was ended: it took longer than its limit. ${explain(error)}`
        : explain(error);
    state.log.line(`##[error]${text.replaceAll('\n', ' ')}`);
    annotate(state, { level: 'failure', message: text, path: '.github', line: 1, title: '' });
  }
  const conclusion = outcome === 'failure' && mayFail ? 'success' : outcome;
  if (conclusion === 'failure') frame.failed = true;
  if (step.id !== '') frame.steps[step.id] = { outputs, outcome, conclusion };
  return conclusion;
}

function withTimeout(state: JobState, frame: Frame, step: StepDefinition, signal: AbortSignal): AbortSignal {
  const text = evaluateText(step.timeoutMinutes, scopeOf(state, frame));
  if (text === undefined) return signal;
  const minutes = Number(text);
  if (!(minutes > 0)) throw new AppError('bad-input', `timeout-minutes is not a positive number: ${text}`);
  return AbortSignal.any([signal, AbortSignal.timeout(Math.min(minutes, 35_000) * 60_000)]);
}

async function runScript(
  state: JobState,
  frame: Frame,
  step: StepDefinition,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const env = evaluateTexts(step.env, scopeOf(state, frame));
  const scope = scopeOf(state, frame, env);
  const script = evaluateText(step.run, scope) ?? '';
  const shell = evaluateText(step.shell ?? (frame.depth === 0 ? state.defaults.shell : undefined), scope);
  const folder =
    evaluateText(step.workingDirectory ?? (frame.depth === 0 ? state.defaults.workingDirectory : undefined), scope) ??
    '.';
  const key = `${state.log.nextKey()}`;
  const file = join(state.workspace.tempDir, `step-${key}.sh`);
  await writeFile(file, `${script}\n`, { mode: 0o700 });
  const { command, args } = shellCommand(shell, file, pathOf(state));
  logGroup(state, script, `shell: ${[command, ...args].join(' ').replace(file, '{0}')}`, env);
  return runProgram(state, { frame, env, command, args, cwd: resolve(state.workspace.workspace, folder), key }, signal);
}

function logGroup(state: JobState, script: string, shell: string, env: Record<string, string>): void {
  const [first = '', ...rest] = script.trimEnd().split('\n');
  state.log.line(`##[group]Run ${first}`);
  for (const line of [first, ...rest, shell]) state.log.line(line);
  const shown = Object.entries({ ...state.env, ...env });
  if (shown.length > 0) state.log.line('env:');
  for (const [name, value] of shown) state.log.line(`  ${name}: ${value.split('\n')[0] ?? ''}`);
  state.log.line('##[endgroup]');
}

async function runAction(
  state: JobState,
  frame: Frame,
  step: StepDefinition,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const env = evaluateTexts(step.env, scopeOf(state, frame));
  const inputs = Object.fromEntries(
    Object.entries(evaluateTexts(step.with, scopeOf(state, frame, env))).map(([name, value]) => [
      name.toLowerCase(),
      value,
    ]),
  );
  state.log.line(`##[group]Run ${step.uses}`);
  for (const [name, value] of Object.entries(inputs)) state.log.line(`  ${name}: ${value.split('\n')[0] ?? ''}`);
  state.log.line('##[endgroup]');
  const run = await resolveAction(state, step.uses ?? '', runStep);
  return run({ frame, env, inputs }, signal);
}
