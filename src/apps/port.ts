/**
 * What the faces (server, command line, page) ask of the running engine. The truth is the Application objects in the
 * cluster; this is a live view of them plus the answers that need rendering or Git.
 */
import type { Application, HealthStatus, SyncStatusCode } from '#model/argocd/application.ts';
import type { Actor } from '#trace/event.ts';

export interface ApplicationEvent {
  type: 'upsert' | 'delete';
  application: Application;
}

/** One resource of an application, with its desired and live form where it is asked for. Secrets are masked. */
export interface ManagedResource {
  group: string;
  version: string;
  kind: string;
  namespace: string | undefined;
  name: string;
  sync: SyncStatusCode;
  health: { status: HealthStatus; message?: string } | undefined;
  requiresPruning: boolean;
  hook: boolean;
  /** YAML after normalisation, what a person compares; undefined when absent on that side. */
  liveText: string | undefined;
  desiredText: string | undefined;
}

/** A node of the tree below an application: owned objects down to pods. */
export interface ResourceNode {
  uid: string;
  group: string;
  version: string;
  kind: string;
  namespace: string | undefined;
  name: string;
  parentUid: string | undefined;
  createdAt: string | undefined;
  health: { status: HealthStatus; message?: string } | undefined;
  images: string[];
}

export interface SyncRequest {
  revision?: string | undefined;
  prune?: boolean | undefined;
  dryRun?: boolean | undefined;
  resources?: { group: string; kind: string; name: string; namespace?: string | undefined }[] | undefined;
}

export interface RollbackResult {
  /** The revert commit that was pushed. */
  commit: string;
  reverted: string;
  message: string;
}

export interface ApplicationEngine {
  list(): Application[];
  /** Throws AppError not-found naming the applications there are. */
  get(name: string): Application;
  subscribe(listener: (event: ApplicationEvent) => void): () => void;
  /** Desired against live, now. */
  managedResources(name: string, signal: AbortSignal): Promise<ManagedResource[]>;
  tree(name: string, signal: AbortSignal): Promise<ResourceNode[]>;
  manifests(name: string, revision: string | undefined, signal: AbortSignal): Promise<string[]>;
  /** Requests a sync by writing `operation`; conflict when one is running. */
  sync(name: string, request: SyncRequest, actor: Actor, signal: AbortSignal): Promise<Application>;
  /** Resolves when no operation is running and its comparison is current. */
  whenSettled(name: string, signal: AbortSignal): Promise<Application>;
  refresh(name: string, level: 'normal' | 'hard', signal: AbortSignal): Promise<Application>;
  terminate(name: string, signal: AbortSignal): Promise<void>;
  /**
   * Reverts, in Git, the newest commit on the application's branch that changed its inputs (or all down to `to`, an id
   * of its history), limited to its files. Does not sync by itself.
   */
  rollback(
    name: string,
    options: { to?: number | undefined },
    actor: Actor,
    signal: AbortSignal,
  ): Promise<RollbackResult>;
  /** A webhook said that this repository moved: look at every application that uses it. Returns their names. */
  repositoryChanged(url: string, cause: string): string[];
}
