import { abortable } from '#base/abortable.ts';
import type { Clock, Entropy } from '#base/clock.ts';
import { AppError, isAppError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { CatFile } from './cat-file.ts';
import { planChanges, type TreeChange } from './commit-writer.ts';
import type { GitProgram } from './git-process.ts';
import { ObjectReader } from './object-reader.ts';
import {
  type CommitInfo,
  type CommitRequest,
  type CommitSha,
  type GitCredentials,
  type GitMirror,
  parseCommitSha,
  type Signature,
  type TreeEntry,
} from './port.ts';
import { pushCommit } from './push.ts';
import { parseLsRemote, planQuickFetch, type RefSnapshot, sameRefs } from './refs.ts';
import { resolveRevision } from './resolve.ts';
import { planRevert, revertMessage } from './revert.ts';
import { Serial } from './serial.ts';
import type { SmartHttp } from './smart-http.ts';
import { Storage } from './storage.ts';
import type { GitUrl } from './url.ts';

export interface MirrorDeps {
  program: GitProgram;
  http: SmartHttp;
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  credentials: (url: string, signal: AbortSignal) => Promise<GitCredentials | undefined>;
}

const maxBlobBytes = 64 * 1024 * 1024;
const healAtMostEveryMs = 60_000;
const tidyEveryFetches = 100;
const maxQuickMisses = 3;
const lsRemoteTimeoutMs = 30_000;

/** Opens the mirror in `gitDir`, cloning when there is none or a damaged one. */
export async function openMirror(
  deps: MirrorDeps,
  url: GitUrl,
  gitDir: string,
  signal: AbortSignal,
): Promise<GitMirror> {
  const mirror = new Mirror(deps, url, gitDir);
  try {
    await mirror.start(signal);
    return mirror;
  } catch (error) {
    await mirror[Symbol.asyncDispose]();
    throw error;
  }
}

class Mirror implements GitMirror {
  readonly url: string;
  readonly #deps: MirrorDeps;
  readonly #address: GitUrl;
  readonly #storage: Storage;
  readonly #objects: CatFile;
  readonly #reader: ObjectReader;
  readonly #serial = new Serial();
  readonly #life = new AbortController();
  #snapshot: RefSnapshot = { refs: new Map(), head: undefined };
  /** What the last `fetch` ended with: our own pushes count as moves for the next one. */
  #announced: ReadonlyMap<string, CommitSha> = new Map();
  #nextFetch: Promise<{ changed: boolean }> | undefined;
  #healedAt = Number.NEGATIVE_INFINITY;
  #fetches = 0;
  #quickMisses = 0;

  constructor(deps: MirrorDeps, url: GitUrl, gitDir: string) {
    this.url = url.url;
    this.#deps = deps;
    this.#address = url;
    const { program, clock, logger } = deps;
    this.#storage = new Storage({ program, gitDir, url: url.url, clock, logger });
    this.#objects = new CatFile(program, gitDir, maxBlobBytes);
    this.#reader = new ObjectReader(this.#objects);
  }

  async start(signal: AbortSignal): Promise<void> {
    let kept: RefSnapshot | undefined;
    try {
      kept = await this.#storage.read(signal);
    } catch (error) {
      if (!isAppError(error, 'corrupt-data')) throw error;
      this.#deps.logger.error({ url: this.url }, `${messageOf(error)}; cloning anew`);
    }
    if (kept) this.#snapshot = kept;
    else await this.#clone(signal);
    this.#announced = this.#snapshot.refs;
  }

  fetch(signal: AbortSignal): Promise<{ changed: boolean }> {
    // Who asks while one runs may know of a push that it does not bring: they share the next one.
    this.#nextFetch ??= this.#serial.run(async () => {
      this.#nextFetch = undefined;
      await this.#refresh(this.#life.signal);
      const changed = !sameRefs(this.#announced, this.#snapshot.refs);
      this.#announced = this.#snapshot.refs;
      return { changed };
    });
    return abortable(this.#nextFetch, signal);
  }

  async resolve(revision: string, signal: AbortSignal): Promise<CommitSha> {
    const known = await this.#lookUp(revision, signal);
    if (known) return known;
    await abortable(
      this.#serial.run(() => this.#refresh(this.#life.signal)),
      signal,
    );
    const fetched = (await this.#lookUp(revision, signal)) ?? (await this.#fetchOne(revision, signal));
    if (fetched) return fetched;
    const found = resolveRevision(revision, this.#snapshot);
    const close = found.kind === 'unknown' ? found.close : [];
    throw new AppError('not-found', `${this.url} has no revision ${JSON.stringify(revision)}`, {
      hint: this.#revisionHint(close),
    });
  }

  async defaultBranch(signal: AbortSignal): Promise<string> {
    if (!this.#snapshot.head) await this.fetch(signal);
    const head = this.#snapshot.head;
    if (!head) throw new AppError('not-found', `${this.url} has no default branch`, { hint: this.#revisionHint([]) });
    return head.replace(/^refs\/heads\//, '');
  }

  async objectId(commit: CommitSha, path: string, signal: AbortSignal): Promise<string | undefined> {
    return (await this.#healing(() => this.#reader.entry(commit, path, signal), signal))?.oid;
  }

  async listFiles(commit: CommitSha, path: string, signal: AbortSignal): Promise<TreeEntry[]> {
    return this.#healing(async () => {
      const entry = await this.#reader.entry(commit, path, signal);
      if (!entry)
        throw new AppError('not-found', `${this.url} has no path ${JSON.stringify(path)} at ${commit.slice(0, 7)}`);
      if (entry.type !== 'tree') return [entry];
      const files = await this.#reader.files(entry.oid, signal);
      return entry.path === '' ? [...files] : files.map((file) => ({ ...file, path: `${entry.path}/${file.path}` }));
    }, signal);
  }

  async readFile(commit: CommitSha, path: string, signal: AbortSignal): Promise<Buffer | undefined> {
    return this.#healing(async () => {
      const entry = await this.#reader.entry(commit, path, signal);
      return entry?.type === 'blob' ? this.#reader.blob(entry.oid, signal) : undefined;
    }, signal);
  }

  async readBlob(oid: string, signal: AbortSignal): Promise<Buffer> {
    return this.#healing(() => this.#reader.blob(oid, signal), signal);
  }

  async commitInfo(commit: CommitSha, signal: AbortSignal): Promise<CommitInfo> {
    return (await this.#healing(() => this.#reader.commit(commit, signal), signal)).info;
  }

  async log(
    options: { from: CommitSha; paths?: string[]; limit: number; notReachableFrom?: CommitSha },
    signal: AbortSignal,
  ): Promise<CommitInfo[]> {
    const { from, paths = [], limit, notReachableFrom } = options;
    const except = notReachableFrom ? [`^${notReachableFrom}`] : [];
    const args = ['rev-list', `--max-count=${limit}`, from, ...except, '--', ...paths.filter((path) => path !== '')];
    return this.#healing(async () => {
      const { stdout } = await this.#storage.git({ args }, signal);
      const shas = stdout
        .toString('utf8')
        .split('\n')
        .flatMap((line) => parseCommitSha(line) ?? []);
      return Promise.all(shas.map(async (sha) => (await this.#reader.commit(sha, signal)).info));
    }, signal);
  }

  async changedPaths(from: CommitSha, to: CommitSha, signal: AbortSignal): Promise<string[]> {
    return this.#healing(async () => {
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
    this.#life.abort(new AppError('canceled', `the mirror of ${this.url} was closed`));
    await this.#serial.idle();
    await this.#objects[Symbol.asyncDispose]();
  }

  #push(
    request: { branch: string; message: string; author: Signature },
    signal: AbortSignal,
    plan: (head: CommitSha) => Promise<TreeChange[]>,
  ): Promise<CommitSha | undefined> {
    const { clock, entropy, logger } = this.#deps;
    const both = AbortSignal.any([signal, this.#life.signal]);
    const head = async () => {
      await this.#refresh(both);
      const sha = this.#snapshot.refs.get(`refs/heads/${request.branch}`);
      if (sha) return sha;
      const what = `${this.url} has no branch ${JSON.stringify(request.branch)}`;
      throw new AppError('not-found', what, { hint: this.#revisionHint([]) });
    };
    const planned = (parent: CommitSha) => this.#healing(() => plan(parent), both);
    return this.#serial.run(async () => {
      const credentials = () => this.#credentials(both);
      const http = this.#quick();
      const deps = { storage: this.#storage, clock, entropy, logger, head, credentials, http };
      const sha = await pushCommit(deps, { ...request, url: this.url, plan: planned }, both);
      if (sha) {
        const refs = new Map(this.#snapshot.refs).set(`refs/heads/${request.branch}`, sha);
        this.#snapshot = { ...this.#snapshot, refs };
      }
      return sha;
    });
  }

  /** Brings the mirror to the remote's state. Runs inside `#serial`. */
  async #refresh(signal: AbortSignal): Promise<void> {
    const credentials = await this.#credentials(signal);
    const remote = await this.#remoteRefs(credentials, signal);
    const before = this.#snapshot;
    if (!sameRefs(remote.refs, before.refs)) {
      try {
        if (!(await this.#fetchQuickly(remote, credentials, signal))) {
          await this.#storage.fetch(credentials, signal);
          this.#snapshot = { ...before, refs: await this.#storage.readRefs(signal) };
        }
      } catch (error) {
        if (!isAppError(error, 'corrupt-data')) throw error;
        await this.#replace(error, signal);
      }
      this.#fetches += 1;
      if (this.#fetches % tidyEveryFetches === 0) void this.#storage.tidy(this.#life.signal);
    }
    if (remote.head !== undefined && remote.head !== this.#snapshot.head) {
      await this.#storage.setHead(remote.head, signal);
      this.#snapshot = { ...this.#snapshot, head: remote.head };
    }
  }

  async #remoteRefs(credentials: GitCredentials | undefined, signal: AbortSignal): Promise<RefSnapshot> {
    const quick = await this.#quick()?.refs({ url: this.url, credentials }, signal);
    if (quick) {
      this.#quickMisses = 0;
      return quick;
    }
    const args = ['ls-remote', '--symref', this.url, 'HEAD', 'refs/heads/*', 'refs/tags/*'];
    const run = { args, credentials, gitDir: undefined, timeoutMs: lsRemoteTimeoutMs };
    const { stdout } = await this.#storage.git(run, signal);
    this.#quickMisses += 1;
    return parseLsRemote(stdout.toString('utf8'));
  }

  #quick(): SmartHttp | undefined {
    // git understood the server each time and we did not: an old server, or a certificate that only git trusts.
    if (this.#quickMisses >= maxQuickMisses || this.#address.transport !== 'http') return undefined;
    return this.#deps.http;
  }

  /** Brings a few moved refs by one POST. False leaves it to git: much moved, refs went away, or anything is odd. */
  async #fetchQuickly(wanted: RefSnapshot, credentials: GitCredentials | undefined, signal: AbortSignal) {
    const quick = this.#quick();
    const plan = planQuickFetch(this.#snapshot.refs, wanted.refs);
    if (!quick || !plan) return false;
    const pack = await quick.pack({ url: this.url, credentials }, plan, signal);
    if (!pack || !(await this.#storage.unpack(pack, plan.moved, signal))) return false;
    this.#snapshot = { ...this.#snapshot, refs: wanted.refs };
    return true;
  }

  async #credentials(signal: AbortSignal): Promise<GitCredentials | undefined> {
    return (await this.#deps.credentials(this.url, signal)) ?? this.#address.credentials;
  }

  async #clone(signal: AbortSignal): Promise<void> {
    const credentials = await this.#credentials(signal);
    // Asked first because it fails soon: a clone may take many minutes.
    const { head } = await this.#remoteRefs(credentials, signal);
    await this.#storage.cloneAnew(credentials, signal);
    if (head !== undefined) await this.#storage.setHead(head, signal);
    this.#snapshot = { refs: await this.#storage.readRefs(signal), head };
  }

  async #lookUp(revision: string, signal: AbortSignal): Promise<CommitSha | undefined> {
    const found = resolveRevision(revision, this.#snapshot);
    switch (found.kind) {
      case 'ref': {
        const oid = this.#snapshot.refs.get(found.name);
        return oid && this.#healing(() => this.#reader.findCommit(oid, signal), signal);
      }
      case 'commit':
        return this.#healing(() => this.#reader.findCommit(found.oid, signal), signal);
      case 'remote-ref':
      case 'unknown':
        return undefined;
    }
  }

  /** A commit that no branch or tag leads to, or a ref outside both, e.g. that of a pull request. */
  async #fetchOne(revision: string, signal: AbortSignal): Promise<CommitSha | undefined> {
    const found = resolveRevision(revision, this.#snapshot);
    const name = found.kind === 'remote-ref' ? found.name : parseCommitSha(revision);
    if (name === undefined || !/^[A-Za-z0-9._/-]+$/.test(name)) return undefined;
    const local = `refs/slipway/fetched/${name.replace(/^refs\//, '')}`;
    try {
      const credentials = await this.#credentials(signal);
      await this.#storage.fetch(credentials, signal, `+${name}:${local}`);
    } catch (error) {
      if (isAppError(error, 'tool-failed') || isAppError(error, 'not-found')) return undefined;
      throw error;
    }
    const { stdout } = await this.#storage.git({ args: ['rev-parse', '--verify', `${local}^{commit}`] }, signal);
    return parseCommitSha(stdout.toString('utf8').trim());
  }

  #revisionHint(close: string[]): string {
    if (close.length > 0) return `did you mean ${close.join(', ')}?`;
    const branches = [...this.#snapshot.refs.keys()].filter((name) => name.startsWith('refs/heads/'));
    if (branches.length === 0) return 'the repository has no branch yet: push a commit first';
    const shown = branches.slice(0, 5).map((name) => name.slice('refs/heads/'.length));
    return `its branches: ${shown.join(', ')}${branches.length > shown.length ? ', ...' : ''}`;
  }

  /** Repeats a read once on a new clone when the one on disk turns out to be damaged. */
  async #healing<T>(read: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const healedAt = this.#healedAt;
    try {
      return await read();
    } catch (error) {
      const why = await this.#damageBehind(error, signal);
      if (!why) throw error;
      const heal = async () => {
        if (this.#healedAt === healedAt) await this.#replace(why, this.#life.signal);
      };
      await abortable(this.#serial.run(heal), signal);
      return await read();
    }
  }

  /** A commit that is not there may never have been; but the head of a branch must be. */
  async #damageBehind(error: unknown, signal: AbortSignal): Promise<AppError | undefined> {
    if (isAppError(error, 'corrupt-data')) return error;
    const [name, oid] = this.#snapshot.refs.entries().next().value ?? [];
    if (!isAppError(error, 'not-found') || oid === undefined) return undefined;
    if (await this.#objects.read(oid, signal)) return undefined;
    return new AppError('corrupt-data', `${name} is at ${oid}, which is missing`);
  }

  async #replace(why: AppError, signal: AbortSignal): Promise<void> {
    const now = this.#deps.clock.now();
    if (now - this.#healedAt < healAtMostEveryMs) throw why;
    this.#deps.logger.error({ url: this.url }, `the mirror is damaged and is cloned anew: ${messageOf(why)}`);
    await this.#clone(signal);
    this.#healedAt = now;
    this.#reader.clear();
    this.#objects.restart();
  }
}
