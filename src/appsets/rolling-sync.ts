import { timestamp } from '#base/clock.ts';
import { isObject, type JsonObject, jsonEqual } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import type {
  ApplicationSet,
  ApplicationSetCondition,
  RolloutPhase,
  RolloutStatus,
  RolloutStep,
} from '#model/argocd/application-set.ts';
import type { IgnoredDifferences } from './ignore-differences.ts';
import { normalizeApplicationSpec } from './normalize-spec.ts';

export function isRolling(set: ApplicationSet): boolean {
  const { strategy } = set.spec;
  return strategy?.type === 'RollingSync' && strategy.rollingSync;
}

export function deletesInReverse(set: ApplicationSet): boolean {
  const { strategy } = set.spec;
  return isRolling(set) && (strategy?.steps.length ?? 0) > 0 && strategy?.deletionOrder.toLowerCase() === 'reverse';
}

interface Named {
  metadata: { name: string; labels?: Record<string, string> };
}

export interface Steps {
  /** Names by step. */
  list: string[][];
  /** The first step of each that has one. */
  of: Map<string, number>;
  problem: string | undefined;
}

function selects(
  step: RolloutStep,
  labels: Readonly<Record<string, string>>,
  invalid: (operator: string) => void,
): boolean {
  for (const { key, operator, values } of step.matchExpressions) {
    const value = labels[key];
    if (operator !== 'In' && operator !== 'NotIn') {
      invalid(operator);
      return false;
    }
    if (value === undefined && operator === 'In') return false;
    if (value !== undefined && values.includes(value) !== (operator === 'In')) return false;
  }
  return true;
}

/** Which step each application belongs to. An application in no step is never synced by itself. */
export function stepsOf(set: ApplicationSet, applications: readonly Named[]): Steps {
  const steps = set.spec.strategy?.steps ?? [];
  const list: string[][] = steps.map(() => []);
  const of = new Map<string, number>();
  const problems = { operator: '', twice: '' };
  for (const { metadata } of applications) {
    steps.forEach((step, index) => {
      const invalid = (operator: string) => {
        problems.operator ||= `step ${index + 1} has an invalid matchExpression operator ${JSON.stringify(operator)}, must be In or NotIn`;
      };
      if (!selects(step, metadata.labels ?? {}, invalid)) return;
      list[index]?.push(metadata.name);
      const first = of.get(metadata.name);
      if (first === undefined) of.set(metadata.name, index);
      else
        problems.twice ||= `application ${metadata.name} is selected by more than one step: ${first + 1} and ${index + 1}`;
    });
  }
  const empty = list.findIndex((names) => names.length === 0);
  const nobody = empty < 0 ? undefined : `step ${empty + 1} selects no application`;
  return { list, of, problem: problems.operator || problems.twice || nobody };
}

/** How many of a step may be changing at once. */
export function updatesAtOnce(maxUpdate: number | string | undefined, total: number): number | { problem: string } {
  if (maxUpdate === undefined) return Number.POSITIVE_INFINITY;
  if (typeof maxUpdate === 'number') return maxUpdate;
  const percent = /^(\d+)%$/.exec(maxUpdate)?.[1];
  if (percent === undefined)
    return { problem: `maxUpdate ${JSON.stringify(maxUpdate)} is neither a number nor a percentage` };
  const share = Math.floor((total * Number(percent)) / 100);
  return maxUpdate === '0%' ? 0 : Math.max(1, share);
}

interface Observed {
  /** Undefined while the comparison is of another spec than the one there is. */
  sync: string | undefined;
  health: string | undefined;
  revisions: string[];
  reconciledAt: number | undefined;
  operation: { startedAt: number; phase: string } | undefined;
  error: boolean;
}

