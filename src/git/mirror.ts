import { abortable } from '#base/abortable.ts';
import { AppError, isAppError } from '#base/errors.ts';
import { planChanges, type TreeChange } from './commit-writer.ts';
import type { ObjectReader } from './object-reader.ts';
import {
  type CommitInfo,
  type CommitRequest,
  type CommitSha,
  type GitMirror,
  parseCommitSha,
  type Signature,
  type TreeEntry,
} from './port.ts';
import { pushCommit } from './push.ts';
import { sameRefs } from './refs.ts';
import { Replica, type ReplicaDeps } from './replica.ts';
import { resolveRevision } from './resolve.ts';
import { planRevert, revertMessage } from './revert.ts';
import type { GitUrl } from './url.ts';

/** Opens the mirror in `gitDir`, cloning when there is none or a damaged one. */
export async function openMirror(
  deps: ReplicaDeps,
  url: GitUrl,
  gitDir: string,
  signal: AbortSignal,
): Promise<GitMirror> {
  const replica = new Replica(deps, url, gitDir);
  try {
    await replica.start(signal);
    return new Mirror(deps, replica);
  } catch (error) {
    await replica[Symbol.asyncDispose]();
    throw error;
  }
}

class Mirror implements GitMirror {
  readonly #deps: ReplicaDeps;
  readonly #replica: Replica;
  readonly #reader: ObjectReader;
  /** What the last `fetch` ended with: our own pushes count as moves for the next one. */
  #announced: ReadonlyMap<string, CommitSha>;
  #nextFetch: Promise<{ changed: boolean }> | undefined;

  constructor(deps: ReplicaDeps, replica: Replica) {
    this.#deps = deps;
    this.#replica = replica;
    this.#reader = replica.reader;
    this.#announced = replica.snapshot.refs;
  }

  get url(): string {
    return this.#replica.url;
  }

  get refs(): ReadonlyMap<string, CommitSha> {
    return this.#replica.snapshot.refs;
  }

  fetch(signal: AbortSignal): Promise<{ changed: boolean }> {
    // Who asks while one runs may know of a push that it does not bring: they share the next one.
    this.#nextFetch ??= this.#replica.inTurn(async () => {
      this.#nextFetch = undefined;
      await this.#replica.refresh(this.#replica.life);
      const changed = !sameRefs(this.#announced, this.#replica.snapshot.refs);
      this.#announced = this.#replica.snapshot.refs;
      return { changed };
    });
    return abortable(this.#nextFetch, signal);
  }

