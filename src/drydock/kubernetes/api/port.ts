/**
 * The seams inside Drydock's Kubernetes: the API server offers `ApiServer` to its controllers and node agent, and asks
 * `TypeRegistry` (in `types/`) for everything that depends on a kind's schema.
 */
import type { JsonObject } from '#base/json.ts';

export interface ApiObject {
  apiVersion: string;
  kind: string;
  metadata: ApiObjectMeta;
  [field: string]: unknown;
}

export interface ApiObjectMeta {
  name: string;
  namespace?: string;
  generateName?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: ApiOwnerReference[];
  managedFields?: ManagedFieldsEntry[];
  [field: string]: unknown;
}

export interface ApiOwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ManagedFieldsEntry {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  time?: string;
  fieldsType: 'FieldsV1';
  fieldsV1: JsonObject;
  subresource?: string;
}

/** `pods`, or `deployments.apps`. */
export type GroupResource = string;

export interface Gvk {
  group: string;
  version: string;
  kind: string;
}

export interface FieldError {
  field: string;
  reason:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueNotSupported'
    | 'FieldValueDuplicate'
    | 'FieldValueForbidden'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
    | 'FieldValueNotFound'
    | 'FieldValueTypeInvalid';
  /** As the real server words it, without the field in front: `Invalid value: "x": must be ...`. */
  message: string;
}

/** A refusal that becomes a Status object. `details.causes` come from `fieldErrors` or `causes`. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly code: number;
  readonly reason: string;
  readonly details: JsonObject | undefined;
  /** For a list whose token expired: how to go on without consistency. */
  continueToken: string | undefined;

  constructor(code: number, reason: string, message: string, details?: JsonObject) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }
}

/** What the server needs to know of one kind at one version. All functions are pure; none keeps or changes its input unless it says so. */
export interface KindType {
  gvk: Gvk;
  /**
   * Any JSON to this kind's canonical form: unknown fields dropped and reported, quantities and times canonical, empty
   * omitempty members dropped. Throws ApiError 400 with the real server's text when a value has the wrong type.
   */
  decode(raw: JsonObject): { object: ApiObject; unknownFields: string[] };
  /** Fills defaults in place. `old` is the stored object on update. */
  applyDefaults(object: ApiObject, old?: ApiObject): void;
  validateCreate(object: ApiObject): FieldError[];
  validateUpdate(object: ApiObject, old: ApiObject): FieldError[];
  /** Undefined for custom resources: they answer 415 to a strategic merge patch. */
  strategicMerge: ((live: ApiObject, patch: JsonObject) => JsonObject) | undefined;
  /** True when equal but for managedFields timestamps: such a write is a no-op. */
  sameContent(a: ApiObject, b: ApiObject): boolean;
}

export interface FieldManagement {
  /** Server-side apply. Throws ApiError 409 with the causes on a conflict and without `force`. `live` undefined creates. */
  apply(input: {
    type: KindType;
    live: ApiObject | undefined;
    applied: JsonObject;
    manager: string;
    force: boolean;
    subresource?: string | undefined;
    now: string;
  }): ApiObject;
  /** Recomputes managedFields after any other write. Returns the object with them. */
  recordUpdate(input: {
    type: KindType;
    old: ApiObject | undefined;
    updated: ApiObject;
    manager: string;
    subresource?: string | undefined;
    now: string;
  }): ApiObject;
}

export interface CustomResourceVersion {
  gvk: Gvk;
  openAPIV3Schema: JsonObject | undefined;
  preserveUnknownFields: boolean;
  /** The main endpoint does not write `status`, so it is not owned through it. */
  statusSubresource?: boolean;
  /** Where the scale subresource reads; what stands there must fit it. */
  scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath: string | undefined };
}

