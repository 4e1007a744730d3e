import type { Value } from './expression.ts';

/** What a built-in action is given. Paths are absolute; everything written by `log` has the job's secrets masked. */
export interface ActionContext {
  /** The reference as written in the workflow, such as `actions/checkout@v4`. */
  uses: string;
  /** Values of `with`, names in lower case, expressions evaluated. */
  inputs: Readonly<Record<string, string>>;
  /** The environment a `run` step would have here, PATH included. */
  env: Readonly<Record<string, string>>;
  /** GITHUB_WORKSPACE. */
  workspace: string;
  /** RUNNER_TEMP: exists, emptied with the job. */
  tempDir: string;
  /** Kept between runs of one repository: caches and artifacts. */
  stateDir: string;
  /** The `github` context, with `token`, `event`, `server_url`, `repository`, `sha`, `ref`, ... */
  github: Readonly<Record<string, Value>>;
  log(line: string): void;
  addMask(value: string): void;
  /** Sets a variable for the steps that follow. */
  setEnv(name: string, value: string): void;
  /** Puts a directory first on the PATH of the steps that follow. */
  addPath(directory: string): void;
  /** A signed OIDC token of this job; refused unless the job has `permissions: id-token: write`. */
  idToken(audience: string, signal: AbortSignal): Promise<string>;
  /** Runs at the end of the job, last registered first, also when the job failed. */
  addPost(post: (jobSucceeded: boolean, signal: AbortSignal) => Promise<void>): void;
}

/** An action implemented in this process. Throwing fails the step with the error's message. */
export type BuiltinAction = (
  context: ActionContext,
  signal: AbortSignal,
) => Promise<{ outputs?: Record<string, string> }>;

/** Built-in actions by `owner/name`. */
export type Builtins = Readonly<Record<string, BuiltinAction>>;
