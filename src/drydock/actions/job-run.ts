import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError, explain, messageOf } from '#base/errors.ts';
import { evaluateText, evaluateTexts } from './expression.ts';
import type { Annotation, Conclusion, JobDeps, JobResult, JobSpec, StepState } from './job.ts';
import { JobLog } from './job-log.ts';
import { annotate, type Frame, type JobState, scopeOf } from './job-state.ts';
import { prepareWorkspace } from './job-workspace.ts';
import { SecretMask } from './secret-mask.ts';
import { runStep } from './step-run.ts';
import { member, type Template } from './template.ts';
import type { StepDefinition } from './workflow.ts';

/**
 * Runs the steps of one job one after the other and resolves to how it ended; a failing step is a result, not an error.
 * Aborting `cancel` ends the running step; steps and posts with always() or cancelled() still run, for a limited time.
 * Aborting `stop` ends everything at once.
 */
export async function runJob(
  deps: JobDeps,
  spec: JobSpec,
  signals: { cancel: AbortSignal; stop: AbortSignal },
): Promise<JobResult> {
  const mask = new SecretMask();
  for (const value of Object.values(spec.contexts.secrets)) if (typeof value === 'string') mask.add(value);
  await mkdir(dirname(spec.logFile), { recursive: true });
  await using log = new JobLog({ clock: deps.clock, file: spec.logFile, mask, limitBytes: deps.limits.logBytes });
  const steps = new StepStates(spec, deps);
  const annotations: Annotation[] = [];
  try {
    const state = await setUp({ deps, spec, log, mask, annotations, steps });
    const frame = topFrame(state);
    const deadline = AbortSignal.timeout(jobTimeoutMs(spec, state, frame));
    const onCancel = () => {
      state.canceled = true;
    };
    signals.cancel.addEventListener('abort', onCancel, { once: true });
    if (signals.cancel.aborted) onCancel();
    const running = AbortSignal.any([signals.cancel, signals.stop, deadline]);
    await runSteps(state, frame, { steps, running, stop: signals.stop });
    await runPosts(state, steps, signals.stop);
    if (deadline.aborted && !state.canceled) fail(state, 'The job exceeded its timeout-minutes and was ended.');
    return finish(state, frame);
  } catch (error) {
    log.line(`##[error]${explain(error).replaceAll('\n', ' ')}`);
    steps.failOpen();
    annotations.push({ level: 'failure', message: messageOf(error), path: '.github', line: 1, title: '' });
    return { conclusion: 'failure', outputs: {}, annotations, summary: '', environmentUrl: undefined };
  } finally {
    await rm(spec.directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

interface SetUp {
  deps: JobDeps;
  spec: JobSpec;
  log: JobLog;
  mask: SecretMask;
  annotations: Annotation[];
  steps: StepStates;
}

async function setUp({ deps, spec, log, mask, annotations, steps }: SetUp): Promise<JobState> {
  steps.begin('Set up job');
  const { github } = spec.contexts;
  const repository = typeof github['repository'] === 'string' ? github['repository'] : 'repository';
  const workspace = await prepareWorkspace(spec.directory, repository, github['event']);
  github['workspace'] = workspace.workspace;
  github['event_path'] = workspace.eventPath;
  log.line(`Current runner: ${deps.runnerName} (local processes, no isolation)`);
  log.line(`Job ${spec.job.id} of ${spec.workflow.path}`);
  const run = (defaults: Template | undefined, key: string) => member(member(defaults, 'run'), key);
  const pick = (key: string) => run(spec.job.defaults, key) ?? run(spec.workflow.defaults, key);
  const state: JobState = {
    spec,
    deps,
    log,
    mask,
    workspace,
    annotations,
    defaults: { shell: pick('shell'), workingDirectory: pick('working-directory') },
    posts: [],
    env: {},
    paths: [],
    summary: '',
    failed: false,
    canceled: false,
  };
  const scope = scopeOf(state, topFrame(state));
  state.env = evaluateTexts(spec.workflow.env, scope);
  Object.assign(state.env, evaluateTexts(spec.job.env, scopeOf(state, topFrame(state))));
  if (spec.job.unsupported.length > 0) {
    throw new AppError(
      'unsupported',
      `job ${spec.job.id} uses ${spec.job.unsupported.join(', ')}, which this runner does not have`,
      {
        hint: 'steps run as local processes; remove the key or run this job on a runner with a container engine',
      },
    );
  }
  steps.end('success');
  return state;
}

function topFrame(state: JobState): Frame {
  const { inputs, github } = state.spec.contexts;
  return { inputs, steps: {}, env: {}, github, failed: false, depth: 0 };
}

interface Running {
  steps: StepStates;
  running: AbortSignal;
  stop: AbortSignal;
}

async function runSteps(state: JobState, frame: Frame, { steps, running, stop }: Running): Promise<void> {
  for (const step of state.spec.job.steps) {
    steps.begin(stepName(state, frame, step));
    if (stop.aborted) {
      steps.end('cancelled');
      continue;
    }
    const signal = running.aborted
      ? AbortSignal.any([stop, AbortSignal.timeout(state.deps.limits.cleanupMs)])
      : running;
    if (running.aborted && !state.canceled) frame.failed = true;
    steps.end(await runStep(state, frame, step, signal));
  }
  state.failed ||= frame.failed;
}

async function runPosts(state: JobState, steps: StepStates, stop: AbortSignal): Promise<void> {
  for (const post of state.posts.reverse()) {
    steps.begin(post.name);
    try {
      const signal = AbortSignal.any([stop, AbortSignal.timeout(state.deps.limits.cleanupMs)]);
      await post.run(!state.failed && !state.canceled, signal);
      steps.end('success');
    } catch (error) {
      fail(state, explain(error));
      steps.end('failure');
    }
  }
  steps.begin('Complete job');
  steps.end('success');
}

function fail(state: JobState, message: string): void {
  state.failed = true;
  state.log.line(`##[error]${message.replaceAll('\n', ' ')}`);
  annotate(state, { level: 'failure', message, path: '.github', line: 1, title: '' });
}

function finish(state: JobState, frame: Frame): JobResult {
  const scope = scopeOf(state, frame);
  const outputs: Record<string, string> = {};
  for (const [name, value] of Object.entries(evaluateTexts(state.spec.job.outputs, scope))) {
    if (state.mask.includesSecret(value)) {
      const message = `Skip output '${name}' since it may contain secret.`;
      state.log.line(`##[warning]${message}`);
      annotate(state, { level: 'warning', message, path: '.github', line: 1, title: '' });
    } else outputs[name] = value;
  }
  const environmentUrl = evaluateText(member(state.spec.job.environment, 'url'), scope);
  const conclusion = state.canceled ? 'cancelled' : state.failed ? 'failure' : 'success';
  const summary = state.mask.apply(state.summary);
  return { conclusion, outputs, annotations: state.annotations, summary, environmentUrl };
}

function jobTimeoutMs(spec: JobSpec, state: JobState, frame: Frame): number {
  const minutes = Number(evaluateText(spec.job.timeoutMinutes, scopeOf(state, frame)) ?? 360);
  if (!(minutes > 0)) throw new AppError('bad-input', `timeout-minutes of job ${spec.job.id} is not a positive number`);
  return Math.min(minutes, 35_000) * 60_000;
}

function stepName(state: JobState, frame: Frame, step: StepDefinition): string {
  try {
    const scope = scopeOf(state, frame);
    const name = evaluateText(step.name, scope);
    if (name !== undefined && name !== '') return name;
    if (step.uses !== undefined) return `Run ${step.uses}`;
    return `Run ${(evaluateText(step.run, scope) ?? '').trim().split('\n')[0] ?? ''}`;
  } catch {
    // The mistake is reported where the step itself is evaluated.
    return step.uses ?? step.id;
  }
}

/** The numbered list of steps, reported on each change. */
class StepStates {
  readonly #spec: JobSpec;
  readonly #deps: JobDeps;
  readonly #steps: StepState[] = [];

  constructor(spec: JobSpec, deps: JobDeps) {
    this.#spec = spec;
    this.#deps = deps;
  }

  begin(name: string): void {
    const number = this.#steps.length + 1;
    const startedAt = this.#deps.clock.now();
    this.#steps.push({ number, name, status: 'in_progress', conclusion: null, startedAt, completedAt: null });
    this.#report();
  }

  end(conclusion: Conclusion): void {
    const last = this.#steps.at(-1);
    if (last?.status !== 'in_progress') return;
    Object.assign(last, { status: 'completed', conclusion, completedAt: this.#deps.clock.now() });
    this.#report();
  }

  failOpen(): void {
    this.end('failure');
  }

  #report(): void {
    this.#spec.onSteps(this.#steps.map((step) => ({ ...step })));
  }
}
