/**
 * What the faces (server, command line, page) ask of the running engine. The truth is the Application objects in the
 * cluster; this is a live view of them plus the answers that need rendering or Git.
 */
import type { JsonObject } from '#base/json.ts';
import type { DeleteOptions, KubeObject, ObjectRef, PatchType } from '#kube/port.ts';
import type {
  Application,
  ApplicationSource,
  HealthStatus,
  Operation,
  SyncStatusCode,
} from '#model/argocd/application.ts';
import type { RepositoryAccess } from '#model/argocd/repository-access.ts';
import type { Actor } from '#trace/event.ts';
import type { Reason } from './why/reason.ts';

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
  /** Only where it was asked for. */
  states?: ResourceStates;
}

/** The forms of a compared object, as they stand in Git and in the cluster and as they were compared. Secrets are masked. */
export interface ResourceStates {
  target: KubeObject | undefined;
  live: KubeObject | undefined;
  normalizedLive: KubeObject | undefined;
  /** What applying the target would make of it. */
  predictedLive: KubeObject | undefined;
  resourceVersion: string;
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
  resourceVersion?: string | undefined;
  /** What a person sees beside the name: `Status Reason`, `Containers`, `Node`, ... */
  info?: { name: string; value: string }[] | undefined;
  networking?: NodeNetworking | undefined;
}

