import type { JsonObject } from '#base/json.ts';
import type { GitHubApp } from '#git/github-app.ts';
import type { GitMirror } from '#git/port.ts';
import type { KubeObject } from '#kube/port.ts';
import type { TemplateDeps } from '#template/template.ts';
import type { HttpConnection, HttpTrust } from './http.ts';
import type { ListingMemory } from './listing-memory.ts';

/** A cluster as its Secret declares it. */
export interface ClusterEntry {
  name: string;
  server: string;
  project: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export interface ScmSettings {
  enabled: boolean;
  /** API addresses that may be used; empty permits all. */
  allowed: readonly string[];
  /** Only Secrets labelled for it may hold tokens. */
  strictTokenRef: boolean;
}

/** What generators ask of the outside. Errors are AppErrors that say what was asked of whom. */
export interface GeneratorSources extends TemplateDeps {
  /** Clusters that Secrets declare, without the instance's own unless one of them declares it. */
  clusters(): ClusterEntry[];
  /** The mirror of a repository, read with the credentials of a project. Remembered as used by the set. */
  repository(ref: { url: string; project: string }, signal: AbortSignal): Promise<GitMirror>;
  /** What was read of commits before. */
  listings: ListingMemory;
  /** Data of a ConfigMap of the instance; undefined when there is none. */
  configMap(name: string): Record<string, string> | undefined;
  /** Decoded data and labels of a Secret; undefined when there is none. */
  secret(
    ref: { name: string; namespace: string },
    signal: AbortSignal,
  ): Promise<{ data: Record<string, string>; labels: Record<string, string> } | undefined>;
  /** Objects of a kind, by its plural, in the instance's namespace. */
  listByPlural(
    resource: { group: string; version: string; plural: string },
    options: { labelSelector?: string; name?: string },
    signal: AbortSignal,
  ): Promise<KubeObject[]>;
  connect(trust: HttpTrust): HttpConnection;
  /** One entry of a ConfigMap in any namespace; undefined when there is none. */
  configMapEntry(
    ref: { name: string; namespace: string; key: string },
    signal: AbortSignal,
  ): Promise<string | undefined>;
  /** A token of a GitHub App's installation. */
  githubAppToken(app: GitHubApp, about: string, signal: AbortSignal): Promise<string>;
  scm: ScmSettings;
  instanceNamespace: string;
  settings: { newGitFileGlobbing: boolean; hiddenDirectories: boolean };
}

/** One kind of generator: its spec, and the set that it is for, to parameters. */
export interface GeneratorInput {
  spec: JsonObject;
  set: { name: string; namespace: string };
  project: string;
}
