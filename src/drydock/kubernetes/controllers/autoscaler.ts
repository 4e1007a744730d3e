import { timestamp } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { getNumber, getString, type JsonObject, jsonEqual } from '#base/json.ts';
import type { Outcome } from '#base/outcome.ts';
import type { ApiObject, ObjectScale } from '../api/port.ts';
import type { ScalingHistory } from './autoscaler-limit.ts';
import { type Decision, decideReplicas } from './autoscaler-plan.ts';
import { type Condition, parseConditions, withCondition } from './condition.ts';
import { keyOf, splitKey } from './key.ts';
import type { Controller, ControllerDeps } from './loop.ts';

const manager = 'kube-controller-manager';
const component = 'horizontal-pod-autoscaler';
const resource = 'horizontalpodautoscalers.autoscaling';

export interface AutoscalerTiming {
  /** How often each autoscaler looks at its metrics. */
  everyMs: number;
}

const usualTiming: AutoscalerTiming = { everyMs: 15_000 };

/** Scales what HorizontalPodAutoscalers point at by the usage that the nodes measure, and keeps their status. */
export function autoscalerController(deps: ControllerDeps, timing: AutoscalerTiming = usualTiming): Controller {
  const histories = new Map<string, ScalingHistory>();
  const lookedAt = new Map<string, number>();
  return {
    name: 'autoscaler',
    watches: [{ resource, names: (autoscaler) => [keyOf(autoscaler)] }],
    async tick(name): Promise<Outcome> {
      const at = splitKey(name);
      const autoscaler = deps.api.get(resource, at.namespace, at.name);
      if (!autoscaler || autoscaler.metadata.deletionTimestamp !== undefined) {
        histories.delete(name);
        lookedAt.delete(name);
        return { kind: 'done' };
      }
      // Its own status write is a change too: it must not make it look again at once.
      const next = (lookedAt.get(name) ?? Number.NEGATIVE_INFINITY) + timing.everyMs - deps.clock.now();
      if (next > 0 && autoscaler['status'] !== undefined && isSeen(autoscaler))
        return { kind: 'done', recheckAfterMs: next };
      lookedAt.set(name, deps.clock.now());
      const history = histories.get(name) ?? { recommendations: [], changes: [] };
      histories.set(name, history);
      await scaleTarget(deps, autoscaler, history);
      return { kind: 'done', recheckAfterMs: timing.everyMs };
    },
  };
}

/** False for one whose status is still that of its creation. */
function isSeen(autoscaler: ApiObject): boolean {
  return parseConditions(autoscaler['status']).length > 0;
}

async function scaleTarget(deps: ControllerDeps, autoscaler: ApiObject, history: ScalingHistory): Promise<void> {
  const { api, clock, events } = deps;
  const now = clock.now();
  const target = targetOf(deps, autoscaler);
  if ('failure' in target) {
    const message = `the HPA controller was unable to get the target's current scale: ${target.failure}`;
    events.record(component, autoscaler, { type: 'Warning', reason: 'FailedGetScale', message: target.failure });
    const conditions = [{ type: 'AbleToScale', status: 'False', reason: 'FailedGetScale', message }] as const;
    await writeStatus(deps, autoscaler, { conditions, replicas: undefined, metrics: undefined, scaled: false });
    return;
  }
  const { scale } = target;
  const usage = await usageOf(deps);
  const pods = api
    .list('pods', autoscaler.metadata.namespace === undefined ? {} : { namespace: autoscaler.metadata.namespace })
    .filter((pod) => scale.selects(pod.metadata.labels));
  const decision = decideReplicas(autoscaler, { scale, pods, usage, history, now });
  for (const event of decision.events) events.record(component, autoscaler, event);
  const conditions = [...decision.conditions];
  let { replicas } = decision;
  const scaled = replicas !== undefined && replicas !== scale.wanted;
  if (scaled && replicas !== undefined) {
    const done = await rescale(deps, autoscaler, { target, decision, replicas });
    conditions.push(done.condition);
    if (done.ok) history.changes.push({ at: now, replicas: replicas - scale.wanted });
    else replicas = scale.wanted;
  }
  await writeStatus(deps, autoscaler, {
    conditions,
    replicas: { current: scale.current, desired: replicas ?? scale.current },
    metrics: decision.metrics,
    scaled,
  });
}

interface Target {
  resource: string;
  name: string;
  scale: ObjectScale;
}

