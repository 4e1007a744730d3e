import { isObject, type JsonObject, parseJson } from '#base/json.ts';
import { type ApiResource, type KubeClient, type KubeObject, kindOf } from '#kube/port.ts';
import { annotations, fieldManager } from '#model/argocd/names.ts';
import { threeWayMerge } from './three-way.ts';
import type { TypeKnowledge } from './type-knowledge.ts';

/**
 * True for objects that server-side apply cannot take although a plain write can: lists that are matched by a key and
 * hold it twice, such as two environment variables of one name.
 */
export function hasDuplicateKeys(message: string): boolean {
  return message.includes('failed to create typed patch object') && message.includes('duplicate entries for key');
}

function withoutLastApplied(object: KubeObject): KubeObject {
  const { [annotations.lastApplied]: _last, ...notes } = object.metadata.annotations ?? {};
  return { ...object, metadata: { ...object.metadata, annotations: notes } };
}

function withLastApplied(object: KubeObject, applied: KubeObject): KubeObject {
  const notes = { ...object.metadata.annotations, [annotations.lastApplied]: `${JSON.stringify(applied)}\n` };
  return { ...object, metadata: { ...object.metadata, annotations: notes } };
}

function lastApplied(live: KubeObject): JsonObject | undefined {
  const text = live.metadata.annotations?.[annotations.lastApplied];
  if (text === undefined) return undefined;
  const parsed = parseJson(text, `the annotation ${annotations.lastApplied} of ${live.kind} ${live.metadata.name}`);
  return isObject(parsed) ? parsed : undefined;
}

/** Applies as kubectl does without `--server-side`: a three-way merge that is written whole, and remembered in the object. */
export async function clientSideApply(
  deps: { kube: Pick<KubeClient, 'get' | 'create' | 'replace'>; types: TypeKnowledge | undefined },
  input: { resource: ApiResource; object: KubeObject; dryRun: boolean },
  signal: AbortSignal,
): Promise<KubeObject> {
  const { resource, object, dryRun } = input;
  const desired = withoutLastApplied(object);
  const write = { fieldManager, dryRun };
  const live = await deps.kube.get(resource, object.metadata, signal);
  if (!live) return await deps.kube.create(withLastApplied(desired, desired), write, signal);
  const shape = deps.types?.kind(kindOf(object))?.shape;
  const forms = { original: lastApplied(live) ?? { ...desired }, desired: { ...desired }, live: { ...live } };
  // The version that was read is in it: whoever writes meanwhile is not overwritten.
  const merged = threeWayMerge(forms, shape) as KubeObject;
  return await deps.kube.replace(withLastApplied(merged, desired), write, signal);
}
