import type { JsonObject } from '#base/json.ts';
import { cloneJson, isObject, jsonEqual } from '#base/json.ts';
import { ApiError } from '../api/port.ts';
import { goJsonKind } from './go-format.ts';

const maxOperations = 10_000;

/** The real server hides why an operation failed; the reason stays in `cause` for the log. */
class PatchFailure extends Error {}

/** RFC 6902. Throws ApiError 400 for a malformed patch and 422 when an operation or a test fails. */
export function jsonPatch(target: JsonObject, patch: unknown): JsonObject {
  if (!Array.isArray(patch)) {
    const why = `json: cannot unmarshal ${goJsonKind(patch)} into Go value of type []handlers.jsonPatchOp`;
    throw new ApiError(400, 'BadRequest', `error decoding patch: ${why}`);
  }
  if (patch.length > maxOperations) {
    throw new ApiError(
      413,
      'RequestEntityTooLarge',
      `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`,
    );
  }
  let root: unknown = cloneJson(target);
  try {
    for (const operation of patch) root = applyOperation(root, operation);
  } catch (error) {
    if (!(error instanceof PatchFailure)) throw error;
    const refusal = new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
    refusal.cause = error;
    throw refusal;
  }
  if (!isObject(root)) throw new ApiError(400, 'BadRequest', 'a JSON patch must leave an object');
  return root;
}

function applyOperation(root: unknown, operation: unknown): unknown {
  if (!isObject(operation)) throw new PatchFailure('an operation must be an object');
  const path = pointer(operation['path']);
  switch (operation['op']) {
    case 'add':
      return add(root, path, operand(operation));
    case 'remove':
      return remove(root, path);
    case 'replace':
      if (path.length === 0) return operand(operation);
      get(root, path);
      return set(root, path, operand(operation));
    case 'move': {
      const from = pointer(operation['from']);
      const value = get(root, from);
      return add(remove(root, from), path, value);
    }
    case 'copy':
      return add(root, path, cloneJson(get(root, pointer(operation['from']))));
    case 'test':
      return test(root, path, operation);
    default:
      throw new PatchFailure(`unexpected kind: ${String(operation['op'])}`);
  }
}

function operand(operation: JsonObject): unknown {
  if (!Object.hasOwn(operation, 'value')) throw new PatchFailure('the operation lacks a value');
  return cloneJson(operation['value']);
}

function pointer(text: unknown): string[] {
  if (typeof text !== 'string' || (text !== '' && !text.startsWith('/'))) throw new PatchFailure('bad pointer');
  return text
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function index(list: unknown[], step: string, limit: number): number {
  if (!/^(0|-?[1-9]\d*)$/.test(step)) throw new PatchFailure(`${step} is no index`);
  const number = Number(step) < 0 ? Number(step) + list.length : Number(step);
  if (number < 0 || number > limit) throw new PatchFailure(`index ${step} is out of bounds`);
  return number;
}

function get(root: unknown, path: string[]): unknown {
  let at = root;
  for (const step of path) {
    if (Array.isArray(at)) at = at[index(at, step, at.length - 1)];
    else if (isObject(at) && Object.hasOwn(at, step)) at = at[step];
    else throw new PatchFailure(`nothing at /${path.join('/')}`);
  }
  return at;
}

function parentOf(root: unknown, path: string[]): { parent: unknown; last: string } {
  return { parent: get(root, path.slice(0, -1)), last: path[path.length - 1] ?? '' };
}

function add(root: unknown, path: string[], value: unknown): unknown {
  if (path.length === 0) return value;
  const { parent, last } = parentOf(root, path);
  if (Array.isArray(parent)) parent.splice(last === '-' ? parent.length : index(parent, last, parent.length), 0, value);
  else if (isObject(parent)) parent[last] = value;
  else throw new PatchFailure(`cannot add to /${path.join('/')}`);
  return root;
}

function set(root: unknown, path: string[], value: unknown): unknown {
  const { parent, last } = parentOf(root, path);
  if (Array.isArray(parent)) parent[index(parent, last, parent.length - 1)] = value;
  else if (isObject(parent)) parent[last] = value;
  return root;
}

function remove(root: unknown, path: string[]): unknown {
  get(root, path);
  const { parent, last } = parentOf(root, path);
  if (Array.isArray(parent)) parent.splice(index(parent, last, parent.length - 1), 1);
  else if (isObject(parent)) delete parent[last];
  return root;
}

function test(root: unknown, path: string[], operation: JsonObject): unknown {
  const want = operation['value'] ?? null;
  let found: unknown = null;
  try {
    found = get(root, path);
  } catch (error) {
    if (want !== null) throw error;
  }
  if (!jsonEqual(found, want)) throw new PatchFailure(`testing value /${path.join('/')} failed`);
  return root;
}