function targetOf({ api }: ControllerDeps, autoscaler: ApiObject): Target | { failure: string } {
  const kind = getString(autoscaler, 'spec', 'scaleTargetRef', 'kind') ?? '';
  const name = getString(autoscaler, 'spec', 'scaleTargetRef', 'name') ?? '';
  const apiVersion = getString(autoscaler, 'spec', 'scaleTargetRef', 'apiVersion') ?? '';
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  // Any version that is served will do: the scale is the same through each.
  const found = api.resources().find((one) => one.gvk.kind === kind && one.gvk.group === group);
  if (!found) {
    const shown = group === '' ? kind : `${kind}.${group}`;
    return { failure: `no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}: ${shown}` };
  }
  const { namespace } = autoscaler.metadata;
  if (!api.get(found.resource, namespace, name)) {
    const [plural, ...rest] = found.resource.split('.');
    return { failure: `${[`${plural}`, ...rest].join('.')} ${JSON.stringify(name)} not found` };
  }
  const scale = api.scale(found.resource, namespace, name);
  if (!scale) return { failure: 'the server could not find the requested resource' };
  return { resource: found.resource, name, scale };
}

/** The usage report, or why there is none. */
async function usageOf({ api }: ControllerDeps): Promise<Decision['usage']> {
  try {
    const report = await api.usage();
    return report ?? { failure: 'the server could not find the requested resource (get pods.metrics.k8s.io)' };
  } catch (error) {
    return { failure: messageOf(error) };
  }
}

async function rescale(
  { api, events }: ControllerDeps,
  autoscaler: ApiObject,
  { target, decision, replicas }: { target: Target; decision: Decision; replicas: number },
): Promise<{ ok: boolean; condition: Pick<Condition, 'type' | 'status' | 'reason' | 'message'> }> {
  const size = `New size: ${replicas}; reason: ${decision.reason}`;
  try {
    await api.setScale(target.resource, autoscaler.metadata.namespace, target.name, { replicas, manager });
  } catch (error) {
    const why = messageOf(error);
    events.record(component, autoscaler, {
      type: 'Warning',
      reason: 'FailedRescale',
      message: `${size}; error: ${why}`,
    });
    const message = `the HPA controller was unable to update the target scale: ${why}`;
    return { ok: false, condition: { type: 'AbleToScale', status: 'False', reason: 'FailedUpdateScale', message } };
  }
  events.record(component, autoscaler, { type: 'Normal', reason: 'SuccessfulRescale', message: size });
  const message = `the HPA controller was able to update the target scale to ${replicas}`;
  return { ok: true, condition: { type: 'AbleToScale', status: 'True', reason: 'SucceededRescale', message } };
}

async function writeStatus(
  { api, clock }: ControllerDeps,
  autoscaler: ApiObject,
  change: {
    conditions: readonly Pick<Condition, 'type' | 'status' | 'reason' | 'message'>[];
    /** Undefined leaves what is there. */
    replicas: { current: number; desired: number } | undefined;
    metrics: JsonObject[] | undefined;
    scaled: boolean;
  },
): Promise<void> {
  const now = clock.now();
  const { namespace, name } = autoscaler.metadata;
  const stored = api.get(resource, namespace, name);
  if (!stored || stored.metadata.uid !== autoscaler.metadata.uid) return;
  let conditions = parseConditions(stored['status']);
  for (const condition of change.conditions)
    conditions = worded(withCondition(conditions, condition, { now }), condition);
  const before: JsonObject = { ...(stored['status'] ?? {}) };
  const replicas = change.replicas ?? {
    current: getNumber(before, 'currentReplicas') ?? 0,
    desired: getNumber(before, 'desiredReplicas') ?? 0,
  };
  const status: JsonObject = {
    ...before,
    currentReplicas: replicas.current,
    desiredReplicas: replicas.desired,
    currentMetrics: change.metrics ?? null,
    conditions,
    ...(change.scaled ? { lastScaleTime: timestamp(now) } : {}),
  };
  if (!jsonEqual(before, status)) await api.updateStatus({ ...stored, status }, manager);
}

/** An autoscaler's condition follows its message too: it holds the number or the failure of the last look. */
function worded(conditions: Condition[], { type, message }: { type: string; message?: string }): Condition[] {
  return conditions.map((condition) =>
    condition.type === type && message !== undefined ? { ...condition, message } : condition,
  );
}
