import { lstat, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { AppError, isAppError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { gitError } from './git-error.ts';
import { type GitProgram, type GitResult, type GitRun, runGit } from './git-process.ts';
import type { CommitSha, GitAccess } from './port.ts';
import { parseRefLines, type RefSnapshot } from './refs.ts';

export interface StorageDeps {
  program: GitProgram;
  gitDir: string;
  url: string;
  clock: Clock;
  logger: Logger;
}

const lockWaitMs = 2_000;
const fetchTimeoutMs = 15 * 60_000;
const mirrored = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];

/** More objects than this are kept as a pack, which is git's own fetch. */
const unpackLimit = 500;

/** The bare repository on disk. The folder is there only when it was cloned whole at least once. */
export class Storage {
  readonly #deps: StorageDeps;

  constructor(deps: StorageDeps) {
    this.#deps = deps;
  }

  /** What the folder holds; undefined when it is not there. Throws AppError `corrupt-data` when it is damaged. */
  async read(signal: AbortSignal): Promise<RefSnapshot | undefined> {
    const { gitDir, url } = this.#deps;
    await this.#clearLocks(signal);
    let head: string;
    try {
      head = await readFile(join(gitDir, 'HEAD'), 'utf8');
    } catch (cause) {
      const here = await readdir(gitDir).catch(() => undefined);
      if (here === undefined) return undefined;
      throw new AppError('corrupt-data', `${gitDir} has no readable HEAD`, { cause });
    }
    try {
      return { refs: await this.readRefs(signal), head: /^ref: (refs\/\S+)/.exec(head)?.[1] };
    } catch (error) {
      if (!isAppError(error, 'tool-failed')) throw error;
      throw new AppError('corrupt-data', `the mirror of ${url} cannot be read`, { cause: error });
    }
  }

  /** Every branch and tag. Reads the objects they point at, so a broken one shows. */
  async readRefs(signal: AbortSignal): Promise<Map<string, CommitSha>> {
    const args = ['for-each-ref', '--format=%(objectname) %(refname) %(objecttype)', 'refs/heads', 'refs/tags'];
    const { stdout, stderr } = await this.git({ args }, signal);
    const what = `the mirror in ${this.#deps.gitDir} is damaged`;
    if (/broken ref|ignoring/.test(stderr)) throw new AppError('corrupt-data', `${what}: ${stderr.trim()}`);
    return parseRefLines(stdout.toString('utf8').replace(/ (commit|tag|tree|blob)$/gm, ''));
  }

  /** Runs git in the folder; an exit code but 0 is an AppError. */
  async git(run: GitRun, signal: AbortSignal): Promise<GitResult> {
    const result = await this.tryGit(run, signal);
    if (result.code !== 0) throw gitError(`git ${run.args[0]} of ${this.#deps.url} failed`, result.stderr);
    return result;
  }

  /** Runs git in the folder, whatever its exit code. */
  tryGit(run: GitRun, signal: AbortSignal): Promise<GitResult> {
    return runGit(this.#deps.program, { gitDir: this.#deps.gitDir, ...run }, signal);
  }

  /** Brings all branches and tags, and drops those the remote has no more; or exactly `refspec`. */
  async fetch(credentials: GitAccess | undefined, signal: AbortSignal, refspec?: string): Promise<void> {
    await this.#fetchInto(this.#deps.gitDir, credentials, signal, refspec === undefined ? undefined : [refspec]);
  }

  /** Adds the objects of a pack and then moves refs to them. False when git does not take them; nothing moved then. */
  async unpack(pack: Buffer, refs: ReadonlyMap<string, CommitSha>, signal: AbortSignal): Promise<boolean> {
    const objects = pack.byteLength >= 12 ? pack.readUInt32BE(8) : 0;
    if (objects > unpackLimit) return false;
    const unpacked = await this.tryGit({ args: ['unpack-objects', '-q'], stdin: pack }, signal);
    if (unpacked.code !== 0) return false;
    const lines = [...refs].map(([name, oid]) => `update ${name} ${oid}\n`);
    return (await this.tryGit({ args: ['update-ref', '--stdin'], stdin: lines.join('') }, signal)).code === 0;
  }

  /** What a commit needs beyond another one, as deltas to that too. Undefined when git cannot say. */
  async pack({ from, to }: { from: CommitSha; to: CommitSha }, signal: AbortSignal): Promise<Buffer | undefined> {
    const args = ['pack-objects', '-q', '--revs', '--thin', '--delta-base-offset', '--stdout'];
    const { code, stdout } = await this.tryGit({ args, stdin: `${to}\n^${from}\n` }, signal);
    return code === 0 ? stdout : undefined;
  }

  async setHead(head: string, signal: AbortSignal): Promise<void> {
    await this.git({ args: ['symbolic-ref', 'HEAD', head] }, signal);
  }

  /** Clones beside the folder and puts the result in its place; what was there stays as `.damaged`, the last one only. */
  async cloneAnew(credentials: GitAccess | undefined, signal: AbortSignal): Promise<void> {
    const { program, gitDir, logger } = this.#deps;
    const fresh = `${gitDir}.new`;
    const aside = `${gitDir}.damaged`;
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh, { recursive: true });
    const made = await runGit(program, { args: ['init', '--quiet', '--bare', fresh] }, signal);
    if (made.code !== 0) throw gitError(`cannot make a mirror in ${fresh}`, made.stderr);
    try {
      await this.#fetchInto(fresh, credentials, signal);
    } catch (error) {
      await rm(fresh, { recursive: true, force: true });
      throw error;
    }
    if ((await lstat(gitDir).catch(() => undefined)) !== undefined) {
      await rm(aside, { recursive: true, force: true });
      await rename(gitDir, aside);
      logger.info({ gitDir, aside }, 'the damaged mirror was replaced by a new clone');
    }
    await rename(fresh, gitDir);
  }

  /** Packs what many fetches left behind. Failing changes nothing but disk use. */
  async tidy(signal: AbortSignal): Promise<void> {
    const args = ['-c', 'gc.auto=2000', '-c', 'gc.autoDetach=false', 'gc', '--auto', '--quiet'];
    try {
      await this.git({ args, timeoutMs: fetchTimeoutMs }, signal);
    } catch (error) {
      if (!signal.aborted) this.#deps.logger.warn({ gitDir: this.#deps.gitDir }, `git gc: ${messageOf(error)}`);
    }
  }

  async #fetchInto(
    gitDir: string,
    credentials: GitAccess | undefined,
    signal: AbortSignal,
    refspecs: string[] = mirrored,
  ): Promise<void> {
    const options = ['--quiet', '--no-tags', '--force', '--no-write-fetch-head', '--no-auto-maintenance'];
    const prune = refspecs === mirrored ? ['--prune'] : [];
    const args = ['fetch', ...options, ...prune, this.#deps.url, ...refspecs];
    await this.git({ args, gitDir, credentials, timeoutMs: fetchTimeoutMs }, signal);
  }

  /** Locks of a git that was killed with the process before: those that do not go away by themselves are removed. */
  async #clearLocks(signal: AbortSignal): Promise<void> {
    const { gitDir, clock, logger } = this.#deps;
    const until = clock.now() + lockWaitMs;
    for (;;) {
      const locks = await findLocks(gitDir);
      if (locks.length === 0) return;
      if (clock.now() >= until) {
        logger.warn({ locks }, 'removing locks that a killed git left behind');
        await Promise.all(locks.map((path) => rm(path, { force: true })));
        return;
      }
      await clock.sleep(50, signal);
    }
  }
}

async function findLocks(gitDir: string): Promise<string[]> {
  const here = await readdir(gitDir).catch(() => []);
  const refs = await readdir(join(gitDir, 'refs'), { recursive: true }).catch(() => []);
  const paths = [...here, ...refs.map((name) => join('refs', name))];
  return paths.filter((name) => name.endsWith('.lock')).map((name) => join(gitDir, name));
}
