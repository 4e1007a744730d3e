/** A repository as the forge's API names it. */
export interface ForgeRepository {
  owner: string;
  name: string;
}

export interface ForgeCommit {
  sha: string;
  message: string;
  authorName: string;
  /** The account, when the forge knows whose e-mail address it is. */
  authorLogin: string | undefined;
  authoredAt: number | undefined;
  url: string | undefined;
}

export interface WorkflowRun {
  id: number;
  name: string;
  number: number;
  attempt: number;
  event: string;
  /** Branch or tag that it ran for. */
  ref: string | undefined;
  headSha: string;
  status: string;
  conclusion: string | undefined;
  actor: string | undefined;
  createdAt: number | undefined;
  startedAt: number | undefined;
  updatedAt: number | undefined;
  url: string | undefined;
}

/** A review of a run that waited for an environment. */
export interface RunApproval {
  state: string;
  user: string;
  environments: string[];
  comment: string;
  /** Undefined where the forge does not tell. */
  at: number | undefined;
}

export interface PullRequest {
  number: number;
  title: string;
  author: string | undefined;
  mergedAt: number | undefined;
  url: string | undefined;
}

export interface ForgeTag {
  name: string;
  sha: string;
}

/**
 * What GitHub (and what speaks its REST API) knows beyond git. Errors are AppErrors: not-found, unauthorized, forbidden,
 * limit (its rate limit, with the time it ends), unavailable.
 */
export interface ForgeClient {
  /** The repository of a clone or page address; undefined when the address is not of this forge. */
  repositoryOf(url: string): ForgeRepository | undefined;
  /** A run's page address taken apart; undefined when it is not of this forge. */
  runOf(url: string): { repository: ForgeRepository; id: number } | undefined;
  commit(repository: ForgeRepository, sha: string, signal: AbortSignal): Promise<ForgeCommit>;
  workflowRuns(repository: ForgeRepository, options: { headSha: string }, signal: AbortSignal): Promise<WorkflowRun[]>;
  workflowRun(repository: ForgeRepository, id: number, signal: AbortSignal): Promise<WorkflowRun>;
  runApprovals(repository: ForgeRepository, id: number, signal: AbortSignal): Promise<RunApproval[]>;
  pullRequestsOfCommit(repository: ForgeRepository, sha: string, signal: AbortSignal): Promise<PullRequest[]>;
  tags(repository: ForgeRepository, signal: AbortSignal): Promise<ForgeTag[]>;
  /** Sends a `repository_dispatch`. */
  dispatch(
    repository: ForgeRepository,
    event: { type: string; payload: Record<string, unknown> },
    signal: AbortSignal,
  ): Promise<void>;
}
