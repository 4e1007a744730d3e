import { getString } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { fieldManager } from '#model/argocd/names.ts';
import { displayName } from '#sync/identity.ts';
import type { Evidence, EvidenceResource } from './evidence.ts';
import type { Reason } from './reason.ts';
import { classifyRefusal } from './refusals.ts';

/** Heals of one revision after which it is no accident that somebody writes the same field. */
const contestedAfter = 3;

/** The other manager that wrote the object last, status left out. */
function lastWriter(live: KubeObject | undefined): { manager: string; at: string | undefined } | undefined {
  const entries = (live?.metadata.managedFields ?? []).filter(
    (entry) => entry['manager'] !== fieldManager && entry['subresource'] === undefined,
  );
  const sorted = entries.toSorted((a, b) => String(a['time'] ?? '').localeCompare(String(b['time'] ?? '')));
  const last = sorted.at(-1);
  const manager = getString(last, 'manager');
  return manager === undefined ? undefined : { manager, at: getString(last, 'time') };
}

function listed(resources: readonly EvidenceResource[]): string {
  const names = resources.slice(0, 5).map(({ key }) => displayName(key));
  return `${names.join(', ')}${resources.length > 5 ? ` and ${resources.length - 5} more` : ''}`;
}

function rejectedReasons(differing: readonly EvidenceResource[]): Reason[] {
  return differing.flatMap(({ key, rejected }): Reason[] => {
    if (rejected === undefined) return [];
    const known = classifyRefusal(rejected) ?? { code: 'refused' as const, next: 'correct what the server names' };
    return [{ ...known, problem: `the cluster refuses ${displayName(key)} as Git has it: ${rejected}`, object: key }];
  });
}

/** Self-heal and somebody else who take turns. */
function contestReasons(evidence: Evidence, differing: readonly EvidenceResource[]): Reason[] {
  const { operationState } = evidence.application.status ?? {};
  const heals = operationState?.operation.sync?.autoHealAttemptsCount ?? 0;
  if (heals < contestedAfter) return [];
  return differing.flatMap(({ key, live }): Reason[] => {
    const writer = lastWriter(live);
    if (!writer) return [];
    return [
      {
        code: 'contested',
        problem: `${displayName(key)} is changed again after every heal (${heals} so far), last by ${writer.manager}`,
        next: `take the field out of Git, or out of ${writer.manager}; ignoreDifferences with managedFieldsManagers: [${writer.manager}] leaves it alone`,
        object: key,
        ...(writer.at ? { since: writer.at } : {}),
      },
    ];
  });
}

function policyReason(evidence: Evidence, differing: readonly EvidenceResource[]): Reason {
  const { application, windows } = evidence;
  const { syncPolicy } = application.spec;
  const status = application.status ?? {};
  const automated = syncPolicy?.automated;
  const what = differing.length === 0 ? 'the live state differs from Git' : `${listed(differing)} differs from Git`;
  if (!automated || automated.enabled === false)
    return {
      code: 'manual',
      problem: `${what}, the policy is manual and nobody asked for a sync`,
      next: 'look at it: slipway app diff APP; then: slipway app sync APP',
    };
  if (!windows.automated)
    return {
      code: 'window',
      problem: `${what}, and no window lets an automated sync begin now: ${windows.description ?? 'see the project'}`,
      next: windows.manual ? 'wait for the window, or sync by hand: slipway app sync APP' : 'wait for the window',
    };
  const refused = status.conditions?.find(({ type }) => type === 'SyncError');
  if (refused)
    return {
      code: 'sync-failed',
      problem: refused.message,
      next: 'correct it in Git, or try again: slipway app sync APP',
    };
  if (differing.length > 0 && differing.every(({ requiresPruning }) => requiresPruning) && !automated.prune)
    return {
      code: 'prune-off',
      problem: `${listed(differing)} left Git, and the automated policy does not prune`,
      next: 'prune: slipway app sync APP --prune, or set syncPolicy.automated.prune',
    };
  const synced = status.operationState?.syncResult;
  const same = synced?.revision !== undefined && synced.revision === status.sync?.revision;
  if (same && !automated.selfHeal)
    return {
      code: 'self-heal-off',
      problem: `${what}: it was changed in the cluster, and selfHeal is off`,
      next: 'sync: slipway app sync APP, or set syncPolicy.automated.selfHeal',
    };
  return { code: 'pending-sync', problem: `${what}; an automated sync is due`, next: 'wait: it comes by itself' };
}

/** Why what differs is not put right. */
export function differenceReasons(evidence: Evidence): Reason[] {
  if (evidence.application.status?.sync?.status !== 'OutOfSync') return [];
  const differing = evidence.resources.filter(({ sync }) => sync === 'OutOfSync');
  const told = [...rejectedReasons(differing), ...contestReasons(evidence, differing)];
  return told.length > 0 ? told : [policyReason(evidence, differing)];
}
