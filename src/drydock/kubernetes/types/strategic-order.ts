import { isObject, jsonEqual } from '#base/json.ts';

interface OrderOptions {
  /** The live list before the patch: server-only items keep their relative place in it. */
  liveOrder: unknown[];
  mergeKey: string | undefined;
}

/** Sorts a merged list: items named in `order` in that order, the others at their live places between them. */
export function orderByList(merged: unknown[], order: unknown[], { liveOrder, mergeKey }: OrderOptions): unknown[] {
  const place = indexer(order, mergeKey);
  const livePlace = indexer(liveOrder, mergeKey);
  const inPatch = merged.filter((item) => place(item) >= 0).sort((a, b) => place(a) - place(b));
  const serverOnly = merged.filter((item) => place(item) < 0).sort((a, b) => livePlace(a) - livePlace(b));
  const out: unknown[] = [];
  let left = 0;
  let right = 0;
  while (left < serverOnly.length || right < inPatch.length) {
    if (takeServerItem(serverOnly[left], inPatch[right], livePlace)) out.push(serverOnly[left++]);
    else out.push(inPatch[right++]);
  }
  return out;
}

/** A patch item that is new to the live list goes before the server's. */
function takeServerItem(server: unknown, patched: unknown, livePlace: (item: unknown) => number): boolean {
  if (server === undefined) return false;
  if (patched === undefined) return true;
  const left = livePlace(server);
  const right = livePlace(patched);
  return left >= 0 && right >= 0 && left < right;
}

function indexer(list: unknown[], mergeKey: string | undefined): (item: unknown) => number {
  const keys = list.map((item) => (mergeKey !== undefined && isObject(item) ? item[mergeKey] : item));
  return (item) => {
    const key = mergeKey !== undefined && isObject(item) ? item[mergeKey] : item;
    return keys.findIndex((each) => jsonEqual(each, key));
  };
}
