import { cloneJson, isObject, type JsonObject, jsonEqual, parseJson } from '#base/json.ts';
import { type KubeObject, kindOf } from '#kube/port.ts';
import { annotations, fieldManager } from '#model/argocd/names.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
import { type IgnoreRules, withoutIgnored } from './ignore-differences.ts';
import { withKnownTypes } from './known-types.ts';
import { dropNulls, normalizeForm } from './normalize.ts';
import { jsonThreeWayMerge, onlyFieldsOf, threeWayMerge } from './three-way.ts';
import type { KindKnowledge, TypeKnowledge } from './type-knowledge.ts';

export interface LocalDiffInput {
  desired: KubeObject;
  live: KubeObject;
  types: TypeKnowledge;
  rules: IgnoreRules;
  settings: Pick<ArgoSettings, 'customizations' | 'compare'>;
  /** The object is applied by server-side apply: what it says is merged with what it owned. */
  serverSide: boolean;
}

export interface LocalDiff {
  modified: boolean;
  /** Both forms after normalisation: what is, and what an apply would make of it. */
  live: KubeObject;
  predicted: KubeObject;
}

/**
 * Tells from two objects alone what applying the desired one would change, as Argo CD's three-way and structured-merge
 * comparisons do: both in canonical form, without what is ignored, the merge with the defaults of the built-in kinds.
 */
export function diffLocally(input: LocalDiffInput): LocalDiff {
  const { types, rules, settings } = input;
  const kind = types.kind(kindOf(input.desired));
  const form = (object: KubeObject, known: KindKnowledge | undefined): KubeObject =>
    withKnownTypes(withoutIgnored(normalizeForm(canonical(object, known), settings), rules), { types, settings });
  const desired = form(input.desired, kind);
  const live = form(input.live, kind);
  const merged = input.serverSide && kind ? applied(kind, live, desired) : undefined;
  const predicted =
    merged ?? mergeClientSide(input, { desired, live, kind, form: (object) => form(object, undefined) });
  const [before, after] = [finished(live, kind), finished(predicted, kind)];
  return { modified: !jsonEqual(before, after), live: before, predicted: after };
}

/** In the words of its type, but only what the object said. */
function canonical(object: KubeObject, kind: KindKnowledge | undefined): KubeObject {
  const typed = kind?.canonical(object);
  return (typed ? onlyFieldsOf(object, typed) : cloneJson(object)) as KubeObject;
}

/** Undefined when server-side apply would refuse the object. */
function applied(kind: KindKnowledge, live: KubeObject, desired: KubeObject): KubeObject | undefined {
  const { managedFields: _fields, resourceVersion: _version, ...metadata } = desired.metadata;
  try {
    return kind.applied(live, dropNulls({ ...desired, metadata }) as KubeObject, fieldManager);
  } catch {
    // As a server would not take it: a client-side apply is the next that can be said.
    return undefined;
  }
}

interface Prepared {
  desired: KubeObject;
  live: KubeObject;
  kind: KindKnowledge | undefined;
  form: (object: KubeObject) => KubeObject;
}

function mergeClientSide(input: LocalDiffInput, { desired, live, kind, form }: Prepared): KubeObject {
  const last = lastAppliedOf(input.live);
  const forms = {
    original: withoutPlace(last ? form(last) : desired),
    desired: withoutPlace(desired),
    live,
  };
  if (!kind) return jsonThreeWayMerge(forms) as KubeObject;
  const merged = threeWayMerge(forms, kind.shape) as KubeObject;
  return withClaimTemplates(merged, forms);
}

/** The object that was last applied by client-side apply; undefined when none was, or when its note cannot be read. */
function lastAppliedOf(live: KubeObject): KubeObject | undefined {
  const text = live.metadata.annotations?.[annotations.lastApplied];
  if (text === undefined) return undefined;
  try {
    const parsed = parseJson(text, 'last-applied annotation');
    return isObject(parsed) && isObject(parsed['metadata']) ? (parsed as KubeObject) : undefined;
  } catch {
    // Whoever wrote the note wrote no JSON: there is nothing to compare with.
    return undefined;
  }
}

/** Live objects name their namespace, manifests need not; an empty map of annotations is none. */
function withoutPlace(object: KubeObject): KubeObject {
  const { namespace: _namespace, ...metadata } = object.metadata;
  const notes: unknown = metadata['annotations'];
  if (notes === null || (isObject(notes) && Object.keys(notes).length === 0)) delete metadata['annotations'];
  return { ...object, metadata } as KubeObject;
}

/** The server fills in what claim templates leave open, and nobody may change them later: only what was said counts. */
function withClaimTemplates(
  merged: KubeObject,
  forms: { original: KubeObject; desired: KubeObject; live: KubeObject },
): KubeObject {
  if (merged.kind !== 'StatefulSet') return merged;
  const part = (object: KubeObject): JsonObject => {
    const spec = isObject(object['spec']) ? object['spec'] : {};
    return { volumeClaimTemplates: spec['volumeClaimTemplates'] };
  };
  const seen = onlyFieldsOf(part(forms.original), part(forms.live));
  if (!jsonEqual(seen, part(forms.desired)) || !isObject(merged['spec'])) return merged;
  return { ...merged, spec: { ...merged['spec'], ...part(forms.live) } };
}

function finished(object: KubeObject, kind: KindKnowledge | undefined): KubeObject {
  const { managedFields: _fields, ...metadata } = object.metadata;
  if (metadata.annotations?.[annotations.lastApplied] !== undefined) {
    const { [annotations.lastApplied]: _last, ...kept } = metadata.annotations;
    metadata.annotations = kept;
    if (Object.keys(kept).length === 0) delete metadata.annotations;
  }
  const plain = { ...object, metadata } as KubeObject;
  const typed = kind?.canonical(plain);
  // A merge comes back with what Go prints of empty parts: both forms get it, and lose what says nothing.
  return kind && typed ? (dropNulls(kind.withDefaults(typed as KubeObject)) as KubeObject) : plain;
}
