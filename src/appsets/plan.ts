import { canonicalJson } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import { isObject, type JsonObject } from '#base/json.ts';
import { mergePatchBetween } from '#base/merge-patch.ts';
import type { KubeObject, OwnerReference } from '#kube/port.ts';
import type { ApplicationSet, ApplicationsSync } from '#model/argocd/application-set.ts';
import { annotations, finalizers } from '#model/argocd/names.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
import { type IgnoredDifferences, ignoredDifferences } from './ignore-differences.ts';
import { normalizeApplicationSpec } from './normalize-spec.ts';

export type ApplicationAction =
  | { kind: 'create'; name: string; object: KubeObject }
  /** A merge patch on what was seen. */
  | { kind: 'update'; name: string; patch: JsonObject; seen: KubeObject }
  | { kind: 'delete'; name: string; seen: KubeObject; releaseResources: boolean }
  /** Somebody else's Application has the name. */
  | { kind: 'refuse'; name: string; message: string };

export interface PlanInput {
  set: ApplicationSet;
  /** Those that may be written, in any order. */
  desired: readonly JsonObject[];
  /** Every name that was generated: what is invalid is not written, and not deleted either. */
  generatedNames: ReadonlySet<string>;
  /** All Applications in the set's namespace, by name. */
  live: ReadonlyMap<string, KubeObject>;
  policy: ApplicationsSync;
  settings: Pick<ArgoSettings['applicationSets'], 'preservedAnnotations' | 'preservedLabels'>;
  isReachable: (destination: unknown) => boolean;
}

const apiVersion = 'argoproj.io/v1alpha1';
const alwaysPreserved = ['notified.notifications.argoproj.io', annotations.refresh, 'argocd.argoproj.io/hydrate'];
const lifecycleFinalizers = [finalizers.preDelete, finalizers.postDelete];

/** The policy of a set: its own counts only where the settings permit it. */
export function policyOf(set: ApplicationSet, settings: ArgoSettings['applicationSets']): ApplicationsSync {
  const own = set.spec.syncPolicy.applicationsSync;
  const general = settings.policy === '' ? 'sync' : settings.policy;
  return own !== undefined && settings.policyOverride ? own : general;
}

export function mayUpdate(policy: ApplicationsSync): boolean {
  return policy === 'sync' || policy === 'create-update';
}

export function mayDelete(policy: ApplicationsSync): boolean {
  return policy === 'sync' || policy === 'create-delete';
}

function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find(({ controller }) => controller === true);
}

/** By name, as Argo CD finds them: a set that was deleted and made again takes its Applications back. */
export function isOwnedBy(object: KubeObject, set: ApplicationSet): boolean {
  const owner = controllerOf(object);
  return (
    owner !== undefined &&
    owner.apiVersion === apiVersion &&
    owner.kind === 'ApplicationSet' &&
    owner.name === set.metadata.name &&
    object.metadata.namespace === set.metadata.namespace
  );
}

function ownReference(set: ApplicationSet): OwnerReference {
  const { name, uid = '' } = set.metadata;
  return { apiVersion, kind: 'ApplicationSet', name, uid, controller: true, blockOwnerDeletion: true };
}

function stringMap(value: unknown): Record<string, string> {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)]));
}

