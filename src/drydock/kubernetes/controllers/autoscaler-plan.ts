import { getNumber, type JsonObject } from '#base/json.ts';
import type { ApiObject, ObjectScale, UsageReport } from '../api/port.ts';
import { type ConditionFacts, limitReplicas, type ScalingHistory } from './autoscaler-limit.ts';
import {
  isResourceMetric,
  MetricFailure,
  type MetricResult,
  parseMetrics,
  type ResourceMetric,
  replicasForMetric,
} from './autoscaler-metric.ts';
import type { Condition } from './condition.ts';
import type { EventInput } from './event-recorder.ts';

export interface DecisionInput {
  scale: ObjectScale;
  /** Those that the target's selector selects. */
  pods: readonly ApiObject[];
  usage: UsageReport | { failure: string };
  history: ScalingHistory;
  now: number;
}

export interface Decision {
  usage: DecisionInput['usage'];
  /** What the target should have; undefined when that is not known and nothing is to be changed. */
  replicas: number | undefined;
  /** Why, for the event of a change. */
  reason: string;
  conditions: Pick<Condition, 'type' | 'status' | 'reason' | 'message'>[];
  metrics: JsonObject[] | undefined;
  events: EventInput[];
}

/** What one look at an autoscaler comes to, as the controller upstream decides and words it. */
export function decideReplicas(autoscaler: ApiObject, input: DecisionInput): Decision {
  const { scale, usage } = input;
  const min = getNumber(autoscaler, 'spec', 'minReplicas') ?? 1;
  const max = getNumber(autoscaler, 'spec', 'maxReplicas') ?? 1;
  const got = named('AbleToScale', {
    status: 'True',
    reason: 'SucceededGetScale',
    message: "the HPA controller was able to get the target's current scale",
  });
  const decision: Decision = {
    usage,
    replicas: undefined,
    reason: '',
    conditions: [got],
    metrics: undefined,
    events: [],
  };
  if (scale.wanted === 0 && min !== 0) {
    const message = 'scaling is disabled since the replica count of the target is zero';
    decision.conditions.push(named('ScalingActive', { status: 'False', reason: 'ScalingDisabled', message }));
    return { ...decision, replicas: 0 };
  }
  if (scale.wanted > max)
    return { ...decision, replicas: max, reason: 'Current number of replicas above Spec.MaxReplicas' };
  if (scale.wanted < min)
    return { ...decision, replicas: min, reason: 'Current number of replicas below Spec.MinReplicas' };
  return byMetrics(autoscaler, input, decision);
}

function byMetrics(autoscaler: ApiObject, input: DecisionInput, decision: Decision): Decision {
  const { scale, history, now } = input;
  const results = parseMetrics(autoscaler).map((metric) => measure(metric, input));
  const failures = results.filter((result) => 'failure' in result);
  const found = results.filter((result): result is Measured => !('failure' in result));
  const best = found.reduce<Measured | undefined>(
    (top, one) => (top && top.replicas >= one.replicas ? top : one),
    undefined,
  );
  const [first] = failures;
  decision.metrics = found.map(({ status }) => status);
  // Some of the metrics alone may say more, never less: the one that failed may be the one that is high.
  if (!best || (first && best.replicas < scale.wanted)) {
    const why = first?.failure ?? 'no metrics';
    const message = `the HPA was unable to compute the replica count: ${why}`;
    const reason = first?.reason ?? 'InvalidMetricSourceType';
    decision.conditions.push(named('ScalingActive', { status: 'False', reason, message }));
    decision.events = failures.map((one) => ({ type: 'Warning', reason: one.reason, message: one.failure }));
    const failed = `invalid metrics (${failures.length} invalid out of ${results.length}), first error is: ${first?.wrapped ?? why}`;
    decision.events.push({ type: 'Warning', reason: 'FailedComputeMetricsReplicas', message: failed });
    return decision;
  }
  const valid = `the HPA was able to successfully calculate a replica count from ${best.name}`;
  decision.conditions.push(named('ScalingActive', { status: 'True', reason: 'ValidMetricFound', message: valid }));
  const limited = limitReplicas(autoscaler, best.replicas, { current: scale.wanted, history, now });
  decision.conditions.push(named('AbleToScale', limited.ableToScale));
  decision.conditions.push(named('ScalingLimited', limited.scalingLimited));
  decision.replicas = limited.replicas;
  decision.reason = limited.replicas > scale.wanted ? `${best.name} above target` : 'All metrics below target';
  return decision;
}

interface Measured {
  name: string;
  replicas: number;
  status: JsonObject;
}

interface Failed {
  reason: string;
  failure: string;
  /** As the summary of all metrics quotes it. */
  wrapped: string;
}

function measure(
  metric: ReturnType<typeof parseMetrics>[number],
  { scale, pods, usage, now }: DecisionInput,
): Measured | Failed {
  if (!isResourceMetric(metric)) {
    const api = metric.type === 'External' ? 'external' : 'custom';
    const failure = `unable to get ${metric.type.toLowerCase()} metric ${metric.name}: unable to fetch metrics from ${api} metrics API: the server could not find the requested resource (get ${metric.name}.${api}.metrics.k8s.io)`;
    return failed(`FailedGet${metric.type}Metric`, failure, `${metric.type.toLowerCase()} metric value`);
  }
  const { resource } = metric;
  const about = metric.type === 'Resource' ? resource : `${resource} container`;
  const getting =
    metric.target.kind === 'utilization'
      ? `failed to get ${resource} utilization: `
      : `failed to get ${resource} usage: `;
  try {
    if ('failure' in usage)
      throw new MetricFailure(
        `unable to get metrics for resource ${resource}: unable to fetch metrics from resource metrics API: ${usage.failure}`,
      );
    const result = replicasForMetric({ metric, pods, usage, currentReplicas: scale.wanted, now });
    return { name: nameOf(metric), replicas: result.replicas, status: statusOf(metric, result) };
  } catch (error) {
    if (!(error instanceof MetricFailure)) throw error;
    return failed(`FailedGet${metric.type}Metric`, `${getting}${error.message}`, `${about} resource metric value`);
  }
}

function failed(reason: string, failure: string, what: string): Failed {
  return { reason, failure, wrapped: `failed to get ${what}: ${failure}` };
}

function nameOf({ type, resource, target }: ResourceMetric): string {
  const what = `${resource} ${type === 'Resource' ? 'resource' : 'container resource'}`;
  return target.kind === 'utilization' ? `${what} utilization (percentage of request)` : what;
}

function statusOf({ type, resource, container }: ResourceMetric, { averageMilli, percent }: MetricResult): JsonObject {
  const current = {
    ...(percent === undefined ? {} : { averageUtilization: percent }),
    averageValue: averageMilli % 1000 === 0 ? String(averageMilli / 1000) : `${averageMilli}m`,
  };
  if (type === 'Resource') return { type, resource: { name: resource, current } };
  return { type, containerResource: { name: resource, container, current } };
}

function named(type: string, facts: ConditionFacts): Decision['conditions'][number] {
  return { type, ...facts };
}
