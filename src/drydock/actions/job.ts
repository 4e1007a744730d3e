import type { Clock } from '#base/clock.ts';
import type { Builtins } from './action.ts';
import type { Value } from './expression.ts';
import type { JobDefinition, Workflow } from './workflow.ts';

export type Conclusion = 'success' | 'failure' | 'cancelled' | 'skipped';

/** A step as the forge shows it. Times are milliseconds since the epoch. */
export interface StepState {
  number: number;
  name: string;
  status: 'queued' | 'in_progress' | 'completed';
  conclusion: Conclusion | null;
  startedAt: number | null;
  completedAt: number | null;
}

/** An `::error::`, `::warning::` or `::notice::` of a step. */
export interface Annotation {
  level: 'failure' | 'warning' | 'notice';
  message: string;
  path: string;
  line: number;
  title: string;
}

export interface JobResult {
  conclusion: 'success' | 'failure' | 'cancelled';
  outputs: Record<string, string>;
  annotations: Annotation[];
  summary: string;
  environmentUrl: string | undefined;
}

export type Contexts = Record<
  'github' | 'vars' | 'secrets' | 'needs' | 'inputs' | 'matrix' | 'strategy',
  { [key: string]: Value }
>;

/** Everything one job needs, as values. */
export interface JobSpec {
  workflow: Workflow;
  job: JobDefinition;
  contexts: Contexts;
  /** Made for this job and removed after it. */
  directory: string;
  /** Caches and artifacts, kept between jobs. */
  stateDir: string;
  logFile: string;
  /** GITHUB_* variables the forge knows: server, API, run, job, token endpoints. */
  githubEnv: Record<string, string>;
  idToken(audience: string, signal: AbortSignal): Promise<string>;
  /** Called after each change of a step. */
  onSteps(steps: StepState[]): void;
}

export interface JobDeps {
  clock: Clock;
  builtins: Builtins;
  /** The clean environment of every step; PATH is required. */
  env: Record<string, string>;
  runnerName: string;
  limits: JobLimits;
}

export interface JobLimits {
  logBytes: number;
  killGraceMs: number;
  /** For steps that run after a cancellation. */
  cleanupMs: number;
  /** Depth of composite actions within each other. */
  actionDepth: number;
}

export const defaultJobLimits: JobLimits = {
  logBytes: 16 * 1024 * 1024,
  killGraceMs: 2_000,
  cleanupMs: 60_000,
  actionDepth: 9,
};
