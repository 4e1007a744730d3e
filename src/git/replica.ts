import { abortable } from '#base/abortable.ts';
import type { Clock, Entropy } from '#base/clock.ts';
import { AppError, isAppError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { CatFile } from './cat-file.ts';
import type { GitProgram } from './git-process.ts';
import { ObjectReader } from './object-reader.ts';
import type { CommitSha, GitAccess } from './port.ts';
import { parseLsRemote, planQuickFetch, type RefSnapshot, sameRefs } from './refs.ts';
import { Serial } from './serial.ts';
import type { SmartHttp } from './smart-http.ts';
import { Storage } from './storage.ts';
import type { GitUrl } from './url.ts';

export interface ReplicaDeps {
  program: GitProgram;
  http: SmartHttp;
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  credentials: (url: string, signal: AbortSignal) => Promise<GitAccess | undefined>;
}

const maxBlobBytes = 64 * 1024 * 1024;
const healAtMostEveryMs = 60_000;
const tidyEveryFetches = 100;
const maxQuickMisses = 3;
const lsRemoteTimeoutMs = 30_000;

/**
 * The copy of a remote on disk and what is known of its refs: brought up to date one piece of work at a time, and cloned
 * anew when it turns out to be damaged.
 */
export class Replica {
  readonly url: string;
  readonly storage: Storage;
  readonly reader: ObjectReader;
  readonly #deps: ReplicaDeps;
  readonly #address: GitUrl;
  readonly #objects: CatFile;
  readonly #serial = new Serial();
  readonly #life = new AbortController();
  #snapshot: RefSnapshot = { refs: new Map(), head: undefined };
  #healedAt = Number.NEGATIVE_INFINITY;
  #fetches = 0;
  #quickMisses = 0;

  constructor(deps: ReplicaDeps, url: GitUrl, gitDir: string) {
    this.url = url.url;
    this.#deps = deps;
    this.#address = url;
    const { program, clock, logger } = deps;
    this.storage = new Storage({ program, gitDir, url: url.url, clock, logger });
    this.#objects = new CatFile(program, gitDir, maxBlobBytes);
    this.reader = new ObjectReader(this.#objects);
  }

  /** Takes what is on disk, or clones. */
  async start(signal: AbortSignal): Promise<void> {
    let kept: RefSnapshot | undefined;
    try {
      kept = await this.storage.read(signal);
    } catch (error) {
      if (!isAppError(error, 'corrupt-data')) throw error;
      this.#deps.logger.error({ url: this.url }, `${messageOf(error)}; cloning anew`);
    }
    if (kept) this.#snapshot = kept;
    else await this.#clone(signal);
  }

  /** The refs as they were when the remote was last asked, with our own pushes since. */
  get snapshot(): RefSnapshot {
    return this.#snapshot;
  }

  /** Aborts when the replica is closed. */
  get life(): AbortSignal {
    return this.#life.signal;
  }

  /** Runs work when it is its turn: nothing else changes the replica meanwhile. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#serial.run(work);
  }

  notePushed(ref: string, sha: CommitSha): void {
    this.#snapshot = { ...this.#snapshot, refs: new Map(this.#snapshot.refs).set(ref, sha) };
  }

  async credentials(signal: AbortSignal): Promise<GitAccess> {
    const access = await this.#deps.credentials(this.url, signal);
    const signsIn = access?.password !== undefined || access?.bearerToken !== undefined;
    return signsIn ? access : { ...this.#address.credentials, ...access };
  }

  /** Brings the mirror to the remote's state. Runs in turn. */
  async refresh(signal: AbortSignal): Promise<void> {
    const credentials = await this.credentials(signal);
    const remote = await this.#remoteRefs(credentials, signal);
    const before = this.#snapshot;
    if (!sameRefs(remote.refs, before.refs)) {
      try {
        if (!(await this.#fetchQuickly(remote, credentials, signal))) {
          await this.storage.fetch(credentials, signal);
          this.#snapshot = { ...before, refs: await this.storage.readRefs(signal) };
        }
      } catch (error) {
        if (!isAppError(error, 'corrupt-data')) throw error;
        await this.#replace(error, signal);
      }
      this.#fetches += 1;
      if (this.#fetches % tidyEveryFetches === 0) void this.storage.tidy(this.#life.signal);
    }
    if (remote.head !== undefined && remote.head !== this.#snapshot.head) {
      await this.storage.setHead(remote.head, signal);
      this.#snapshot = { ...this.#snapshot, head: remote.head };
    }
  }

  /** The short way to the remote, where it is known to work. */
  quick(): SmartHttp | undefined {
    // git understood the server each time and we did not: an old server, or a certificate that only git trusts.
    if (this.#quickMisses >= maxQuickMisses || this.#address.transport !== 'http') return undefined;
    return this.#deps.http;
  }

  /** Repeats a read once on a new clone when the one on disk turns out to be damaged. */
  async healing<T>(read: () => Promise<T>, signal: AbortSignal): Promise<T> {
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort(new AppError('canceled', `the mirror of ${this.url} was closed`));
    await this.#serial.idle();
    await this.#objects[Symbol.asyncDispose]();
  }

  async #remoteRefs(credentials: GitAccess | undefined, signal: AbortSignal): Promise<RefSnapshot> {
    const quick = await this.quick()?.refs({ url: this.url, credentials }, signal);
    if (quick) {
      this.#quickMisses = 0;
      return quick;
    }
    const args = ['ls-remote', '--symref', this.url, 'HEAD', 'refs/heads/*', 'refs/tags/*'];
    const run = { args, credentials, gitDir: undefined, timeoutMs: lsRemoteTimeoutMs };
    const { stdout } = await this.storage.git(run, signal);
    this.#quickMisses += 1;
    return parseLsRemote(stdout.toString('utf8'));
  }

  /** Brings a few moved refs by one POST. False leaves it to git: much moved, refs went away, or anything is odd. */
  async #fetchQuickly(wanted: RefSnapshot, credentials: GitAccess | undefined, signal: AbortSignal) {
    const quick = this.quick();
    const plan = planQuickFetch(this.#snapshot.refs, wanted.refs);
    if (!quick || !plan) return false;
    const pack = await quick.pack({ url: this.url, credentials }, plan, signal);
    if (!pack || !(await this.storage.unpack(pack, plan.moved, signal))) return false;
    this.#snapshot = { ...this.#snapshot, refs: wanted.refs };
    return true;
  }

  async #clone(signal: AbortSignal): Promise<void> {
    const credentials = await this.credentials(signal);
    // Asked first because it fails soon: a clone may take many minutes.
    const { head } = await this.#remoteRefs(credentials, signal);
    await this.storage.cloneAnew(credentials, signal);
    if (head !== undefined) await this.storage.setHead(head, signal);
    this.#snapshot = { refs: await this.storage.readRefs(signal), head };
  }

  /** A commit that is not there may never have been; but the head of a branch must be. */
  async #damageBehind(error: unknown, signal: AbortSignal): Promise<AppError | undefined> {
    if (isAppError(error, 'corrupt-data')) return error;
    const [name, oid] = this.#snapshot.refs.entries().next().value ?? [];
    if (!isAppError(error, 'not-found') || oid === undefined) return undefined;
    try {
      if (await this.#objects.read(oid, signal)) return undefined;
    } catch (damage) {
      return isAppError(damage, 'corrupt-data') ? damage : undefined;
    }
    return new AppError('corrupt-data', `${name} is at ${oid}, which is missing`);
  }

  async #replace(why: AppError, signal: AbortSignal): Promise<void> {
    const now = this.#deps.clock.now();
    if (now - this.#healedAt < healAtMostEveryMs) throw why;
    this.#deps.logger.error({ url: this.url }, `the mirror is damaged and is cloned anew: ${messageOf(why)}`);
    await this.#clone(signal);
    this.#healedAt = now;
    this.reader.clear();
    this.#objects.restart();
  }
}
