import { getArray, getNumber, getObject, getString, isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';

/** What an autoscaler remembers between its looks; all times in milliseconds. */
export interface ScalingHistory {
  recommendations: { at: number; replicas: number }[];
  /** Replicas added (positive) and taken away (negative). */
  changes: { at: number; replicas: number }[];
}

export interface ConditionFacts {
  status: 'True' | 'False';
  reason: string;
  message: string;
}

export interface LimitedReplicas {
  replicas: number;
  ableToScale: ConditionFacts;
  scalingLimited: ConditionFacts;
}

interface ScalingRules {
  windowMs: number;
  select: 'Max' | 'Min' | 'Disabled';
  policies: { type: 'Pods' | 'Percent'; value: number; periodMs: number }[];
}

const keptMs = 3_600_000;
const downWindowMs = 300_000;
/** Without a `behavior` an autoscaler at most doubles, or goes to this many. */
const freeUpTo = 4;

const defaults: Record<'scaleUp' | 'scaleDown', ScalingRules> = {
  scaleUp: {
    windowMs: 0,
    select: 'Max',
    policies: [
      { type: 'Pods', value: 4, periodMs: 15_000 },
      { type: 'Percent', value: 100, periodMs: 15_000 },
    ],
  },
  scaleDown: { windowMs: downWindowMs, select: 'Max', policies: [{ type: 'Percent', value: 100, periodMs: 15_000 }] },
};

/**
 * How far the wanted number of replicas may be followed now: stabilization over time, the speed that `behavior` allows,
 * and the bounds of the autoscaler. Remembers the recommendation in `history`.
 */
export function limitReplicas(
  autoscaler: ApiObject,
  wanted: number,
  { current, history, now }: { current: number; history: ScalingHistory; now: number },
): LimitedReplicas {
  const behavior = getObject(autoscaler, 'spec', 'behavior');
  const free = Object.keys(behavior).length === 0;
  const up = rulesOf(behavior, 'scaleUp');
  const down = rulesOf(behavior, 'scaleDown');
  history.recommendations = history.recommendations.filter(({ at }) => at > now - keptMs);
  history.changes = history.changes.filter(({ at }) => at > now - keptMs);
  history.recommendations.push({ at: now, replicas: wanted });
  const { stable, ableToScale } = stabilized(wanted, { current, history, now, up, down, free });
  const bounds = {
    min: getNumber(autoscaler, 'spec', 'minReplicas') ?? 1,
    max: getNumber(autoscaler, 'spec', 'maxReplicas') ?? 1,
  };
  const fastest = {
    up: free ? Math.max(current * 2, freeUpTo) : upLimit(up, { current, history, now }),
    down: free ? 0 : downLimit(down, { current, history, now }),
  };
  return { ...bounded(stable, current, { bounds, fastest }), ableToScale };
}

function stabilized(
  wanted: number,
  at: { current: number; history: ScalingHistory; now: number; up: ScalingRules; down: ScalingRules; free: boolean },
): { stable: number; ableToScale: ConditionFacts } {
  const within = (windowMs: number): number[] => [
    wanted,
    ...at.history.recommendations.filter((one) => one.at > at.now - windowMs).map((one) => one.replicas),
  ];
  const lowest = Math.min(...within(at.up.windowMs));
  const highest = Math.max(...within(at.down.windowMs));
  const between = at.current < lowest ? lowest : Math.min(at.current, highest);
  // Without a behavior the highest of the window counts even when it asks for more than there is.
  const stable = at.free ? highest : between;
  const able = (reason: string, message: string): ConditionFacts => ({ status: 'True', reason, message });
  if (stable === wanted)
    return { stable, ableToScale: able('ReadyForNewScale', 'recommended size matches current size') };
  if (stable < wanted)
    return {
      stable,
      ableToScale: able(
        'ScaleUpStabilized',
        'recent recommendations were lower than current one, applying the lowest recent recommendation',
      ),
    };
  return {
    stable,
    ableToScale: able(
      'ScaleDownStabilized',
      'recent recommendations were higher than current one, applying the highest recent recommendation',
    ),
  };
}

function bounded(
  wanted: number,
  current: number,
  { bounds, fastest }: { bounds: { min: number; max: number }; fastest: { up: number; down: number } },
): { replicas: number; scalingLimited: ConditionFacts } {
  const limited = (replicas: number, reason: string, message: string) => ({
    replicas,
    scalingLimited: { status: 'True' as const, reason, message },
  });
  const most = Math.min(bounds.max, Math.max(fastest.up, current));
  const least = Math.max(bounds.min, Math.min(fastest.down, current));
  if (wanted > most)
    return most < bounds.max
      ? limited(most, 'ScaleUpLimit', 'the desired replica count is increasing faster than the maximum scale rate')
      : limited(most, 'TooManyReplicas', 'the desired replica count is more than the maximum replica count');
  if (wanted < least)
    return least > bounds.min
      ? limited(least, 'ScaleDownLimit', 'the desired replica count is decreasing faster than the maximum scale rate')
      : limited(least, 'TooFewReplicas', 'the desired replica count is less than the minimum replica count');
  return {
    replicas: wanted,
    scalingLimited: {
      status: 'False',
      reason: 'DesiredWithinRange',
      message: 'the desired count is within the acceptable range',
    },
  };
}

interface RateInput {
  current: number;
  history: ScalingHistory;
  now: number;
}

function upLimit(rules: ScalingRules, input: RateInput): number {
  if (rules.select === 'Disabled') return input.current;
  const limits = rules.policies.map(({ type, value, periodMs }) => {
    const start = startOf(periodMs, input);
    return type === 'Pods' ? start + value : Math.ceil(start * (1 + value / 100));
  });
  return rules.select === 'Min' ? Math.min(...limits) : Math.max(...limits);
}

function downLimit(rules: ScalingRules, input: RateInput): number {
  if (rules.select === 'Disabled') return input.current;
  const limits = rules.policies.map(({ type, value, periodMs }) => {
    const start = startOf(periodMs, input);
    return type === 'Pods' ? start - value : Math.trunc(start * (1 - value / 100));
  });
  return rules.select === 'Min' ? Math.max(...limits) : Math.min(...limits);
}

/** How many replicas there were when the period began. */
function startOf(periodMs: number, { current, history, now }: RateInput): number {
  const changed = history.changes.filter(({ at }) => at > now - periodMs).reduce((sum, one) => sum + one.replicas, 0);
  return current - changed;
}

function rulesOf(behavior: JsonObject, direction: 'scaleUp' | 'scaleDown'): ScalingRules {
  const given = behavior[direction];
  const usual = defaults[direction];
  if (!isObject(given)) return usual;
  const seconds = getNumber(given, 'stabilizationWindowSeconds');
  const select = getString(given, 'selectPolicy');
  const policies = getArray(given, 'policies').flatMap((policy) => {
    const type = getString(policy, 'type');
    if (type !== 'Pods' && type !== 'Percent') return [];
    const value = getNumber(policy, 'value') ?? 0;
    return [{ type, value, periodMs: (getNumber(policy, 'periodSeconds') ?? 15) * 1000 } as const];
  });
  return {
    windowMs: seconds === undefined ? usual.windowMs : seconds * 1000,
    select: select === 'Min' || select === 'Disabled' ? select : 'Max',
    policies: policies.length > 0 ? policies : usual.policies,
  };
}
