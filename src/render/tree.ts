import type { CommitSha, GitMirror, TreeEntry } from '#git/port.ts';

/** The files that a source names, at one revision: a commit of a repository, or an archive that was read. Never changes. */
export interface SourceTree {
  readonly url: string;
  /** A commit id, a chart's version, or the digest of an artifact. */
  readonly revision: string;
  /** Url and revision as a message names them. */
  readonly place: string;
  /** Equal ids mean equal content; '' is the root. Undefined when absent. */
  objectId(path: string, signal: AbortSignal): Promise<string | undefined>;
  /** Git's mode of a file, link (120000), submodule or folder (040000); undefined when absent. */
  mode(path: string, signal: AbortSignal): Promise<string | undefined>;
  /** Files below `path`, whole depth, in byte order, with paths from the root; not-found when the path is absent. */
  listFiles(path: string, signal: AbortSignal): Promise<TreeEntry[]>;
  readFile(path: string, signal: AbortSignal): Promise<Buffer | undefined>;
  readBlob(oid: string, signal: AbortSignal): Promise<Buffer>;
}

export function gitTree(mirror: GitMirror, commit: CommitSha): SourceTree {
  return {
    url: mirror.url,
    revision: commit,
    place: `${mirror.url} at ${commit.slice(0, 7)}`,
    objectId: (path, signal) => mirror.objectId(commit, path, signal),
    mode: async (path, signal) => (await mirror.entry(commit, path, signal))?.mode,
    listFiles: (path, signal) => mirror.listFiles(commit, path, signal),
    readFile: (path, signal) => mirror.readFile(commit, path, signal),
    readBlob: (oid, signal) => mirror.readBlob(oid, signal),
  };
}
