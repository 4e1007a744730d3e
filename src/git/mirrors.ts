import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { abortable } from '#base/abortable.ts';
import type { Clock, Entropy } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { GitProgram } from './git-process.ts';
import { openMirror } from './mirror.ts';
import type { GitAccess, GitMirror, GitMirrors } from './port.ts';
import type { ReplicaDeps } from './replica.ts';
import { Slots } from './slots.ts';
import { SmartHttp } from './smart-http.ts';
import { type GitUrl, mirrorName, parseGitUrl } from './url.ts';

export interface GitMirrorsDeps {
  /** Mirrors live below it, one folder per repository. */
  dir: string;
  /** The git program: a path, or a name that is on PATH of `env`. */
  gitPath: string;
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  credentials: (url: string, scope: string | undefined, signal: AbortSignal) => Promise<GitAccess | undefined>;
  /** The variables git may see, e.g. PATH, HTTPS_PROXY, GIT_SSL_CAINFO, SSH_AUTH_SOCK. */
  env?: Readonly<Record<string, string>>;
}

const programLimit = 16;

/** Mirrors of any number of repositories, opened on first use and shared by address. */
export function createGitMirrors(deps: GitMirrorsDeps): GitMirrors {
  return new Mirrors(deps);
}

class Mirrors implements GitMirrors {
  readonly #deps: GitMirrorsDeps;
  readonly #http: SmartHttp;
  readonly #open = new Map<string, Promise<GitMirror>>();
  readonly #life = new AbortController();
  readonly #slots = new Slots(programLimit);

  constructor(deps: GitMirrorsDeps) {
    this.#deps = deps;
    this.#http = new SmartHttp(deps.env ?? {});
  }

  async open(url: string, signal: AbortSignal, scope?: string): Promise<GitMirror> {
    if (this.#life.signal.aborted) throw new AppError('canceled', 'the mirrors are closed');
    const address = parseGitUrl(url);
    const id = scope === undefined ? address.key : `${address.key} ${scope}`;
    let opening = this.#open.get(id);
    if (!opening) {
      opening = this.#start(address, scope);
      this.#open.set(id, opening);
      // A clone that failed is tried again by the next caller.
      opening.catch(() => this.#open.delete(id));
    }
    return abortable(opening, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort(new AppError('canceled', 'the mirrors were closed'));
    const opened = await Promise.allSettled([...this.#open.values()]);
    for (const mirror of opened) if (mirror.status === 'fulfilled') await mirror.value[Symbol.asyncDispose]();
    await this.#http[Symbol.asyncDispose]();
  }

  async #start(address: GitUrl, scope: string | undefined): Promise<GitMirror> {
    const { dir, gitPath, clock, entropy, logger, credentials, env = {} } = this.#deps;
    const home = join(dir, 'home');
    await mkdir(home, { recursive: true });
    const program: GitProgram = { gitPath, home, env, slots: this.#slots };
    const own = (url: string, signal: AbortSignal) => credentials(url, scope, signal);
    const replicaDeps: ReplicaDeps = { program, http: this.#http, clock, entropy, logger, credentials: own };
    return openMirror(replicaDeps, address, join(dir, mirrorName(address, scope)), this.#life.signal);
  }
}
