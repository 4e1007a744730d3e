declare const commitBrand: unique symbol;
/** 40 lower-case hex digits. Made only by `parseCommitSha` and by what git printed. */
export type CommitSha = string & { readonly [commitBrand]: 'CommitSha' };

export function parseCommitSha(text: string): CommitSha | undefined {
  return /^[0-9a-f]{40}$/.test(text) ? (text as CommitSha) : undefined;
}

export interface GitCredentials {
  username: string;
  password: string;
}

/** How a remote is reached. All of it is secret but the proxy's exceptions. */
export interface GitAccess extends Partial<GitCredentials> {
  bearerToken?: string;
  /** PEM or OpenSSH's own form, without a passphrase. */
  sshPrivateKey?: string;
  /** As OpenSSH's file holds them; undefined leaves it to the machine's own. */
  sshKnownHosts?: string;
  /** No verification of the server's certificate or host key. */
  insecure?: boolean;
  /** PEM of the authorities that count, instead of the machine's. */
  ca?: string;
  /** PEM of the certificate and key that the server asks for. */
  clientCert?: string;
  clientKey?: string;
  proxy?: string;
  /** Hosts that are reached without the proxy, between commas. */
  noProxy?: string;
}

export interface Signature {
  name: string;
  email: string;
}

export interface CommitInfo {
  sha: CommitSha;
  parents: CommitSha[];
  author: Signature;
  authoredAt: number;
  committer: Signature;
  committedAt: number;
  subject: string;
  body: string;
}

export interface TreeEntry {
  path: string;
  mode: string;
  type: 'blob' | 'tree' | 'commit';
  oid: string;
}

/** A change of files against the branch's head: path to new content, null deletes. */
export type FileChanges = Map<string, Uint8Array | string | null>;

export interface CommitRequest {
  branch: string;
  message: string;
  author: Signature;
  /**
   * Computes the change from the head that will be the parent. Called again on the new head when another writer was
   * first, so no update is lost. An empty map means there is nothing to do.
   */
  change: (head: CommitSha) => Promise<FileChanges>;
}

/**
 * A bare mirror of one remote repository on disk. Reads need no lock and no work tree; they come from one long-lived
 * `git cat-file --batch`. Errors are AppErrors: unavailable (cannot reach), unauthorized, not-found (repository,
 * revision or path), conflict (push lost too often).
 */
export interface GitMirror {
  readonly url: string;
  /** Brings all heads and tags; concurrent calls share one fetch. Tells whether any ref moved. */
  fetch(signal: AbortSignal): Promise<{ changed: boolean }>;
  /** A branch, tag, full ref, commit id or semver constraint, in Argo CD's order of resolution; '' and HEAD are the default branch. */
  resolve(revision: string, signal: AbortSignal): Promise<CommitSha>;
  defaultBranch(signal: AbortSignal): Promise<string>;
  /** Branches and tags as the last fetch brought them: full names to commits. */
  readonly refs: ReadonlyMap<string, CommitSha>;
  /** Object id of a file or folder at a commit; '' is the root. Undefined when absent. */
  objectId(commit: CommitSha, path: string, signal: AbortSignal): Promise<string | undefined>;
  /** The file, link, submodule or folder at a path; undefined when absent. */
  entry(commit: CommitSha, path: string, signal: AbortSignal): Promise<TreeEntry | undefined>;
  /** Files below `path`, whole depth, in byte order; not-found when the path is absent. */
  listFiles(commit: CommitSha, path: string, signal: AbortSignal): Promise<TreeEntry[]>;
  readFile(commit: CommitSha, path: string, signal: AbortSignal): Promise<Buffer | undefined>;
  readBlob(oid: string, signal: AbortSignal): Promise<Buffer>;
  commitInfo(commit: CommitSha, signal: AbortSignal): Promise<CommitInfo>;
  /** Newest first; those touching `paths` when given. */
  log(
    options: { from: CommitSha; paths?: string[]; limit: number; notReachableFrom?: CommitSha },
    signal: AbortSignal,
  ): Promise<CommitInfo[]>;
  /** Paths that differ between two commits. */
  changedPaths(from: CommitSha, to: CommitSha, signal: AbortSignal): Promise<string[]>;
  /** Commits without a work tree and pushes, retrying on a moved branch. Undefined when there was nothing to change. */
  commit(request: CommitRequest, signal: AbortSignal): Promise<CommitSha | undefined>;
  /** Pushes a commit that undoes `commit` (git revert's message), limited to `paths` when given. */
  revert(
    request: { branch: string; commit: CommitSha; paths?: string[]; author: Signature; trailer?: string },
    signal: AbortSignal,
  ): Promise<CommitSha>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface GitMirrors {
  /**
   * The shared mirror of a URL, made on first use. `scope` is the project whose own credentials it is read with, and has a
   * mirror of its own: who may not read a repository must not see it by another's.
   */
  open(url: string, signal: AbortSignal, scope?: string): Promise<GitMirror>;
  [Symbol.asyncDispose](): Promise<void>;
}
