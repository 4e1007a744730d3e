import type { Clock, Entropy } from '#base/clock.ts';
import { AppError, isAppError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { type TreeChange, writeCommit } from './commit-writer.ts';
import { gitError } from './git-error.ts';
import type { CommitSha, GitAccess, Signature } from './port.ts';
import { isLostRace, type SmartHttp } from './smart-http.ts';
import type { Storage } from './storage.ts';

export interface PushDeps {
  storage: Storage;
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  /** The branch's head at the remote, asked now; its objects are in the mirror. */
  head: () => Promise<CommitSha>;
  credentials: () => Promise<GitAccess | undefined>;
  /** For http remotes. */
  http: SmartHttp | undefined;
}

interface Move {
  from: CommitSha;
  to: CommitSha;
}

export interface PushRequest {
  url: string;
  branch: string;
  message: string;
  author: Signature;
  plan: (head: CommitSha) => Promise<TreeChange[]>;
}

const maxTries = 25;
const firstDelayMs = 15;
const maxDelayMs = 1_000;

/**
 * Commits on top of the remote's head and pushes; when another writer was first, plans again on the new head. Undefined
 * when the plan is empty. Never forces. A push whose answer got lost is looked up before it is repeated.
 */
export async function pushCommit(
  deps: PushDeps,
  request: PushRequest,
  signal: AbortSignal,
): Promise<CommitSha | undefined> {
  const { storage, clock, entropy, logger } = deps;
  const pushed: CommitSha[] = [];
  for (let tries = 1; ; tries += 1) {
    const parent = await deps.head();
    for (const sha of pushed) if (await isAncestor(storage, sha, parent, signal)) return sha;
    const changes = await request.plan(parent);
    if (changes.length === 0) return undefined;
    const { message, author } = request;
    const sha = await writeCommit(storage, clock, { parent, message, author, changes }, signal);
    try {
      await push(deps, request, { from: parent, to: sha }, signal);
      return sha;
    } catch (error) {
      const lostRace = isAppError(error, 'conflict');
      const lostAnswer = isAppError(error, 'unavailable') || isAppError(error, 'timeout');
      if (tries >= maxTries || !(lostRace || (lostAnswer && tries <= 3))) throw error;
      // Also after a refusal: curl itself repeats a request whose connection died, and only the repetition is refused.
      pushed.push(sha);
      logger.debug({ branch: request.branch, tries }, `push again: ${messageOf(error)}`);
      const ceiling = Math.min(maxDelayMs, firstDelayMs * 2 ** tries);
      await clock.sleep(ceiling * (0.25 + 0.75 * entropy.fraction()), signal);
    }
  }
}

async function push(deps: PushDeps, request: PushRequest, move: Move, signal: AbortSignal): Promise<void> {
  const { storage, http } = deps;
  const { url, branch } = request;
  const ref = `refs/heads/${branch}`;
  const what = `push to ${branch} of ${url}`;
  const lostRace = new AppError('conflict', `${what}: another writer was first`, { hint: 'try again' });
  const credentials = await deps.credentials();
  const pack = http && (await storage.pack(move, signal));
  const report = pack && (await http.push({ url, credentials }, { ref, ...move, pack }, signal));
  if (report === 'moved') return;
  if (report === 'lost race') throw lostRace;
  const args = ['push', '--porcelain', '--quiet', url, `${move.to}:${ref}`];
  const result = await storage.tryGit({ args, credentials, timeoutMs: 120_000 }, signal);
  if (result.code === 0) return;
  const refusal = /^!\t[^\t]*\t(.*)$/m.exec(result.stdout.toString('utf8'))?.[1] ?? '';
  if (isLostRace(refusal)) throw lostRace;
  throw gitError(what, `${result.stderr}\n${refusal}`);
}

async function isAncestor(storage: Storage, sha: CommitSha, head: CommitSha, signal: AbortSignal): Promise<boolean> {
  if (sha === head) return true;
  return (await storage.tryGit({ args: ['merge-base', '--is-ancestor', sha, head] }, signal)).code === 0;
}
