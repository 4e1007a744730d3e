import type { OperationState, ResourceResult } from '#model/argocd/application.ts';
import { displayName } from '#sync/identity.ts';
import type { Evidence, EvidenceResource } from './evidence.ts';
import type { Reason } from './reason.ts';
import { classifyRefusal } from './refusals.ts';
import { unhealthyReasons } from './workloads.ts';

const waiting =
  /^waiting for (healthy state of|completion of hook|deletion of(?: hook)?|pruning confirmation of) (\S+?)(?: and (\d+) more.*)?$/;

function named(evidence: Evidence, display: string): EvidenceResource | undefined {
  return evidence.resources.find(({ key }) => displayName(key) === display);
}

/** What a later wave of the same sync has to wait for, said with the objects that wait. */
function waveReasons(evidence: Evidence, display: string): Reason[] {
  const resource = named(evidence, display);
  const wave = resource?.wave ?? 0;
  const later = evidence.resources.filter((other) => other.wave > wave && other.sync !== 'Synced');
  const behind =
    later.length === 0
      ? ''
      : `; behind it wait ${later
          .slice(0, 3)
          .map(({ key, wave: at }) => `${displayName(key)} (wave ${at})`)
          .join(', ')}${later.length > 3 ? ` and ${later.length - 3} more` : ''}`;
  const causes = resource ? unhealthyReasons(resource, evidence) : [];
  const [cause] = causes;
  const reason: Reason = {
    code: 'waiting-wave',
    problem: `the sync waits in wave ${wave} until ${display} is healthy${behind}`,
    next: cause?.next ?? `wait, or look at it: slipway app get APP`,
    ...(resource ? { object: resource.key } : {}),
  };
  return [reason, ...causes];
}

function waitReasons(evidence: Evidence, message: string): Reason[] | undefined {
  const match = waiting.exec(message);
  if (!match) return undefined;
  const [, what = '', display = '', more] = match;
  const others = more === undefined ? '' : ` and ${more} more`;
  if (what === 'healthy state of') return waveReasons(evidence, display);
  if (what === 'pruning confirmation of')
    return [
      {
        code: 'waiting-approval',
        problem: `the sync waits for somebody to approve that ${display}${others} is pruned`,
        next: 'approve it: slipway app confirm-deletion APP',
      },
    ];
  if (what.startsWith('deletion of')) {
    const live = named(evidence, display)?.live;
    const held = live?.metadata.finalizers ?? [];
    return [
      {
        code: 'waiting-deletion',
        problem: `the sync waits until ${display}${others} is gone${held.length > 0 ? `; its finalizers are ${held.join(', ')}` : ''}`,
        next: held.length > 0 ? 'make the controller that owns the finalizer do its work' : 'wait',
      },
    ];
  }
  const hook = named(evidence, display);
  const causes = hook ? unhealthyReasons(hook, evidence) : [];
  return [
    {
      code: 'waiting-hook',
      problem: `the sync waits for its hook ${display}${others}`,
      next: causes[0]?.next ?? 'wait, or end it: slipway app terminate-op APP',
    },
    ...causes.filter(({ code }) => code !== 'progressing'),
  ];
}

/** What an operation in progress is held up by. */
export function runningReasons(evidence: Evidence, state: OperationState | undefined): Reason[] {
  const message = state?.message ?? 'it was just asked for';
  if (state?.finishedAt !== undefined)
    return [
      {
        code: 'retrying',
        problem: `the last try failed and is repeated (${state.retryCount ?? 0} so far): ${message}`,
        next: classifyRefusal(message)?.next ?? 'correct what the message names in Git, or wait',
        ...{ since: state.finishedAt },
      },
      ...failedReasons(evidence, state),
    ];
  if (/sync window/.test(message))
    return [
      {
        code: 'window',
        problem: `the sync waits for a window of project ${evidence.application.spec.project || 'default'}: ${evidence.windows.description ?? message}`,
        next: 'wait for the window; "slipway proj windows list" shows all of them',
      },
    ];
  return (
    waitReasons(evidence, message) ?? [
      {
        code: 'running',
        problem: `a sync is running: ${message}`,
        next: 'wait, or end it: slipway app terminate-op APP',
        ...(state ? { since: state.startedAt } : {}),
      },
    ]
  );
}

function isFailed({ status, hookPhase }: ResourceResult): boolean {
  return status === 'SyncFailed' || hookPhase === 'Failed' || hookPhase === 'Error';
}

function resultReason(evidence: Evidence, result: ResourceResult): Reason[] {
  const { group, kind, name, namespace, hookType, message = 'no message' } = result;
  const key = { group, kind, name, ...(namespace === '' ? {} : { namespace }) };
  const display = displayName(key);
  if (result.status !== 'SyncFailed' && hookType !== undefined) {
    const resource = evidence.resources.find((entry) => entry.hook && displayName(entry.key) === display);
    const causes = resource ? unhealthyReasons(resource, evidence) : [];
    const log = `read what it wrote: slipway app logs APP --kind ${kind} --name ${name}`;
    const failed: Reason = {
      code: 'failed-hook',
      problem: `the ${hookType} hook ${display} failed: ${message}`,
      next: causes[0]?.next ?? log,
      object: key,
    };
    return [failed, ...causes.filter(({ code }) => code !== 'job-failed')];
  }
  const known = classifyRefusal(message) ?? { code: 'sync-failed' as const, next: 'correct what the message names' };
  return [{ ...known, problem: `${display} could not be synced: ${message}`, object: key }];
}

/** Why an operation failed, object by object; its own message when no object tells. */
export function failedReasons(evidence: Evidence, state: OperationState): Reason[] {
  const failed = (state.syncResult?.resources ?? []).filter(isFailed);
  const reasons = failed.slice(0, 10).flatMap((result) => resultReason(evidence, result));
  if (reasons.length > 0) return reasons;
  const message = state.message ?? 'no message';
  const known = classifyRefusal(message) ?? {
    code: 'sync-failed' as const,
    next: 'correct it in Git, or try again: slipway app sync APP',
  };
  return [
    { ...known, problem: `the last sync failed: ${message}`, ...(state.finishedAt ? { since: state.finishedAt } : {}) },
  ];
}