function keep(own: Record<string, string>, live: Record<string, string> | undefined, names: readonly string[]) {
  const out = { ...own };
  for (const name of names) {
    const value = live?.[name];
    if (value !== undefined) out[name] = value;
  }
  return out;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

interface Target {
  metadata: JsonObject;
  spec: JsonObject;
  operation: unknown;
}

/** What the Application is to be, with what is preserved of the one there is. */
function targetOf(desired: JsonObject, live: KubeObject | undefined, input: PlanInput): Target {
  const { set, settings } = input;
  const metadata = isObject(desired['metadata']) ? desired['metadata'] : {};
  const { preservedFields } = set.spec;
  const keptAnnotations = [...preservedFields.annotations, ...settings.preservedAnnotations, ...alwaysPreserved];
  const keptLabels = [...preservedFields.labels, ...settings.preservedLabels];
  const lifecycle = (live?.metadata.finalizers ?? []).filter((name) =>
    lifecycleFinalizers.some((prefix) => name.startsWith(prefix)),
  );
  const others = (live?.metadata.ownerReferences ?? []).filter(({ controller }) => controller !== true);
  return {
    metadata: {
      annotations: keep(stringMap(metadata['annotations']), live?.metadata.annotations, keptAnnotations),
      labels: keep(stringMap(metadata['labels']), live?.metadata.labels, keptLabels),
      finalizers: [...texts(metadata['finalizers']), ...lifecycle],
      ownerReferences: [...others, ownReference(set)],
    },
    spec: normalizeApplicationSpec(desired['spec']),
    operation: desired['operation'],
  };
}

function created(name: string, target: Target, set: ApplicationSet): KubeObject {
  const filled = Object.entries(target.metadata).filter(([, value]) => Object.keys(value ?? {}).length > 0);
  return {
    apiVersion,
    kind: 'Application',
    metadata: { name, namespace: set.metadata.namespace ?? '', ...Object.fromEntries(filled) },
    spec: target.spec,
    ...(target.operation === undefined ? {} : { operation: target.operation }),
  };
}

function patchOf(live: KubeObject, target: Target, ignored: IgnoredDifferences): JsonObject | undefined {
  const { annotations: notes = {}, labels = {}, finalizers: ends = [], ownerReferences = [] } = live.metadata;
  const before = {
    metadata: { annotations: notes, labels, finalizers: ends, ownerReferences },
    spec: normalizeApplicationSpec(live['spec']),
  };
  const after = { metadata: target.metadata, spec: target.spec };
  const { name } = live.metadata;
  const patch = mergePatchBetween(ignored.strip(before, name), ignored.strip(after, name));
  const changes = isObject(patch) ? patch : {};
  if (target.operation !== undefined) changes['operation'] = target.operation;
  return Object.keys(changes).length > 0 ? changes : undefined;
}

/** What was found equal: the same two objects need no second look. */
const equal = new WeakMap<JsonObject, { seen: KubeObject; basis: string }>();

function basisOf({ set, settings, policy }: PlanInput): string {
  const { preservedFields, ignoreApplicationDifferences } = set.spec;
  const { preservedAnnotations, preservedLabels } = settings;
  const { name, namespace, uid } = set.metadata;
  return canonicalJson([
    preservedFields,
    ignoreApplicationDifferences,
    preservedAnnotations,
    preservedLabels,
    policy,
    name,
    namespace,
    uid,
  ]);
}

function planOne(
  name: string,
  desired: JsonObject,
  input: PlanInput,
  ignored: IgnoredDifferences,
): ApplicationAction | undefined {
  const { set, live, policy } = input;
  const seen = live.get(name);
  const target = targetOf(desired, seen, input);
  if (!seen) return { kind: 'create', name, object: created(name, target, set) };
  if (!mayUpdate(policy) && isOwnedBy(seen, set)) return undefined;
  const owner = controllerOf(seen);
  if (owner && owner.uid !== set.metadata.uid && !isOwnedBy(seen, set))
    return {
      kind: 'refuse',
      name,
      message: `Object ${set.metadata.namespace}/${name} is already owned by another ${owner.kind} controller ${owner.name}`,
    };
  const patch = patchOf(seen, target, ignored);
  return patch ? { kind: 'update', name, patch, seen } : undefined;
}

function planDeletions({ set, live, generatedNames, isReachable }: PlanInput): ApplicationAction[] {
  const out: ApplicationAction[] = [];
  for (const [name, seen] of live) {
    if (generatedNames.has(name) || !isOwnedBy(seen, set) || seen.metadata.deletionTimestamp !== undefined) continue;
    const spec = isObject(seen['spec']) ? seen['spec'] : {};
    const resources = (seen.metadata.finalizers ?? []).includes(finalizers.foreground[0]);
    const releaseResources = resources && !isReachable(spec['destination']);
    out.push({ kind: 'delete', name, seen, releaseResources });
  }
  return out;
}

/** Everything that is to be written, in the order of names: nothing when all is as it should be. */
export function planApplications(input: PlanInput): ApplicationAction[] {
  const ignored = ignoredDifferences(input.set.spec);
  const named = input.desired.map((desired) => {
    const metadata = isObject(desired['metadata']) ? desired['metadata'] : {};
    return { name: String(metadata['name'] ?? ''), desired };
  });
  const sorted = named.sort((a, b) => (a.name < b.name ? -1 : 1));
  const basis = basisOf(input);
  const actions = sorted.flatMap(({ name, desired }) => {
    const seen = input.live.get(name);
    const known = equal.get(desired);
    if (seen && known?.seen === seen && known.basis === basis) return [];
    const action = planOne(name, desired, input, ignored);
    if (seen && !action) equal.set(desired, { seen, basis });
    return action ?? [];
  });
  return mayDelete(input.policy) ? [...actions, ...planDeletions(input)] : actions;
}

export interface Validated {
  valid: JsonObject[];
  /** Message by the name of the Application. */
  errors: Map<string, string>;
  names: Set<string>;
}

export interface ValidationDeps {
  projectExists: (name: string) => boolean;
  /** What is wrong with a destination; undefined when it leads to a cluster. */
  destinationProblem: (destination: unknown) => string | undefined;
  /** What is wrong with the document. */
  documentProblems: (application: JsonObject) => readonly string[];
}

/** Sorts out what cannot be applied: without a name, with a name twice, without its project or its cluster. */
export function validateApplications(
  set: ApplicationSet,
  applications: readonly JsonObject[],
  deps: ValidationDeps,
): Validated {
  const out: Validated = { valid: [], errors: new Map(), names: new Set() };
  const setName = set.metadata.name;
  const invalid = new Set<string>();
  for (const application of applications) {
    const metadata = isObject(application['metadata']) ? application['metadata'] : {};
    const name = String(metadata['name'] ?? '');
    const problem = out.names.has(name)
      ? `ApplicationSet ${setName} contains applications with duplicate name: ${name}`
      : problemOf(name, application, setName, deps);
    if (name !== '') out.names.add(name);
    if (problem === undefined) out.valid.push(application);
    else {
      out.errors.set(name, problem);
      invalid.add(name);
    }
  }
  // Neither of two with one name is applied.
  out.valid = out.valid.filter((application) => {
    const metadata = isObject(application['metadata']) ? application['metadata'] : {};
    return !invalid.has(String(metadata['name'] ?? ''));
  });
  return out;
}

function problemOf(name: string, application: JsonObject, setName: string, deps: ValidationDeps): string | undefined {
  if (name === '')
    return `ApplicationSet ${setName} contains an application with no name; a name must be set in the template's metadata.name or via a templatePatch (generateName is not supported)`;
  const problems = deps.documentProblems(application);
  if (problems.length > 0) return `application ${name} is invalid: ${problems.join('; ')}`;
  const spec = isObject(application['spec']) ? application['spec'] : {};
  const project = String(spec['project'] ?? '');
  if (!deps.projectExists(project === '' ? 'default' : project))
    return `application references project ${project} which does not exist`;
  const destination = deps.destinationProblem(spec['destination']);
  return destination === undefined ? undefined : `application destination spec is invalid: ${destination}`;
}

/** The one message for all that was refused. */
export function summaryOf(errors: ReadonlyMap<string, string>): string {
  const last = [...errors.keys()].sort().at(-1);
  if (last === undefined) throw new AppError('bad-input', 'there is no error to tell');
  const message = errors.get(last) ?? '';
  return errors.size > 1 ? `${message} (and ${errors.size - 1} more)` : message;
}