export interface TypeRegistry {
  builtin(gvk: Gvk): KindType | undefined;
  custom(version: CustomResourceVersion): KindType;
  fields: FieldManagement;
  /** `components.schemas` of one group-version as OpenAPI v3, with x-kubernetes extensions and merge keys. */
  openApiSchemas(group: string, version: string): JsonObject;
  /** RFC 7386 and RFC 6902 with the real server's errors. */
  mergePatch(target: JsonObject, patch: unknown): JsonObject;
  jsonPatch(target: JsonObject, patch: unknown): JsonObject;
}

export type ApiChange = { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: ApiObject; old: ApiObject | undefined };

export interface ApiDeleteOptions {
  propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
  gracePeriodSeconds?: number;
  preconditions?: { uid?: string; resourceVersion?: string };
}

/**
 * The API server as its own controllers use it: reads come from memory and are synchronous; writes go through the same
 * path as HTTP writes (defaults, validation, conflicts, managedFields) and resolve when durable.
 */
export interface ApiServer {
  get(resource: GroupResource, namespace: string | undefined, name: string): ApiObject | undefined;
  /** Frozen objects: copy before changing. */
  list(resource: GroupResource, options?: { namespace?: string; labels?: Record<string, string> }): ApiObject[];
  /** Dependents by owner uid. */
  ownedBy(uid: string): ApiObject[];
  /** Every kind that is served now, for garbage collection and namespace deletion. */
  resources(): { resource: GroupResource; gvk: Gvk; namespaced: boolean }[];
  /** Called after each committed change, in order, on a later turn of the loop; initial state is not replayed. */
  onChange(resource: GroupResource | '*', listener: (change: ApiChange) => void): () => void;
  create(object: ApiObject, manager: string): Promise<ApiObject>;
  /** PUT; throws ApiError 409 when resourceVersion is stale. */
  update(object: ApiObject, manager: string): Promise<ApiObject>;
  updateStatus(object: ApiObject, manager: string): Promise<ApiObject>;
  /**
   * `subresource`: `status`, `scale`, and what controllers need beside: `finalize` of a namespace (patches spec.finalizers)
   * and `binding` of a pod (patch `{ target: { name: node } }`: sets spec.nodeName and the PodScheduled condition).
   */
  mergePatch(
    resource: GroupResource,
    namespace: string | undefined,
    name: string,
    patch: JsonObject,
    options: { manager: string; subresource?: string },
  ): Promise<ApiObject>;
  delete(
    resource: GroupResource,
    namespace: string | undefined,
    name: string,
    options?: ApiDeleteOptions,
  ): Promise<void>;
  /** The `scale` of an object; undefined when there is no such object or its kind has none. */
  scale(resource: GroupResource, namespace: string | undefined, name: string): ObjectScale | undefined;
  setScale(
    resource: GroupResource,
    namespace: string | undefined,
    name: string,
    options: { replicas: number; manager: string },
  ): Promise<void>;
  /** What the nodes measure; undefined when none does. */
  usage(): Promise<UsageReport | undefined>;
}

export interface ObjectScale {
  /** Replicas asked for. */
  wanted: number;
  /** Replicas there are. */
  current: number;
  selects(labels: Record<string, string> | undefined): boolean;
}

/** What the API server asks of the node agent. */
export interface NodeLogs {
  /** A container's log as text chunks; ends at the end unless `follow`. Throws ApiError 400/404 as the real server does. */
  read(
    pod: ApiObject,
    options: {
      container: string;
      follow: boolean;
      previous: boolean;
      timestamps: boolean;
      tailLines?: number;
      sinceSeconds?: number;
      limitBytes?: number;
    },
    signal: AbortSignal,
  ): AsyncIterable<string>;
}

/** What runs on the nodes, measured over a window of time that ended at `at`. */
export interface UsageReport {
  at: number;
  windowMs: number;
  nodes: { name: string; labels: Record<string, string>; cpuNanoCores: number; memoryBytes: number }[];
  pods: {
    namespace: string;
    name: string;
    labels: Record<string, string>;
    containers: { name: string; cpuNanoCores: number; memoryBytes: number }[];
  }[];
}

/** What `metrics.k8s.io` is answered from. */
export interface NodeUsage {
  read(): Promise<UsageReport>;
}
