import type { LiveState } from '#apps/live-state.ts';
import { canonicalJson } from '#base/digest.ts';
import { isAppError } from '#base/errors.ts';
import { isObject, type JsonObject, jsonEqual } from '#base/json.ts';
import { mergePatchBetween } from '#base/merge-patch.ts';
import type { ApiResource, KubeClient, KubeObject } from '#kube/port.ts';
import type { Application, ApplicationStatus, Operation } from '#model/argocd/application.ts';
import { parseApplication } from '#model/argocd/application-schema.ts';
import { statusManager } from '#model/argocd/names.ts';

export interface StatusWriterDeps {
  kube: Pick<KubeClient, 'patch' | 'get'>;
  live: Pick<LiveState, 'noteWritten'>;
}

/** What was last sent, for an object whose server does not keep all of it (an older schema drops unknown fields). */
export interface LastWrite {
  resourceVersion: string | undefined;
  body: string;
}

export interface StatusChange {
  status?: ApplicationStatus | undefined;
  /** Null removes it. */
  operation?: Operation | null | undefined;
  /** Annotations to remove. */
  removeAnnotations?: string[] | undefined;
  finalizers?: string[] | undefined;
  project?: string | undefined;
}

function bodyOf(application: Application, change: StatusChange): JsonObject | undefined {
  const body: JsonObject = {};
  const metadata: JsonObject = {};
  const status = change.status && mergePatchBetween(application.status ?? {}, change.status);
  if (status !== undefined) body['status'] = status;
  if (change.operation === null && application.operation !== undefined) body['operation'] = null;
  if (change.operation) body['operation'] = change.operation;
  const gone = (change.removeAnnotations ?? []).filter(
    (name) => application.metadata.annotations?.[name] !== undefined,
  );
  if (gone.length > 0) metadata['annotations'] = Object.fromEntries(gone.map((name) => [name, null]));
  if (change.finalizers) metadata['finalizers'] = change.finalizers;
  if (Object.keys(metadata).length > 0) body['metadata'] = metadata;
  if (change.project !== undefined && change.project !== application.spec.project)
    body['spec'] = { project: change.project };
  return Object.keys(body).length > 0 ? body : undefined;
}

function withoutTime(status: unknown): unknown {
  if (!isObject(status)) return status;
  const { reconciledAt: _then, ...rest } = status;
  return rest;
}

/** Nobody but us changed anything that a decision was made from. */
function sameWish(object: KubeObject, application: Application): boolean {
  const other = parseApplication(object).application;
  return (
    object.metadata.uid === application.metadata.uid &&
    jsonEqual(other.spec, application.spec) &&
    jsonEqual(other.operation, application.operation) &&
    jsonEqual(other.metadata.annotations, application.metadata.annotations) &&
    other.metadata.deletionTimestamp === application.metadata.deletionTimestamp &&
    jsonEqual(other.status, application.status)
  );
}

/**
 * Writes what changed of an Application in one request, on condition that nobody changed it since it was read. Gives the
 * object as it is then; undefined when there was nothing to write. Throws AppError conflict when somebody did.
 */
export async function writeApplication(
  deps: StatusWriterDeps,
  resource: ApiResource,
  write: { application: Application; change: StatusChange; last: LastWrite | undefined },
  signal: AbortSignal,
): Promise<{ object: KubeObject; last: LastWrite } | undefined> {
  const { application, change, last } = write;
  const body = bodyOf(application, change);
  if (!body) return undefined;
  const text = canonicalJson({ ...body, status: withoutTime(body['status']) });
  if (last?.body === text && last.resourceVersion === application.metadata.resourceVersion) return undefined;
  const ref = { name: application.metadata.name, namespace: application.metadata.namespace };
  const send = async (resourceVersion: string | undefined) => {
    const metadata = { ...(body['metadata'] as JsonObject | undefined), resourceVersion };
    return await deps.kube.patch(
      resource,
      ref,
      { type: 'merge', body: { ...body, metadata } },
      { fieldManager: statusManager },
      signal,
    );
  };
  let result: KubeObject;
  try {
    result = await send(application.metadata.resourceVersion);
  } catch (error) {
    if (!isAppError(error, 'conflict')) throw error;
    const current = await deps.kube.get(resource, ref, signal);
    if (!current || !sameWish(current, application)) throw error;
    result = await send(current.metadata.resourceVersion);
  }
  deps.live.noteWritten(result);
  return { object: result, last: { resourceVersion: result.metadata.resourceVersion, body: text } };
}
