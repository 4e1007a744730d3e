import type { SourceTree } from '../tree.ts';

/** One chart of a repository, or one artifact of a registry. */
export interface ChartAsk {
  repoURL: string;
  /** '' for an artifact that is named by `repoURL` alone. */
  chart: string;
  /** A version or a constraint; of an artifact also a tag or digest. */
  revision: string;
  /** Whose access to the repository is used. */
  project: string;
  /** The credentials also go to other hosts that the index names. */
  passCredentials?: boolean;
  /** What is declared for a place above or below in the same registry serves too, as Argo CD lets dependencies do. */
  borrowAccess?: boolean;
}

export interface AskOptions {
  /** How old the repository's own answer may be; 0 asks it now, if only whether something changed. */
  maxAgeMs: number;
  /** A version that is known is asked for again as well. */
  again?: boolean;
}

/** A chart's files, and the archive they came in. */
export interface ChartTree extends SourceTree {
  /** The chart's own version; `revision` is what was asked for when that was a version already. */
  readonly version: string;
  archive(signal: AbortSignal): Promise<Buffer>;
}

/** A repository, and the project whose access to it is used. */
export interface RepositoryPlace {
  repoURL: string;
  project: string;
}

export interface ListedChart {
  name: string;
  versions: string[];
}

export interface RemoteFile {
  url: string;
  /** Of its content. */
  digest: string;
  bytes: Buffer;
}

/**
 * Charts of Helm repositories and registries, artifacts, and single files by URL. Archives are kept by digest: what is
 * known is not asked for again, and an index only whether it changed. Errors are AppErrors that name chart and repository.
 */
export interface ChartLibrary {
  open(ask: ChartAsk, options: AskOptions, signal: AbortSignal): Promise<ChartTree>;
  /** A repository by the name it is declared with, as `@name` and `alias:name` in Chart.yaml ask for it. */
  repositoryOf(name: string, signal: AbortSignal): Promise<string | undefined>;
  /** What a Helm repository lists, in the index's order. */
  listCharts(at: RepositoryPlace, options: AskOptions, signal: AbortSignal): Promise<ListedChart[]>;
  /** The tags of a repository in a registry, as they are written there. */
  listTags(at: RepositoryPlace, signal: AbortSignal): Promise<string[]>;
  readUrl(url: string, options: AskOptions, signal: AbortSignal): Promise<RemoteFile>;
  readonly counts: ChartCounts;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ChartCounts {
  /** Requests for an index, a list of tags or a manifest; those answered with "unchanged" among them. */
  readonly questions: number;
  readonly unchanged: number;
  /** Archives and value files that were brought. */
  readonly downloads: number;
}
