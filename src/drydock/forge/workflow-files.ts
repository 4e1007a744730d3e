import { type ParsedWorkflow, parseWorkflow } from '../actions/workflow.ts';
import type { Git } from './git.ts';
import type { Repositories, Repository } from './repositories.ts';

const cacheLimit = 500;
const filesLimit = 100;
const folder = '.github/workflows/';

interface WorkflowFile {
  blob: string;
  path: string;
}

/** Workflow files of repositories at given commits, parsed once for each content. */
export class WorkflowFiles {
  readonly #git: Git;
  readonly #repos: Repositories;
  readonly #parsed = new Map<string, Promise<ParsedWorkflow>>();
  /** Workflow files of commits; only full shas are kept, which never change. */
  readonly #listed = new Map<string, WorkflowFile[]>();

  constructor(git: Git, repos: Repositories) {
    this.#git = git;
    this.#repos = repos;
  }

  /** All workflow files at the commit; empty when the commit has none or does not exist. */
  async list(repo: Repository, sha: string, signal: AbortSignal): Promise<ParsedWorkflow[]> {
    const files = await this.#files(repo, sha, signal);
    return Promise.all(files.map((file) => this.#parse(repo, file, signal)));
  }

  /** Undefined when the file does not exist at the commit. */
  async get(
    repo: Repository,
    at: { sha: string; path: string },
    signal: AbortSignal,
  ): Promise<ParsedWorkflow | undefined> {
    const file = (await this.#files(repo, at.sha, signal)).find((each) => each.path === at.path);
    return file === undefined ? undefined : this.#parse(repo, file, signal);
  }

  async #files(repo: Repository, sha: string, signal: AbortSignal): Promise<WorkflowFile[]> {
    const key = `${repo.id} ${sha}`;
    const known = this.#listed.get(key);
    if (known) return known;
    const call = { repository: this.#repos.gitDir(repo) };
    const text = await this.#git.maybeText(['ls-tree', '-z', sha, folder], call, signal);
    const files = (text ?? '')
      .split('\0')
      .map((line) => /^\d+ blob ([0-9a-f]{40})\t(.*)$/s.exec(line))
      .flatMap((match) =>
        match?.[1] && match[2] && /\.ya?ml$/.test(match[2]) ? [{ blob: match[1], path: match[2] }] : [],
      )
      .slice(0, filesLimit);
    if (text !== undefined && /^[0-9a-f]{40}$/.test(sha)) {
      if (this.#listed.size >= cacheLimit) this.#listed.clear();
      this.#listed.set(key, files);
    }
    return files;
  }

  async #parse(repo: Repository, file: WorkflowFile, signal: AbortSignal): Promise<ParsedWorkflow> {
    const key = `${file.blob} ${file.path}`;
    const known = this.#parsed.get(key);
    if (known) return known;
    if (this.#parsed.size >= cacheLimit) this.#parsed.clear();
    const call = { repository: this.#repos.gitDir(repo) };
    const parsed = this.#git
      .text(['cat-file', 'blob', file.blob], call, signal)
      .then((content) => parseWorkflow(file.path, content));
    this.#parsed.set(key, parsed);
    parsed.catch(() => this.#parsed.delete(key));
    return parsed;
  }
}
