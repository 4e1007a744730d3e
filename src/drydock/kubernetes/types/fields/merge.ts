import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { ListNode, SchemaNode } from '../schema-node.ts';
import { elementOf } from '../schema-node.ts';
import { itemStep } from './path-element.ts';
import { isAtomic, shapeOf } from './shape.ts';

/** The applied object laid over the live one by schema. Undefined is absent; untouched parts are shared with the inputs. */
export function mergeTyped(node: SchemaNode, live: unknown, applied: unknown): unknown {
  if (applied === undefined) return live;
  if (live === undefined) return applied;
  const shape = shapeOf(node, applied ?? live);
  if (isAtomic(node, shape) || shape !== shapeOf(node, live ?? applied)) return applied;
  if (shape === 'map') return mergeMembers(node, live, applied);
  return node.kind === 'list' ? mergeItems(node, live, applied) : applied;
}

/** Both empty or null: the applied one, to keep null and empty apart. */
function mergeMembers(node: SchemaNode, live: unknown, applied: unknown): unknown {
  const mine = isObject(live) ? live : {};
  const theirs = isObject(applied) ? applied : {};
  const out: JsonObject = { ...mine };
  let size = Object.keys(mine).length;
  if (size === 0 && Object.keys(theirs).length === 0) return applied;
  for (const [key, value] of Object.entries(theirs)) {
    const element = elementOf(node, key);
    if (!(key in mine)) size += 1;
    out[key] = element === undefined ? value : mergeTyped(element, mine[key], value);
  }
  return size === 0 ? undefined : out;
}

/** Shared items stand in the applied order; live-only items keep their place among them. */
function mergeItems(node: ListNode, live: unknown, applied: unknown): unknown {
  const mine: unknown[] = Array.isArray(live) ? live : [];
  const theirs: unknown[] = Array.isArray(applied) ? applied : [];
  if (mine.length === 0 && theirs.length === 0) return applied;
  const mySteps = mine.map((item) => itemStep(node, item));
  const theirSteps = theirs.map((item) => itemStep(node, item));
  const myItems = indexed(mySteps, mine);
  const theirItems = new Map(theirSteps.map((step, index) => [step, theirs[index]]));
  const shared = theirSteps.filter((step) => myItems.has(step));
  const merged = new Set<string>();
  const out: unknown[] = [];
  let nextShared = 0;
  const takeApplied = (step: string): void => {
    merged.add(step);
    out.push(mergeTyped(node.element, myItems.get(step), theirItems.get(step)));
    if (shared[nextShared] === step) nextShared += 1;
  };
  let left = 0;
  let right = 0;
  while (left < mySteps.length || right < theirSteps.length) {
    const my = mySteps[left];
    const their = theirSteps[right];
    if (my !== undefined && my === their) {
      takeApplied(their);
      left += 1;
      right += 1;
    } else if (my !== undefined && !theirItems.has(my)) {
      out.push(mine[left]);
      left += 1;
    } else if (my !== undefined && (merged.has(my) || (their !== undefined && my !== shared[nextShared]))) {
      left += 1;
    } else if (their !== undefined) {
      takeApplied(their);
      right += 1;
    } else left += 1;
  }
  return out;
}

/** Items by step; those that share a key with others are not merged into. */
function indexed(steps: string[], items: unknown[]): Map<string, unknown> {
  const out = new Map<string, unknown>();
  for (const [index, step] of steps.entries()) out.set(step, out.has(step) ? undefined : items[index]);
  return out;
}
