import { timestamp } from '#base/clock.ts';
import { getArray, getString, isObject } from '#base/json.ts';

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  lastUpdateTime?: string;
}

export function parseConditions(status: unknown): Condition[] {
  const found: Condition[] = [];
  for (const item of getArray(status, 'conditions')) {
    const type = getString(item, 'type');
    const value = getString(item, 'status');
    if (!isObject(item) || type === undefined) continue;
    if (value !== 'True' && value !== 'False' && value !== 'Unknown') continue;
    found.push({ ...item, type, status: value });
  }
  return found;
}

export function findCondition(conditions: readonly Condition[], type: string): Condition | undefined {
  return conditions.find((condition) => condition.type === type);
}

/**
 * Puts `next` in the place of the condition of its type. Nothing changes when status and reason are the same; the
 * transition time changes only with the status. `updateTime` for the kinds whose conditions have one.
 */
export function withCondition(
  conditions: readonly Condition[],
  next: Pick<Condition, 'type' | 'status' | 'reason' | 'message'>,
  options: { now: number; updateTime?: boolean },
): Condition[] {
  const current = findCondition(conditions, next.type);
  if (current && current.status === next.status && current.reason === next.reason) return [...conditions];
  const now = timestamp(options.now);
  const condition: Condition = {
    ...next,
    ...(options.updateTime ? { lastUpdateTime: now } : {}),
    lastTransitionTime:
      current?.status === next.status && current.lastTransitionTime !== undefined ? current.lastTransitionTime : now,
  };
  return [...conditions.filter((item) => item.type !== next.type), condition];
}

export function withoutCondition(conditions: readonly Condition[], type: string): Condition[] {
  return conditions.filter((condition) => condition.type !== type);
}

/** Milliseconds of an RFC 3339 time; undefined when absent or unreadable. */
export function parseTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
