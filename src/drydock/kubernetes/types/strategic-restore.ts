import { isObject } from '#base/json.ts';
import { elementOf, type ScalarNode, type SchemaNode } from './schema-node.ts';

/**
 * Why a merged object does not fit the Go types, in the words of the converter that upstream takes after a strategic
 * merge: `cannot restore map from string`. Undefined when it fits; texts with a syntax of their own are decoded later.
 */
export function restoreProblem(node: SchemaNode, value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  switch (node.kind) {
    case 'any':
      return undefined;
    case 'scalar':
      return scalarProblem(node, value);
    case 'list':
      if (!Array.isArray(value)) return `cannot restore slice from ${goKind(value)}`;
      return first(value, (item) => restoreProblem(node.element, item));
    case 'map':
    case 'struct':
      if (!isObject(value))
        return `cannot restore ${node.kind === 'map' ? 'map from' : 'struct from:'} ${goKind(value)}`;
      return first(Object.entries(value), ([key, member]) => {
        const inner = elementOf(node, key);
        return inner && restoreProblem(inner, member);
      });
  }
}

function first<T>(items: readonly T[], problem: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = problem(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

const plainKinds: Partial<Record<ScalarNode['scalar'], string>> = {
  string: 'string',
  bool: 'bool',
  int32: 'int32',
  int64: 'int64',
  float64: 'float64',
};
const numbers = ['int32', 'int64', 'float64'];

/** Go takes whole numbers for any integer; what it could convert but JSON does not is refused in other words. */
function scalarProblem(node: ScalarNode, value: unknown): string | undefined {
  const wanted = plainKinds[node.scalar];
  if (wanted === undefined) return undefined;
  const given = goKind(value);
  const isWhole = wanted === 'int32' || wanted === 'int64';
  if (given === wanted || (given === 'int64' && isWhole)) return undefined;
  const convertible =
    numbers.includes(given) && (numbers.includes(wanted) || (given === 'int64' && wanted === 'string'));
  if (convertible) return `cannot convert ${given} to ${wanted === 'string' ? node.goType : wanted}`;
  return `unrecognized type: ${wanted}`;
}

function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'slice';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  return isObject(value) ? 'map' : 'string';
}
