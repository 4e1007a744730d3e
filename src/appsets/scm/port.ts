/** A repository with one of its branches. */
export interface ScmBranch {
  organization: string;
  repository: string;
  repositoryId: string | number;
  url: string;
  branch: string;
  sha: string;
  labels: string[];
}

export interface ScmPullRequest {
  number: number;
  title: string;
  branch: string;
  targetBranch: string;
  headSha: string;
  labels: string[];
  author: string;
}

/** A forge's list of repositories. Errors are AppErrors that name the address. */
export interface ScmProvider {
  /** With the default branch, and without its commit. */
  repositories(signal: AbortSignal): Promise<ScmBranch[]>;
  /** The default branch alone or all, each with its commit; none when it does not exist. */
  branches(repository: ScmBranch, signal: AbortSignal): Promise<ScmBranch[]>;
  hasPath(branch: ScmBranch, path: string, signal: AbortSignal): Promise<boolean>;
}

/** A repository's list of pull requests. Throws AppError not-found when there is no such repository. */
export interface PullRequestLister {
  pullRequests(signal: AbortSignal): Promise<ScmPullRequest[]>;
}
