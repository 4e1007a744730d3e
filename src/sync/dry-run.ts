import { canonicalJson, sha256Hex } from '#base/digest.ts';
import { isAppError, messageOf } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { KubeClient, KubeObject } from '#kube/port.ts';
import type { ResourceResult } from '#model/argocd/application.ts';
import { fieldManager } from '#model/argocd/names.ts';
import { hasDuplicateKeys } from './client-side-apply.ts';
import { isPrune, resultOf, type SyncTask } from './task.ts';

/** Members whose keys are the user's own: only the kinds of their values say anything. */
const freeMaps = new Set(['labels', 'annotations', 'matchLabels', 'data', 'stringData', 'nodeSelector', 'selector']);
const maxShapes = 20_000;

function shapeOf(value: unknown, name: string): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => canonicalJson(shapeOf(item, '')));
    return [...new Set(items)].sort();
  }
  if (!isObject(value)) return value === null ? null : typeof value;
  const members = Object.entries(value).map(([key, member]) => [key, shapeOf(member, key)] as const);
  const kinds = new Set(members.map(([, shape]) => shape));
  return freeMaps.has(name) && kinds.size === 1 && kinds.has('string') ? 'strings' : Object.fromEntries(members);
}

/** The same for two objects that a schema, which knows fields and types but no values, cannot tell apart. */
export function schemaShape(object: KubeObject): string {
  const { metadata, ...rest } = object;
  const { name: _name, namespace: _namespace, ...others } = metadata;
  const shape = canonicalJson([object.apiVersion, object.kind, shapeOf({ ...rest, metadata: others }, '')]);
  return sha256Hex(shape);
}

/** Shapes that one cluster's schemas are known to accept, until its kinds change. */
export class AcceptedShapes {
  readonly #shapes = new Set<string>();

  has(object: KubeObject): boolean {
    return this.#shapes.has(schemaShape(object));
  }

  add(object: KubeObject): void {
    if (this.#shapes.size >= maxShapes) this.#shapes.clear();
    this.#shapes.add(schemaShape(object));
  }

  clear(): void {
    this.#shapes.clear();
  }
}

/**
 * True for what a client that knows the schemas would refuse: unknown fields, wrong types. What only the server can know
 * (values, admission, quotas, a namespace that is still to come) shows when the object is applied.
 */
function isMalformed(code: string, message: string): boolean {
  if (code !== 'bad-input' || hasDuplicateKeys(message)) return false;
  return !message.includes(' is invalid: ') && !message.includes('admission webhook') && !message.includes('dry run');
}

export interface DryRunDeps {
  kube: Pick<KubeClient, 'apply'>;
  accepted: AcceptedShapes;
}

const concurrency = 16;

/** Asks about one object what is not known yet; gives why it is malformed. */
async function problemOf(deps: DryRunDeps, task: SyncTask, signal: AbortSignal): Promise<string | undefined> {
  const { target, foreseen } = task;
  if (!target || !task.options.validate) return undefined;
  if (foreseen)
    return foreseen.rejected !== undefined && isMalformed('bad-input', foreseen.rejected)
      ? foreseen.rejected
      : undefined;
  if (deps.accepted.has(target)) return undefined;
  try {
    await deps.kube.apply(target, { fieldManager, dryRun: true, force: true }, signal);
    deps.accepted.add(target);
    return undefined;
  } catch (error) {
    if (signal.aborted || !isAppError(error)) throw error;
    return isMalformed(error.code, error.message) ? messageOf(error) : undefined;
  }
}

/**
 * Looks for malformed objects before the first write of a sync: gives a failed result for each. The API server is asked
 * only about objects that no comparison and no earlier write has told about, one of each shape.
 */
export async function dryRunTasks(
  deps: DryRunDeps,
  tasks: readonly SyncTask[],
  signal: AbortSignal,
): Promise<ResourceResult[]> {
  const namespaces = new Set(tasks.filter((task) => task.target?.kind === 'Namespace').map((task) => task.key.name));
  const seen = new Set<string>();
  const queue = tasks.filter((task) => {
    if (isPrune(task) || !task.target || task.skipDryRun) return false;
    if (task.foreseen) return task.foreseen.rejected !== undefined;
    // An object in a namespace that is still to come cannot be asked about.
    if (task.key.namespace !== undefined && namespaces.has(task.key.namespace) && !task.live) return false;
    const shape = schemaShape(task.target);
    return !seen.has(shape) && seen.add(shape);
  });
  const failed: ResourceResult[] = [];
  const worker = async (): Promise<void> => {
    for (let task = queue.shift(); task; task = queue.shift()) {
      const message = await problemOf(deps, task, signal);
      if (message !== undefined) failed.push(resultOf(task, { status: 'SyncFailed', message, hookPhase: 'Failed' }));
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, queue.length) }, worker));
  return failed;
}