function timeOf(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

/** What was compared is what is wanted now: else its result says nothing about it. */
function isCurrent(application: KubeObject, sync: JsonObject): boolean {
  const { comparedTo } = sync;
  if (!isObject(comparedTo)) return true;
  const spec = normalizeApplicationSpec(application['spec']);
  const compared = normalizeApplicationSpec({ ...spec, source: undefined, sources: undefined, ...comparedTo });
  return ['source', 'sources'].every((field) => jsonEqual(compared[field], spec[field]));
}

function observe(application: KubeObject): Observed {
  const status = isObject(application['status']) ? application['status'] : {};
  const sync = isObject(status['sync']) ? status['sync'] : {};
  const health = isObject(status['health']) ? status['health'] : {};
  const state = isObject(status['operationState']) ? status['operationState'] : undefined;
  const { revisions, revision } = sync;
  const conditions: unknown[] = Array.isArray(status['conditions']) ? status['conditions'] : [];
  const many = Array.isArray(revisions) ? revisions.map(String) : [];
  const one = typeof revision === 'string' && revision !== '' ? [revision] : [];
  return {
    sync: typeof sync['status'] === 'string' && isCurrent(application, sync) ? sync['status'] : undefined,
    health: typeof health['status'] === 'string' ? health['status'] : undefined,
    revisions: many.length > 0 ? many : one,
    reconciledAt: timeOf(status['reconciledAt']),
    operation: state && { startedAt: timeOf(state['startedAt']) ?? 0, phase: String(state['phase'] ?? '') },
    error: conditions.some(
      (item) => isObject(item) && /^(?:InvalidSpecError|UnknownError)$/.test(String(item['type'])),
    ),
  };
}

/** With automated syncs off: the rollout decides when. */
export function withoutAutomation(application: JsonObject): JsonObject {
  const spec = isObject(application['spec']) ? application['spec'] : {};
  const policy = isObject(spec['syncPolicy']) ? spec['syncPolicy'] : undefined;
  const automated = policy?.['automated'];
  if (!policy || !isObject(automated)) return application;
  const held = { ...policy, automated: { ...automated, enabled: false } };
  return { ...application, spec: { ...spec, syncPolicy: held } };
}

const messages = {
  both: 'Application has pending changes (revision and spec differ), setting status to Waiting',
  revision: 'Application has pending changes, setting status to Waiting',
  spec: 'Application has pending changes (spec differs), setting status to Waiting',
} as const;

function afterWaiting(seen: Observed): { status: RolloutPhase; message: string } | undefined {
  if (seen.sync !== 'Synced') return undefined;
  return seen.health === 'Healthy'
    ? { status: 'Healthy', message: 'Application resource has synced, updating status to Healthy' }
    : { status: 'Progressing', message: 'Application resource has synced, updating status to Progressing' };
}

function afterPending(seen: Observed, since: number): { status: RolloutPhase; message: string } | undefined {
  // Times are whole seconds: one that is equal came after, as the sync was asked for by the change to Pending.
  if (seen.operation && seen.operation.startedAt >= since) {
    const how =
      seen.operation.phase === 'Succeeded'
        ? 'completed a sync successfully'
        : /^(?:Failed|Error)$/.test(seen.operation.phase)
          ? 'completed a sync'
          : 'became Progressing';
    return {
      status: 'Progressing',
      message: `Application resource ${how}, updating status from Pending to Progressing`,
    };
  }
  const looked = seen.reconciledAt === undefined || seen.reconciledAt >= since;
  if (looked && seen.error)
    return {
      status: 'Progressing',
      message: 'Application resource has error and cannot sync, updating status to Progressing',
    };
  return undefined;
}

function advance(
  status: RolloutPhase,
  seen: Observed,
  since: number,
): { status: RolloutPhase; message: string } | undefined {
  switch (status) {
    case 'Waiting':
      return afterWaiting(seen);
    case 'Pending':
      return afterPending(seen, since);
    case 'Progressing':
      if (seen.health !== 'Healthy' || seen.sync !== 'Synced') return undefined;
      return {
        status: 'Healthy',
        message: 'Application resource became Healthy, updating status from Progressing to Healthy',
      };
    case 'Healthy':
      return undefined;
  }
}

export interface RolloutInput {
  set: ApplicationSet;
  /** Applications of the set as they are. */
  live: readonly KubeObject[];
  desired: readonly JsonObject[];
  ignored: IgnoredDifferences;
  now: number;
}

export interface Rollout {
  status: RolloutStatus[];
  conditions: ApplicationSetCondition[];
  /** To be applied: with automation off, and with an operation where it is their turn. */
  desired: JsonObject[];
}

function nextStatus(application: KubeObject, input: RolloutInput, steps: Steps): RolloutStatus {
  const { set, now, desired, ignored } = input;
  const { name } = application.metadata;
  const seen = observe(application);
  const step = String((steps.of.get(name) ?? -2) + 1);
  const old = set.status?.applicationStatus?.find((one) => one.application === name);
  const fresh: RolloutStatus = {
    application: name,
    status: 'Waiting',
    message: 'No Application status found, defaulting status to Waiting',
    step,
    targetRevisions: seen.revisions,
    lastTransitionTime: timestamp(now),
  };
  let status: RolloutStatus = old ? { ...old, step } : fresh;
  const moved = !jsonEqual(status.targetRevisions ?? [], seen.revisions);
  const wanted = desired.find((one) => isObject(one['metadata']) && one['metadata']['name'] === name);
  const specOf = (object: JsonObject) =>
    ignored.strip({ spec: normalizeApplicationSpec(object['spec']) }, name)['spec'];
  const changed = wanted !== undefined && !jsonEqual(specOf(application), specOf(withoutAutomation(wanted)));
  if (moved || changed) {
    const message = moved && changed ? messages.both : moved ? messages.revision : messages.spec;
    const since = status.status === 'Waiting' && status.message === message ? status.lastTransitionTime : undefined;
    const lastTransitionTime = since ?? timestamp(now);
    status = { ...status, status: 'Waiting', message, targetRevisions: seen.revisions, lastTransitionTime };
    // What is yet to be written cannot have been synced.
    if (changed) return status;
  }
  const next = advance(status.status, seen, Date.parse(status.lastTransitionTime ?? '') || 0);
  return next ? { ...status, ...next, lastTransitionTime: timestamp(now) } : status;
}

/** Names whose step is open: all of the steps before are there and healthy. */
function openNames(steps: Steps, status: readonly RolloutStatus[]): Set<string> {
  const open = new Set<string>();
  const phase = new Map(status.map((one) => [one.application, one.status]));
  for (const names of steps.list) {
    for (const name of names) open.add(name);
    if (names.some((name) => phase.get(name) !== 'Healthy')) break;
  }
  return open;
}

/** Moves those to Pending whose step is open and has room. */
function admit(
  status: RolloutStatus[],
  steps: Steps,
  { set, now }: RolloutInput,
): { status: RolloutStatus[]; problem: string | undefined } {
  const open = openNames(steps, status);
  const busy = steps.list.map(() => 0);
  const total = steps.list.map(() => 0);
  for (const one of status) {
    const step = steps.of.get(one.application);
    if (step === undefined) continue;
    total[step] = (total[step] ?? 0) + 1;
    if (one.status === 'Pending' || one.status === 'Progressing') busy[step] = (busy[step] ?? 0) + 1;
  }
  let problem: string | undefined;
  const next = status.map((one) => {
    const step = steps.of.get(one.application);
    if (step === undefined || one.status !== 'Waiting' || !open.has(one.application)) return one;
    const most = updatesAtOnce(set.spec.strategy?.steps[step]?.maxUpdate, total[step] ?? 0);
    if (typeof most === 'object') problem = `step ${step + 1}: ${most.problem}`;
    if ((busy[step] ?? 0) >= (typeof most === 'number' ? most : 0)) return one;
    busy[step] = (busy[step] ?? 0) + 1;
    const message = 'Application moved to Pending status, watching for the Application resource to start Progressing';
    return { ...one, status: 'Pending' as const, message, lastTransitionTime: timestamp(now) };
  });
  return { status: next, problem };
}

function operationFor(application: JsonObject): JsonObject {
  const spec = isObject(application['spec']) ? application['spec'] : {};
  const policy = isObject(spec['syncPolicy']) ? spec['syncPolicy'] : {};
  const automated =
    isObject(policy['automated']) && policy['automated']['enabled'] !== false ? policy['automated'] : {};
  const { syncOptions, retry } = policy;
  return {
    initiatedBy: { username: 'applicationset-controller', automated: true },
    info: [{ name: 'Reason', value: 'ApplicationSet RollingSync triggered a sync of this Application resource' }],
    sync: { prune: automated['prune'] === true, ...(Array.isArray(syncOptions) ? { syncOptions } : {}) },
    retry: isObject(retry) ? retry : { limit: 5 },
  };
}

function conditionsOf(
  status: readonly RolloutStatus[],
  steps: Steps,
  problem: string | undefined,
): ApplicationSetCondition[] {
  const waiting = steps.list.findIndex((_names, index) =>
    status.some((one) => one.step === String(index + 1) && one.status !== 'Healthy'),
  );
  const wrong = steps.problem ?? problem;
  return [
    wrong === undefined
      ? {
          type: 'InvalidRolloutConfig',
          status: 'False',
          reason: 'ApplicationSetValidRolloutConfig',
          message: 'Rolling Sync Configured correctly',
        }
      : { type: 'InvalidRolloutConfig', status: 'True', reason: 'ApplicationSetInvalidRolloutConfig', message: wrong },
    waiting < 0
      ? {
          type: 'RolloutProgressing',
          status: 'False',
          reason: 'ApplicationSetRolloutComplete',
          message: 'ApplicationSet Rollout has completed',
        }
      : {
          type: 'RolloutProgressing',
          status: 'True',
          reason: 'ApplicationSetModified',
          message: `ApplicationSet is performing rollout of step ${waiting + 1}`,
        },
  ];
}

/** The sync that a pending application waits for was asked for, or runs, or ran. */
function hasBegun(application: KubeObject, pending: ReadonlyMap<string, RolloutStatus>): boolean {
  const status = pending.get(application.metadata.name);
  const { operation } = observe(application);
  const since = Date.parse(status?.lastTransitionTime ?? '') || 0;
  return application['operation'] !== undefined || (operation !== undefined && operation.startedAt >= since);
}

/** The next state of a rollout by steps: who waits, who may sync now, what is written for it. */
export function planRollout(input: RolloutInput): Rollout {
  const { live, desired } = input;
  const steps = stepsOf(
    input.set,
    desired.map((one) => {
      const metadata = isObject(one['metadata']) ? one['metadata'] : {};
      const labels = isObject(metadata['labels']) ? metadata['labels'] : {};
      const texts = Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, String(value)]));
      return { metadata: { name: String(metadata['name'] ?? ''), labels: texts } };
    }),
  );
  const observed = [...live]
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map((application) => nextStatus(application, input, steps));
  const { status, problem } = admit(observed, steps, input);
  const pending = new Map(status.filter((one) => one.status === 'Pending').map((one) => [one.application, one]));
  const begun = new Set(live.filter((one) => hasBegun(one, pending)).map(({ metadata }) => metadata.name));
  return {
    status,
    conditions: conditionsOf(status, steps, problem),
    desired: desired.map((one) => {
      const metadata = isObject(one['metadata']) ? one['metadata'] : {};
      const name = String(metadata['name'] ?? '');
      const held = withoutAutomation(one);
      return pending.has(name) && !begun.has(name) ? { ...held, operation: operationFor(one) } : held;
    }),
  };
}

/** Whose turn it is when a set is deleted in reverse: the one to delete next, or the one that is still going. */
export function nextToDelete(set: ApplicationSet, live: readonly KubeObject[]): KubeObject | undefined {
  const steps = stepsOf(set, live);
  const order = (object: KubeObject) => steps.of.get(object.metadata.name) ?? -1;
  const sorted = [...live].sort((a, b) => order(b) - order(a) || (a.metadata.name < b.metadata.name ? -1 : 1));
  return sorted.find(({ metadata }) => metadata.deletionTimestamp !== undefined) ?? sorted[0];
}
