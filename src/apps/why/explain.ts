import { differenceReasons } from './differences.ts';
import type { Evidence } from './evidence.ts';
import { failedReasons, runningReasons } from './operations.ts';
import type { Reason } from './reason.ts';
import { specReasons, troubleReasons, warningReasons } from './troubles.ts';
import { unhealthyReasons } from './workloads.ts';

function deletionReasons({ application: { metadata } }: Evidence): Reason[] {
  if (metadata.deletionTimestamp === undefined) return [];
  const left = metadata.finalizers ?? [];
  return [
    {
      code: 'deleting',
      problem: `it is being deleted; left to do: ${left.join(', ') || 'nothing'}`,
      next: 'wait; what its objects wait for is told below, if anything is',
      since: metadata.deletionTimestamp,
    },
  ];
}

/** One operation decides at most: the one under way, else the last one when it failed and nothing has moved since. */
function operationReasons(evidence: Evidence): Reason[] {
  const { operation, status = {} } = evidence.application;
  const state = status.operationState;
  if (operation !== undefined || state?.phase === 'Running' || state?.phase === 'Terminating')
    return runningReasons(evidence, state?.phase === 'Running' || state?.phase === 'Terminating' ? state : undefined);
  const failed = state?.phase === 'Failed' || state?.phase === 'Error';
  return failed && status.sync?.status !== 'Synced' ? failedReasons(evidence, state) : differenceReasons(evidence);
}

/** Nothing is said twice: the first, most telling place keeps it. */
function distinct(reasons: readonly Reason[]): Reason[] {
  const seen = new Set<string>();
  return reasons.filter(({ code, problem, object }) => {
    const id = `${code} ${object ? `${object.kind}/${object.name}` : problem}`;
    return !seen.has(id) && seen.add(id);
  });
}

/**
 * What holds an application back and the next step, the most telling first; empty when it is Synced and Healthy. Pure:
 * draws on what was collected, asks nobody. `APP` in `next` stands for its name until here.
 */
export function explainWhy(evidence: Evidence): Reason[] {
  const stopped = [...specReasons(evidence), ...troubleReasons(evidence)];
  const reasons = [
    ...deletionReasons(evidence),
    ...stopped,
    ...(stopped.length > 0 ? [] : operationReasons(evidence)),
    ...evidence.resources
      .filter(({ hook, health }) => !hook && health?.status !== 'Missing')
      .flatMap((resource) => unhealthyReasons(resource, evidence)),
    ...warningReasons(evidence),
  ];
  return distinct(reasons).map((reason) => ({ ...reason, next: reason.next.replaceAll('APP', evidence.name) }));
}
