import { timestamp } from '#base/clock.ts';
import { isObject, type JsonObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import type { HealthStatus } from '#model/argocd/application.ts';
import type {
  ApplicationSetCondition,
  ApplicationSetConditionType,
  ApplicationSetStatus,
} from '#model/argocd/application-set.ts';

/** What one look came to, before it is put among the conditions there are. */
export type Verdict =
  | { kind: 'ok' }
  /** Parameters were not generated, or what was generated could not be applied. */
  | { kind: 'error'; reason: string; message: string; parametersGenerated: boolean };

function conditionsOf(verdict: Verdict): ApplicationSetCondition[] {
  const generated: ApplicationSetCondition = {
    type: 'ParametersGenerated',
    status: 'True',
    reason: 'ParametersGenerated',
    message: 'Successfully generated parameters for all Applications',
  };
  if (verdict.kind === 'ok') {
    const reason = 'ApplicationSetUpToDate';
    const message = 'All applications have been generated successfully';
    return [
      { type: 'ErrorOccurred', status: 'False', reason, message },
      generated,
      { type: 'ResourcesUpToDate', status: 'True', reason, message },
    ];
  }
  const { reason, message, parametersGenerated } = verdict;
  return [
    { type: 'ErrorOccurred', status: 'True', reason, message },
    parametersGenerated
      ? generated
      : { type: 'ParametersGenerated', status: 'False', reason: 'ErrorOccurred', message },
    { type: 'ResourcesUpToDate', status: 'False', reason: 'ErrorOccurred', message },
  ];
}

function merged(
  before: readonly ApplicationSetCondition[],
  fresh: readonly ApplicationSetCondition[],
  rolling: boolean,
  now: number,
): ApplicationSetCondition[] {
  const types = new Set<ApplicationSetConditionType>(fresh.map(({ type }) => type));
  if (!rolling) for (const type of ['RolloutProgressing', 'InvalidRolloutConfig'] as const) types.add(type);
  const kept = before.filter(({ type }) => !types.has(type));
  const stamped = fresh.map((condition) => {
    const old = before.find(({ type }) => type === condition.type);
    const same =
      old?.message === condition.message && old.reason === condition.reason && old.status === condition.status;
    return same && old ? old : { ...condition, lastTransitionTime: timestamp(now) };
  });
  return [...kept, ...stamped].sort((a, b) => (a.type < b.type ? -1 : 1));
}

function healthOf(conditions: readonly ApplicationSetCondition[]): { status: HealthStatus; message: string } {
  const holds = (type: ApplicationSetConditionType) =>
    conditions.find((condition) => condition.type === type && condition.status === 'True');
  const error = holds('ErrorOccurred');
  if (error) return { status: 'Degraded', message: error.message };
  const progressing = holds('RolloutProgressing');
  if (progressing) return { status: 'Progressing', message: progressing.message };
  const done = holds('ResourcesUpToDate');
  if (done) return { status: 'Healthy', message: done.message };
  return { status: 'Unknown', message: 'Waiting for health status to be determined' };
}

/** One line per Application of the set. */
export function resourcesOf(applications: readonly KubeObject[]): JsonObject[] {
  return applications
    .map((application) => {
      const status = isObject(application['status']) ? application['status'] : {};
      const sync = isObject(status['sync']) ? status['sync']['status'] : undefined;
      const health = isObject(status['health']) ? status['health']['status'] : undefined;
      return {
        group: 'argoproj.io',
        version: 'v1alpha1',
        kind: 'Application',
        name: application.metadata.name,
        namespace: application.metadata.namespace,
        ...(sync === undefined ? {} : { status: sync }),
        health: health === undefined ? {} : { status: health },
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

export interface StatusInput {
  before: ApplicationSetStatus;
  verdict: Verdict;
  /** Conditions of a rollout; empty for a set without steps. */
  rollout: readonly ApplicationSetCondition[];
  /** The set rolls out by steps: its rollout conditions stay when none are given. */
  rolling: boolean;
  /** Undefined leaves what is there. */
  applications: readonly KubeObject[] | undefined;
  applicationStatus: ApplicationSetStatus['applicationStatus'];
  /** How many lines `resources` may have; 0 is no limit. */
  maxResources: number;
  now: number;
}

/** The status after one look; times move only with what they are about. */
export function statusOf(input: StatusInput): ApplicationSetStatus {
  const { before, verdict, rollout, rolling, applications, now } = input;
  const conditions = merged(before.conditions ?? [], [...conditionsOf(verdict), ...rollout], rolling, now);
  const resources = applications ? resourcesOf(applications) : before.resources;
  const status: ApplicationSetStatus = { ...before, conditions, health: healthOf(conditions) };
  if (resources && applications) {
    status.resources = input.maxResources > 0 ? resources.slice(0, input.maxResources) : resources;
    status.resourcesCount = resources.length;
  }
  if (input.applicationStatus && input.applicationStatus.length > 0) status.applicationStatus = input.applicationStatus;
  else delete status.applicationStatus;
  return status;
}
