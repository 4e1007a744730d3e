import type { JsonObject } from '#base/json.ts';

/** Any Kubernetes object. Only what decisions read is typed; the rest stays open. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: JsonObject[];
  [field: string]: unknown;
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
}

/** One served kind, as discovery names it. */
export interface ApiResource extends GroupVersionKind {
  plural: string;
  namespaced: boolean;
  verbs: string[];
  subresources: string[];
}

export interface ObjectRef {
  name: string;
  namespace?: string | undefined;
}

export interface ListOptions {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
}

export interface WriteOptions {
  fieldManager?: string | undefined;
  dryRun?: boolean | undefined;
  subresource?: string | undefined;
}

export interface DeleteOptions {
  propagationPolicy?: 'Foreground' | 'Background' | 'Orphan' | undefined;
  preconditions?: { uid?: string; resourceVersion?: string } | undefined;
  gracePeriodSeconds?: number | undefined;
}

export type PatchType = 'json' | 'merge' | 'strategic';

export type WatchEvent =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: KubeObject }
  | { type: 'BOOKMARK'; resourceVersion: string };

/**
 * One cluster, by its public API. Errors are AppErrors: 404 not-found, 409 conflict (reason AlreadyExists too), 401
 * unauthorized, 403 forbidden, 400/422 bad-input, 429 and 5xx and broken connections unavailable; the server's own
 * message is kept.
 */
export interface KubeClient {
  /** The API server's address, as Application destinations name it. */
  readonly server: string;
  readonly discovery: KubeDiscovery;
  version(signal: AbortSignal): Promise<{ gitVersion: string }>;
  get(resource: ApiResource, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined>;
  /** Reads in pages and yields until all is read; `resourceVersion` is that of the list. */
  list(
    resource: ApiResource,
    options: ListOptions,
    signal: AbortSignal,
  ): Promise<{ items: KubeObject[]; resourceVersion: string }>;
  /** One watch connection from `resourceVersion`; ends when the server closes it. Throws AppError `conflict` on 410 Gone. */
  watch(
    resource: ApiResource,
    options: ListOptions & { resourceVersion: string },
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent>;
  create(object: KubeObject, options: WriteOptions, signal: AbortSignal): Promise<KubeObject>;
  /** Replaces; the object's resourceVersion, when set, is the precondition. */
  replace(object: KubeObject, options: WriteOptions, signal: AbortSignal): Promise<KubeObject>;
  /** Server-side apply. */
  apply(object: KubeObject, options: WriteOptions & { force?: boolean }, signal: AbortSignal): Promise<KubeObject>;
  patch(
    resource: ApiResource,
    ref: ObjectRef,
    patch: { type: PatchType; body: unknown },
    options: WriteOptions,
    signal: AbortSignal,
  ): Promise<KubeObject>;
  /** False when it was not there. */
  delete(resource: ApiResource, ref: ObjectRef, options: DeleteOptions, signal: AbortSignal): Promise<boolean>;
  /** The same client acting as another user, by impersonation; it ends with this one. */
  as(user: string): KubeClient;
  /** Container log, whole or followed, as text chunks. */
  logs(
    ref: ObjectRef,
    options: {
      container?: string;
      follow?: boolean;
      tailLines?: number;
      previous?: boolean;
      timestamps?: boolean;
      sinceSeconds?: number;
      /** RFC 3339. */
      sinceTime?: string;
    },
    signal: AbortSignal,
  ): AsyncIterable<string>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface KubeDiscovery {
  /** The served resource of a kind; looked up again once when unknown (a CRD may be new). Undefined when not served. */
  find(kind: GroupVersionKind, signal: AbortSignal): Promise<ApiResource | undefined>;
  all(signal: AbortSignal): Promise<ApiResource[]>;
  /** Forget what is known, e.g. after a CRD was applied. */
  invalidate(): void;
}

export type InformerEvent =
  | { type: 'upsert'; object: KubeObject; previous: KubeObject | undefined }
  | { type: 'delete'; object: KubeObject };

/**
 * A live copy of one kind in one cluster: list, then watch, resumed after any break and re-listed on 410. Objects are
 * stripped of what decisions do not read (managedFields, and what `strip` removes). Shared: one per kind and cluster.
 */
export interface Informer {
  readonly resource: ApiResource;
  /** True once the first list is in. */
  readonly synced: boolean;
  whenSynced(signal: AbortSignal): Promise<void>;
  get(ref: ObjectRef): KubeObject | undefined;
  list(namespace?: string): KubeObject[];
  subscribe(listener: (event: InformerEvent) => void): () => void;
}

export interface InformerSet {
  /** Starts the informer when it is the first use. */
  informer(resource: ApiResource): Informer;
  /** Those already started. */
  active(): Informer[];
  [Symbol.asyncDispose](): Promise<void>;
}

export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

export function kindOf(object: { apiVersion: string; kind: string }): GroupVersionKind {
  return { ...parseApiVersion(object.apiVersion), kind: object.kind };
}
