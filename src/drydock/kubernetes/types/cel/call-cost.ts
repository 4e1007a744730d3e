import type { Overload } from './overload.ts';
import { type CelValue, isTagged } from './value.ts';

/** A call that was made, to be counted. */
export interface CallCost {
  name: string;
  args: readonly CelValue[];
  result: CelValue | undefined;
  overload: Overload | undefined;
}

export const traversalFactor = 0.1;
export const regexFactor = 0.25;
/** Formats of the library do not tell the length of their pattern; this is the longest of the usual ones. */
const formatPatternLength = 60;

/** What upstream counts for a call beside its arguments: about one, and for work on long values its length. */
export function callCost({ name, args, result, overload }: CallCost): number {
  const [first = null, second = null] = args;
  switch (name) {
    case 'isSorted':
    case 'sum':
    case 'max':
    case 'min':
    case 'indexOf':
    case 'lastIndexOf':
      return traversal(first);
    case 'url':
    case 'lowerAscii':
    case 'upperAscii':
    case 'substring':
    case 'trim':
    case 'cidr':
    case 'isIP':
    case 'isCIDR':
    case 'quantity':
    case 'isQuantity':
    case 'startsWith':
    case 'endsWith':
    case 'strings.quote':
    case 'format':
      return scaled(first, traversalFactor);
    case 'ip':
      return typeof first === 'string' ? scaled(first, traversalFactor) : 1;
    case 'replace':
    case 'split':
    case 'ip.isCanonical':
      return scaled(first, 2 * traversalFactor);
    case 'join':
      return scaled(result ?? null, 2 * traversalFactor);
    case 'find':
    case 'findAll':
    case 'matches':
      return Math.ceil((1 + sizeOf(first)) * traversalFactor) * scaled(second, regexFactor);
    case 'validate':
      return Math.ceil((1 + sizeOf(second)) * traversalFactor) * Math.ceil(formatPatternLength * regexFactor);
    case 'contains':
      return scaled(first, traversalFactor) * scaled(second, traversalFactor);
    case 'containsIP':
      return containment(first, second);
    case 'containsCIDR':
      return containment(first, second) + scaled(first, traversalFactor) + 1;
    case 'sets.contains':
    case 'sets.intersects':
      return 1 + sizeOf(first) * sizeOf(second);
    case 'sets.equivalent':
      return 1 + 2 * sizeOf(first) * sizeOf(second);
    case '@in':
      return isTagged(second, 'list') ? second.items.length : 1;
    case '_==_':
    case '_!=_':
      if (isTagged(first, 'opaque')) return 1;
      return Math.ceil(Math.min(sizeOf(first), sizeOf(second)) * traversalFactor);
    default:
      return lengthCost(name, args, overload);
  }
}

function lengthCost(name: string, args: readonly CelValue[], overload: Overload | undefined): number {
  const kind = overload?.args[0]?.kind;
  if (kind !== 'string' && kind !== 'bytes') return 1;
  const [first = null, second = null] = args;
  if (name === '_+_') return Math.ceil((sizeOf(first) + sizeOf(second)) * traversalFactor);
  if (name === '_<_' || name === '_<=_' || name === '_>_' || name === '_>=_')
    return Math.ceil(Math.min(sizeOf(first), sizeOf(second)) * traversalFactor);
  if ((name === 'bytes' && kind === 'string') || (name === 'string' && kind === 'bytes'))
    return scaled(first, traversalFactor);
  return 1;
}

function containment(range: CelValue, other: CelValue): number {
  const own = Math.ceil(2 * sizeOf(range) * traversalFactor);
  return typeof other === 'string' ? own + scaled(other, traversalFactor) : own;
}

function scaled(value: CelValue, factor: number): number {
  return Math.ceil(sizeOf(value) * factor);
}

/** Characters, bytes or elements; one for what has no size. */
function sizeOf(value: CelValue): number {
  if (typeof value === 'string') return codePoints(value);
  if (value instanceof Uint8Array) return value.length;
  if (isTagged(value, 'list')) return value.items.length;
  if (isTagged(value, 'map')) return value.size;
  if (isTagged(value, 'opaque')) return value.size;
  if (isTagged(value, 'optional') && value.value !== undefined) return sizeOf(value.value);
  return 1;
}

function traversal(value: CelValue): number {
  if (typeof value === 'string') return Math.trunc(Buffer.byteLength(value) * traversalFactor);
  if (value instanceof Uint8Array) return Math.trunc(value.length * traversalFactor);
  if (isTagged(value, 'list')) return value.items.reduce<number>((sum, item) => sum + traversal(item), 0);
  if (!isTagged(value, 'map')) return 1;
  let sum = 0;
  for (const key of value.keys()) sum += traversal(key) + traversal(value.get(key) ?? null);
  return sum;
}

/** Without a list of them: texts are measured at every step. */
function codePoints(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit >= 0xd800 && unit < 0xdc00) count -= 1;
  }
  return count;
}
