import { arch, platform } from 'node:os';
import { delimiter } from 'node:path';
import { AppError } from '#base/errors.ts';
import { evaluateCondition, type Scope, type Value } from './expression.ts';
import type { Annotation, JobDeps, JobSpec } from './job.ts';
import type { JobLog } from './job-log.ts';
import type { JobWorkspace } from './job-workspace.ts';
import type { SecretMask } from './secret-mask.ts';
import type { Template } from './template.ts';
import type { StepDefinition } from './workflow.ts';
import { hashableFiles } from './workspace-files.ts';

export type StepResults = { [id: string]: Value };

/** What steps of one job share and change. Composite actions run in a frame of their own (`inputs`, `steps`). */
export interface JobState {
  readonly spec: JobSpec;
  readonly deps: JobDeps;
  readonly log: JobLog;
  readonly mask: SecretMask;
  readonly workspace: JobWorkspace;
  readonly defaults: { shell: Template | undefined; workingDirectory: Template | undefined };
  readonly annotations: Annotation[];
  readonly posts: { name: string; run: (jobSucceeded: boolean, signal: AbortSignal) => Promise<void> }[];
  env: Record<string, string>;
  paths: string[];
  summary: string;
  failed: boolean;
  canceled: boolean;
}

/** Where a list of steps runs: the job itself, or a composite action inside it. */
export interface Frame {
  inputs: { [key: string]: Value };
  steps: StepResults;
  env: Record<string, string>;
  github: { [key: string]: Value };
  failed: boolean;
  depth: number;
}

const annotationLimit = 50;

export function annotate(state: JobState, annotation: Annotation): void {
  if (state.annotations.length < annotationLimit) {
    state.annotations.push({ ...annotation, message: state.mask.apply(annotation.message) });
  }
}

/** The PATH of the next step: added directories first, the newest foremost. */
export function pathOf(state: JobState): string {
  return [...state.paths.toReversed(), state.deps.env['PATH'] ?? ''].filter(Boolean).join(delimiter);
}

/** Contexts and functions at this point of the job. */
export function scopeOf(state: JobState, frame: Frame, env: Record<string, string> = {}): Scope {
  const { contexts } = state.spec;
  const failed = frame.failed || state.failed;
  return {
    contexts: {
      ...contexts,
      github: frame.github,
      inputs: frame.inputs,
      env: { ...state.env, ...frame.env, ...env },
      steps: frame.steps,
      job: { status: state.canceled ? 'cancelled' : failed ? 'failure' : 'success' },
      runner: runnerContext(state),
    },
    status: { success: !failed && !state.canceled, failure: failed && !state.canceled, canceled: state.canceled },
    hashFiles: (patterns) => hashableFiles(state.workspace.workspace, patterns),
  };
}

export function conditionHolds(state: JobState, frame: Frame, step: StepDefinition): boolean {
  return evaluateCondition(step.if, scopeOf(state, frame));
}

export function runnerContext(state: JobState): { [key: string]: Value } {
  const names: Partial<Record<string, string>> = { linux: 'Linux', darwin: 'macOS', win32: 'Windows' };
  return {
    name: state.deps.runnerName,
    os: names[platform()] ?? 'Linux',
    arch: arch() === 'arm64' ? 'ARM64' : 'X64',
    temp: state.workspace.tempDir,
    tool_cache: state.workspace.toolCache,
    environment: 'self-hosted',
    debug: '',
  };
}

/** Refuses the variables GitHub protects: NODE_OPTIONS and everything that starts with GITHUB_ or RUNNER_. */
export function setJobEnv(state: JobState, name: string, value: string): void {
  if (name === 'NODE_OPTIONS' || name.startsWith('GITHUB_') || name.startsWith('RUNNER_')) {
    throw new AppError('forbidden', `a step may not set the variable ${name} for later steps`);
  }
  state.env[name] = value;
}

/** The whole environment of a step. */
export function stepEnv(state: JobState, frame: Frame, env: Record<string, string>): Record<string, string> {
  const { github } = frame;
  const runner = runnerContext(state);
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  return {
    ...state.deps.env,
    ...state.env,
    ...frame.env,
    ...env,
    ...state.spec.githubEnv,
    PATH: pathOf(state),
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_WORKSPACE: state.workspace.workspace,
    GITHUB_EVENT_PATH: state.workspace.eventPath,
    ...(typeof github['action_path'] === 'string' ? { GITHUB_ACTION_PATH: github['action_path'] } : {}),
    HOME: state.deps.env['HOME'] ?? state.workspace.tempDir,
    RUNNER_NAME: state.deps.runnerName,
    RUNNER_OS: text(runner['os']),
    RUNNER_ARCH: text(runner['arch']),
    RUNNER_TEMP: state.workspace.tempDir,
    RUNNER_TOOL_CACHE: state.workspace.toolCache,
    RUNNER_ENVIRONMENT: 'self-hosted',
  };
}
