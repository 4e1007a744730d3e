import { cloneJson, isObject, type JsonObject, jsonEqual } from './json.ts';

/** An operation, or a test, that does not fit the document. */
export class JsonPatchFailure extends Error {}

/** RFC 6902: the document after all operations; the given one stays as it is. Throws JsonPatchFailure. */
export function applyJsonPatch(document: unknown, operations: readonly unknown[]): unknown {
  let root: unknown = cloneJson(document);
  for (const operation of operations) root = applyOperation(root, operation);
  return root;
}

function applyOperation(root: unknown, operation: unknown): unknown {
  if (!isObject(operation)) throw new JsonPatchFailure('an operation must be an object');
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
      throw new JsonPatchFailure(`unexpected kind: ${String(operation['op'])}`);
  }
}

function operand(operation: JsonObject): unknown {
  if (!Object.hasOwn(operation, 'value')) throw new JsonPatchFailure('the operation lacks a value');
  return cloneJson(operation['value']);
}

function pointer(text: unknown): string[] {
  if (typeof text !== 'string' || (text !== '' && !text.startsWith('/'))) throw new JsonPatchFailure('bad pointer');
  return text
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function index(list: unknown[], step: string, limit: number): number {
  if (!/^(0|-?[1-9]\d*)$/.test(step)) throw new JsonPatchFailure(`${step} is no index`);
  const number = Number(step) < 0 ? Number(step) + list.length : Number(step);
  if (number < 0 || number > limit) throw new JsonPatchFailure(`index ${step} is out of bounds`);
  return number;
}

function get(root: unknown, path: string[]): unknown {
  let at = root;
  for (const step of path) {
    if (Array.isArray(at)) at = at[index(at, step, at.length - 1)];
    else if (isObject(at) && Object.hasOwn(at, step)) at = at[step];
    else throw new JsonPatchFailure(`nothing at /${path.join('/')}`);
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
  else throw new JsonPatchFailure(`cannot add to /${path.join('/')}`);
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
  if (!jsonEqual(found, want)) throw new JsonPatchFailure(`testing value /${path.join('/')} failed`);
  return root;
}
