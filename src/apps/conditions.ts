import { timestamp } from '#base/clock.ts';
import type { ApplicationCondition, ConditionType } from '#model/argocd/application.ts';

/**
 * The conditions after a stage that evaluates `types`: those are replaced by `found`, the others stay. A condition whose
 * message is unchanged keeps its time.
 */
export function replaceConditions(
  existing: readonly ApplicationCondition[],
  types: readonly ConditionType[],
  found: readonly { type: ConditionType; message: string }[],
  now: number,
): ApplicationCondition[] {
  const kept = existing.filter((condition) => !types.includes(condition.type));
  const added = found.map((condition): ApplicationCondition => {
    const same = existing.find((old) => old.type === condition.type && old.message === condition.message);
    return same ?? { ...condition, lastTransitionTime: timestamp(now) };
  });
  const all = [...kept, ...added];
  return all.sort((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : a.message < b.message ? -1 : 1));
}
