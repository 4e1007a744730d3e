import { builtin, type Library } from './builtin.ts';
import { arrayOf, compare, functionOf } from './operators.ts';
import { sorted, unique } from './std-arrays.ts';
import { JsonnetArray, type Thunk, type Value } from './values.ts';

type Side = 'left' | 'right' | 'both';

/** Walks two sorted sets and keeps the items of the wanted sides; of equal ones the left. */
function merge(a: Value, b: Value, options: { key: Value | undefined; keep: readonly Side[] }): JsonnetArray {
  const keyOf = (item: Thunk) =>
    options.key === undefined ? item.force() : functionOf(options.key, 'keyF').call([item]);
  const left = arrayOf(a, 'a').items;
  const right = arrayOf(b, 'b').items;
  const out: Thunk[] = [];
  const put = (item: Thunk | undefined, side: Side) => {
    if (item && options.keep.includes(side)) out.push(item);
  };
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    const [one, other] = [left[i], right[j]];
    const order = !one ? 1 : !other ? -1 : compare(keyOf(one), keyOf(other));
    if (order <= 0) {
      put(one, order === 0 ? 'both' : 'left');
      i += 1;
      if (order === 0) j += 1;
    } else {
      put(other, 'right');
      j += 1;
    }
  }
  return new JsonnetArray(out);
}

export const setLibrary: Library = new Map<string, Value>([
  ['set', builtin('arr, keyF=', (list, key) => new JsonnetArray(unique(sorted(arrayOf(list, 'arr').items, key), key)))],
  ['setUnion', builtin('a, b, keyF=', (a, b, key) => merge(a, b, { key, keep: ['left', 'right', 'both'] }))],
  ['setInter', builtin('a, b, keyF=', (a, b, key) => merge(a, b, { key, keep: ['both'] }))],
  ['setDiff', builtin('a, b, keyF=', (a, b, key) => merge(a, b, { key, keep: ['left'] }))],
  [
    'setMember',
    builtin(
      'x, arr, keyF=',
      (x, list, key) => merge(JsonnetArray.of([x]), list, { key, keep: ['both'] }).items.length > 0,
    ),
  ],
]);