/** Where traffic goes that a node takes, in Argo CD's words. */
export interface NodeNetworking {
  targetLabels?: Record<string, string>;
  targetRefs?: { group?: string; kind?: string; namespace?: string; name?: string }[];
  labels?: Record<string, string>;
  ingress?: { ip?: string; hostname?: string }[];
  externalURLs?: string[];
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
  managedResources(name: string, signal: AbortSignal, options?: { states?: boolean }): Promise<ManagedResource[]>;
  tree(name: string, signal: AbortSignal): Promise<ResourceNode[]>;
  /** As the revisions render, one for each source; as the specification says without them. */
  manifests(name: string, revisions: string[] | undefined, signal: AbortSignal): Promise<string[]>;
  /** Requests a sync by writing `operation`; conflict when one is running. */
  sync(name: string, request: SyncRequest, actor: Actor, signal: AbortSignal): Promise<Application>;
  /**
   * Writes what `decide` makes of the application as its `operation`; decides again when another writer was first.
   * Conflict when an operation is in progress.
   */
  operate(name: string, decide: (application: Application) => Operation, signal: AbortSignal): Promise<Application>;
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

/** One object of an application or below one, by what names it. */
export interface ResourceName {
  group: string;
  /** Undefined takes the version that the tree has. */
  version?: string | undefined;
  kind: string;
  namespace: string | undefined;
  name: string;
}

export interface LogQuery {
  /** Pods that are it, or stand below it; an absent member matches every one. */
  of: Partial<ResourceName>;
  container?: string | undefined;
  sinceSeconds?: number | undefined;
  /** RFC 3339. */
  sinceTime?: string | undefined;
  tailLines?: number | undefined;
  follow?: boolean | undefined;
  previous?: boolean | undefined;
}

export interface LogLine {
  pod: string;
  /** RFC 3339 with fractions; '' for a line that is Slipway's own. */
  time: string;
  text: string;
}

export interface ResourceAction {
  name: string;
  params?: { name: string; value?: string; type?: string; default?: string }[] | undefined;
  disabled?: boolean | undefined;
  iconClass?: string | undefined;
  displayName?: string | undefined;
}

/**
 * What the faces do with the objects of an application, in its destination cluster. Everything throws `not-found` for an
 * object that is not in the application's tree. Secrets come masked.
 */
export interface ApplicationResources {
  get(application: string, resource: ResourceName, signal: AbortSignal): Promise<KubeObject>;
  patch(
    application: string,
    resource: ResourceName,
    patch: { type: PatchType; body: unknown },
    signal: AbortSignal,
  ): Promise<KubeObject>;
  delete(application: string, resource: ResourceName, options: DeleteOptions, signal: AbortSignal): Promise<void>;
  /** Events about one object, or about the Application itself. */
  events(
    application: string,
    resource: Partial<ResourceName> & { uid?: string },
    signal: AbortSignal,
  ): Promise<KubeObject[]>;
  /** Lines of all pods that the query selects, merged as they come. Throws `limit` for too many pods. */
  logs(application: string, query: LogQuery, signal: AbortSignal): Promise<AsyncIterable<LogLine>>;
  actions(application: string, resource: ResourceName, signal: AbortSignal): Promise<ResourceAction[]>;
  runAction(
    application: string,
    resource: ResourceName,
    action: { name: string; parameters: Record<string, string> },
    signal: AbortSignal,
  ): Promise<void>;
  /** What holds the application back, found by looking at it now; empty when nothing does. */
  why(application: string, signal: AbortSignal): Promise<Reason[]>;
  /** Top-level objects of the destination namespace that no application tracks; empty where the project does not ask. */
  orphans(application: string, signal: AbortSignal): Promise<ResourceNode[]>;
}

export interface SyncWindowState {
  active: JsonObject[];
  assigned: JsonObject[];
  /** Whether a sync by hand may start now. */
  canSync: boolean;
  /** Why the windows cannot be read: nothing may be synced then. */
  problem?: string | undefined;
}

export interface RevisionMetadata {
  author: string;
  /** RFC 3339. */
  date: string;
  tags: string[];
  message: string;
}

export interface ChartDetails {
  description: string;
  maintainers: string[];
  home: string;
}

/** How one cluster stands, as it was seen last. */
export interface ClusterState {
  server: string;
  name: string;
  status: 'Successful' | 'Failed' | 'Unknown';
  message: string;
  /** RFC 3339; undefined when nobody has tried. */
  attemptedAt: string | undefined;
  serverVersion: string | undefined;
  resources: number;
  kinds: number;
  apiVersions: string[];
}

export interface RepositoryConnection {
  status: 'Successful' | 'Failed';
  message: string;
  /** RFC 3339. */
  attemptedAt: string | undefined;
}

/** How the instance sees its outside world. */
export interface InstanceSight {
  windows(application: Application): SyncWindowState;
  /** Of a project's own windows, those that are open now. */
  activeWindows(project: KubeObject): JsonObject[];
  /** Projects whose permissions this one has too. */
  globalProjects(project: string): KubeObject[];
  /** What a project as given would take from applications that have it now: `2 applications source became invalid`. */
  brokenBy(project: KubeObject): string[];
  /** What keeps this specification from working, one sentence each: destination, project's permissions, sources. */
  validate(application: Application, options: { sources: boolean }, signal: AbortSignal): Promise<string[]>;
  clusters(): ClusterState[];
  /** Forgets which kinds a cluster serves, so that they are asked for again. */
  forgetCluster(server: string): void;
  /** The commit, or version of a chart, that a revision names now. Throws `not-found` for one that does not exist. */
  resolve(application: Application, at: SourceRevision, signal: AbortSignal): Promise<string>;
  revision(application: Application, at: SourceRevision, signal: AbortSignal): Promise<RevisionMetadata>;
  chart(application: Application, at: SourceRevision, signal: AbortSignal): Promise<ChartDetails>;
  /** Whether Applications (or ApplicationSets) of a namespace are looked after. */
  follows(namespace: string, kind: 'Application' | 'ApplicationSet'): boolean;
  /** The Applications that an ApplicationSet makes now, without making them. */
  generate(applicationSet: KubeObject, signal: AbortSignal): Promise<Application[]>;
  /** Folders of a repository from which applications could be made, with what renders them. */
  discover(
    of: { url: string; project: string | undefined; revision: string },
    signal: AbortSignal,
  ): Promise<{ path: string; type: string }[]>;
  /** Charts of a Helm repository, their versions newest first. */
  charts(
    url: string,
    project: string | undefined,
    signal: AbortSignal,
  ): Promise<{ name: string; versions: string[] }[]>;
  /** Tags of a chart or artifact in a registry. */
  tags(url: string, project: string | undefined, signal: AbortSignal): Promise<string[]>;
  /** What renders a source, and the parameters that it takes. */
  details(
    of: { source: ApplicationSource; project: string | undefined; name: string },
    signal: AbortSignal,
  ): Promise<JsonObject>;
  /** Branches and tags of a Git repository. */
  refs(url: string, project: string | undefined, signal: AbortSignal): Promise<{ branches: string[]; tags: string[] }>;
  /** Whether a repository can be read as it is declared; a look of the last minutes counts unless `fresh`. */
  connection(
    url: string,
    options: { project: string | undefined; fresh: boolean },
    signal: AbortSignal,
  ): Promise<RepositoryConnection>;
  /** The version of the API server that the data of a cluster Secret leads to. Throws what keeps it from answering. */
  reachCluster(data: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string>;
  /** Throws what keeps the repository from being read with this access. */
  reach(access: RepositoryAccess, signal: AbortSignal): Promise<void>;
}

export interface SourceRevision {
  source: ApplicationSource;
  revision: string;
}

export type InstanceKind = 'ConfigMap' | 'Secret' | 'AppProject' | 'Application' | 'ApplicationSet' | 'Event';

/**
 * The instance's own objects, in its own cluster: configuration, credentials, projects, applications. They are
 * Kubernetes objects and nothing else; every change is visible to kubectl at once.
 */
export interface InstanceStore {
  readonly namespace: string;
  /** Data of a ConfigMap of the namespace, from a live copy: the same object until it changes; empty when absent. */
  config(name: string): Readonly<Record<string, string>>;
  /** Decoded data of a Secret, in the same way. */
  secret(name: string): Readonly<Record<string, string>>;
  /** From a live copy. */
  projects(): readonly KubeObject[];
  get(kind: InstanceKind, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined>;
  list(
    kind: InstanceKind,
    options: { namespace?: string | undefined; labelSelector?: string; fieldSelector?: string },
    signal: AbortSignal,
  ): Promise<KubeObject[]>;
  create(object: KubeObject, signal: AbortSignal): Promise<KubeObject>;
  /** The object's resourceVersion, when set, is the precondition. */
  replace(object: KubeObject, signal: AbortSignal): Promise<KubeObject>;
  patch(kind: InstanceKind, ref: ObjectRef, body: JsonObject, signal: AbortSignal): Promise<KubeObject>;
  delete(kind: InstanceKind, ref: ObjectRef, options: DeleteOptions, signal: AbortSignal): Promise<boolean>;
}
