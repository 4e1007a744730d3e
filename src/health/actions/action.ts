import { AppError } from '#base/errors.ts';
import { cloneJson, isObject, type JsonObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';

export interface ActionParameter {
  name: string;
  value?: string;
  type?: string;
  default?: string;
}

/** An action as it is offered for one object, in the form of Argo CD's API. */
export interface OfferedAction {
  name: string;
  disabled?: boolean;
  iconClass?: string;
  displayName?: string;
  params?: ActionParameter[];
}

/** What an action wants written: a change of the object itself, or another object beside it. */
export interface ActionResult {
  operation: 'create' | 'patch';
  object: KubeObject;
}

export interface ActionInput {
  parameters: Readonly<Record<string, string>>;
  nowMs: number;
}

export interface BuiltInAction extends Omit<OfferedAction, 'disabled' | 'params'> {
  /** Not offered at all where this is false. */
  offered?: (object: KubeObject) => boolean;
  disabled?: (object: KubeObject) => boolean;
  params?: (object: KubeObject) => ActionParameter[];
  run: (object: KubeObject, input: ActionInput) => ActionResult[];
}

function member(parent: JsonObject, key: string): JsonObject {
  const found = parent[key];
  if (isObject(found)) return found;
  const made: JsonObject = {};
  parent[key] = made;
  return made;
}

/** A copy with `value` at `path`, whose objects are made where they are not there; undefined takes the member away. */
export function withField(object: KubeObject, path: readonly string[], value: unknown): KubeObject {
  const copy = cloneJson(object);
  const last = path.at(-1) ?? '';
  let parent: JsonObject = copy;
  for (const key of path.slice(0, -1)) parent = member(parent, key);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

export function patched(object: KubeObject): ActionResult[] {
  return [{ operation: 'patch', object }];
}

/** An action that sets one member of the object itself. */
export function setting(path: readonly string[], value: unknown): BuiltInAction['run'] {
  return (object) => patched(withField(object, path, value));
}

export function annotating(name: string, value: string | undefined): BuiltInAction['run'] {
  return setting(['metadata', 'annotations', name], value);
}

/** UTC with whole seconds, as controllers compare it. */
export function seconds(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19);
}

/** A whole number or a fraction, as it was given. Throws bad-input. */
export function replicasOf(input: ActionInput): number {
  const given = input.parameters['replicas'] ?? '';
  const number = Number(given);
  if (given.trim() === '' || Number.isNaN(number)) throw new AppError('bad-input', `invalid number: ${given}`);
  return number;
}

/** Of Argo CD's page. */
export const icon = (name: string): string => `fa fa-fw fa-${name}`;

export const restartedAt = 'kubectl.kubernetes.io/restartedAt';