  async resolve(revision: string, signal: AbortSignal): Promise<CommitSha> {
    const known = await this.#lookUp(revision, signal);
    if (known) return known;
    await abortable(
      this.#replica.inTurn(() => this.#replica.refresh(this.#replica.life)),
      signal,
    );
    const fetched = (await this.#lookUp(revision, signal)) ?? (await this.#fetchOne(revision, signal));
    if (fetched) return fetched;
    const found = resolveRevision(revision, this.#replica.snapshot);
    const close = found.kind === 'unknown' ? found.close : [];
    throw new AppError('not-found', `${this.url} has no revision ${JSON.stringify(revision)}`, {
      hint: this.#revisionHint(close),
    });
  }

  async defaultBranch(signal: AbortSignal): Promise<string> {
    if (!this.#replica.snapshot.head) await this.fetch(signal);
    const head = this.#replica.snapshot.head;
    if (!head) throw new AppError('not-found', `${this.url} has no default branch`, { hint: this.#revisionHint([]) });
    return head.replace(/^refs\/heads\//, '');
  }

  async objectId(commit: CommitSha, path: string, signal: AbortSignal): Promise<string | undefined> {
    return (await this.#replica.healing(() => this.#reader.entry(commit, path, signal), signal))?.oid;
  }

  async entry(commit: CommitSha, path: string, signal: AbortSignal): Promise<TreeEntry | undefined> {
    return this.#replica.healing(() => this.#reader.entry(commit, path, signal), signal);
  }

  async listFiles(commit: CommitSha, path: string, signal: AbortSignal): Promise<TreeEntry[]> {
    return this.#replica.healing(async () => {
      const entry = await this.#reader.entry(commit, path, signal);
      if (!entry)
        throw new AppError('not-found', `${this.url} has no path ${JSON.stringify(path)} at ${commit.slice(0, 7)}`);
      if (entry.type !== 'tree') return [entry];
      const files = await this.#reader.files(entry.oid, signal);
      return entry.path === '' ? [...files] : files.map((file) => ({ ...file, path: `${entry.path}/${file.path}` }));
    }, signal);
  }

  async readFile(commit: CommitSha, path: string, signal: AbortSignal): Promise<Buffer | undefined> {
    return this.#replica.healing(async () => {
      const entry = await this.#reader.entry(commit, path, signal);
      return entry?.type === 'blob' ? this.#reader.blob(entry.oid, signal) : undefined;
    }, signal);
  }

  async readBlob(oid: string, signal: AbortSignal): Promise<Buffer> {
    return this.#replica.healing(() => this.#reader.blob(oid, signal), signal);
  }

  async commitInfo(commit: CommitSha, signal: AbortSignal): Promise<CommitInfo> {
    return (await this.#replica.healing(() => this.#reader.commit(commit, signal), signal)).info;
  }

  async log(
    options: { from: CommitSha; paths?: string[]; limit: number; notReachableFrom?: CommitSha },
    signal: AbortSignal,
  ): Promise<CommitInfo[]> {
    const { from, paths = [], limit, notReachableFrom } = options;
    const except = notReachableFrom ? [`^${notReachableFrom}`] : [];
    const args = ['rev-list', `--max-count=${limit}`, from, ...except, '--', ...paths.filter((path) => path !== '')];
    return this.#replica.healing(async () => {
      const { stdout } = await this.#replica.storage.git({ args }, signal);
      const shas = stdout
        .toString('utf8')
        .split('\n')
        .flatMap((line) => parseCommitSha(line) ?? []);
      return Promise.all(shas.map(async (sha) => (await this.#reader.commit(sha, signal)).info));
    }, signal);
  }

  async changedPaths(from: CommitSha, to: CommitSha, signal: AbortSignal): Promise<string[]> {
    return this.#replica.healing(async () => {
      const [before, after] = await Promise.all([this.#reader.commit(from, signal), this.#reader.commit(to, signal)]);
      return (await this.#reader.difference(before.tree, after.tree, signal)).map((difference) => difference.path);
    }, signal);
  }

  commit(request: CommitRequest, signal: AbortSignal): Promise<CommitSha | undefined> {
    return this.#push(request, signal, async (head) =>
      planChanges(this.#reader, head, await request.change(head), signal),
    );
  }

  async revert(
    request: { branch: string; commit: CommitSha; paths?: string[]; author: Signature; trailer?: string },
    signal: AbortSignal,
  ): Promise<CommitSha> {
    const { branch, author, commit, paths } = request;
    const message = revertMessage(await this.commitInfo(await this.resolve(commit, signal), signal), request.trailer);
    const deps = { reader: this.#reader, program: this.#deps.program };
    const made = await this.#push({ branch, author, message }, signal, (head) =>
      planRevert(deps, { commit, head, paths }, signal),
    );
    if (made) return made;
    throw new AppError('conflict', `nothing to revert: ${branch} has nothing of ${commit.slice(0, 7)} any more`, {
      hint: 'it was reverted before, or it touches none of these paths',
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#replica[Symbol.asyncDispose]();
  }

  #push(
    request: { branch: string; message: string; author: Signature },
    signal: AbortSignal,
    plan: (head: CommitSha) => Promise<TreeChange[]>,
  ): Promise<CommitSha | undefined> {
    const { clock, entropy, logger } = this.#deps;
    const both = AbortSignal.any([signal, this.#replica.life]);
    const head = async () => {
      await this.#replica.refresh(both);
      const sha = this.#replica.snapshot.refs.get(`refs/heads/${request.branch}`);
      if (sha) return sha;
      const what = `${this.url} has no branch ${JSON.stringify(request.branch)}`;
      throw new AppError('not-found', what, { hint: this.#revisionHint([]) });
    };
    const planned = (parent: CommitSha) => this.#replica.healing(() => plan(parent), both);
    return this.#replica.inTurn(async () => {
      const credentials = () => this.#replica.credentials(both);
      const http = this.#replica.quick();
      const deps = { storage: this.#replica.storage, clock, entropy, logger, head, credentials, http };
      const sha = await pushCommit(deps, { ...request, url: this.url, plan: planned }, both);
      if (sha) this.#replica.notePushed(`refs/heads/${request.branch}`, sha);
      return sha;
    });
  }

  async #lookUp(revision: string, signal: AbortSignal): Promise<CommitSha | undefined> {
    const found = resolveRevision(revision, this.#replica.snapshot);
    switch (found.kind) {
      case 'ref': {
        const oid = this.#replica.snapshot.refs.get(found.name);
        return oid && this.#replica.healing(() => this.#reader.findCommit(oid, signal), signal);
      }
      case 'commit':
        return this.#replica.healing(() => this.#reader.findCommit(found.oid, signal), signal);
      case 'remote-ref':
      case 'unknown':
        return undefined;
    }
  }

  /** A commit that no branch or tag leads to, or a ref outside both, e.g. that of a pull request. */
  async #fetchOne(revision: string, signal: AbortSignal): Promise<CommitSha | undefined> {
    const found = resolveRevision(revision, this.#replica.snapshot);
    const name = found.kind === 'remote-ref' ? found.name : parseCommitSha(revision);
    if (name === undefined || !/^[A-Za-z0-9._/-]+$/.test(name)) return undefined;
    const local = `refs/slipway/fetched/${name.replace(/^refs\//, '')}`;
    try {
      const credentials = await this.#replica.credentials(signal);
      await this.#replica.storage.fetch(credentials, signal, `+${name}:${local}`);
    } catch (error) {
      if (isAppError(error, 'tool-failed') || isAppError(error, 'not-found')) return undefined;
      throw error;
    }
    const { stdout } = await this.#replica.storage.git(
      { args: ['rev-parse', '--verify', `${local}^{commit}`] },
      signal,
    );
    return parseCommitSha(stdout.toString('utf8').trim());
  }

  #revisionHint(close: string[]): string {
    if (close.length > 0) return `did you mean ${close.join(', ')}?`;
    const branches = [...this.#replica.snapshot.refs.keys()].filter((name) => name.startsWith('refs/heads/'));
    if (branches.length === 0) return 'the repository has no branch yet: push a commit first';
    const shown = branches.slice(0, 5).map((name) => name.slice('refs/heads/'.length));
    return `its branches: ${shown.join(', ')}${branches.length > shown.length ? ', ...' : ''}`;
  }
}
