import type { KubeObject } from '#kube/port.ts';
import { annotations } from '#model/argocd/names.ts';

export type SyncPhase = 'PreSync' | 'Sync' | 'PostSync' | 'SyncFail';
export type DeletionHook = 'PreDelete' | 'PostDelete';
export type HookType = SyncPhase | DeletionHook;
export type DeletePolicy = 'BeforeHookCreation' | 'HookSucceeded' | 'HookFailed';

/** What a manifest's hook annotations make of it. */
export type HookRole =
  | { kind: 'resource' }
  | { kind: 'hook'; types: HookType[] }
  /** Neither applied nor counted. */
  | { kind: 'ignored' };

const syncPhases: readonly string[] = ['PreSync', 'Sync', 'PostSync', 'SyncFail'];
export const deletionHooks: readonly DeletionHook[] = ['PreDelete', 'PostDelete'];

const helmPhases: Record<string, SyncPhase> = {
  'pre-install': 'PreSync',
  'pre-upgrade': 'PreSync',
  'post-install': 'PostSync',
  'post-upgrade': 'PostSync',
};
const helmDeletionHooks: Record<string, DeletionHook> = { 'pre-delete': 'PreDelete', 'post-delete': 'PostDelete' };

function list(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function isDeletionType(type: string): type is DeletionHook {
  return type === 'PreDelete' || type === 'PostDelete';
}

export function isSyncPhase(type: HookType): type is SyncPhase {
  return syncPhases.includes(type);
}

/**
 * The phases come from Argo CD's annotation, from Helm's only where it names no type; hooks of the deletion count from
 * both. A `Skip` beside other types has no effect.
 */
export function hookRoleOf(object: KubeObject): HookRole {
  const notes = object.metadata.annotations ?? {};
  const own = list(notes[annotations.hook]);
  const helm = list(notes[annotations.helmHook]);
  const phases = own.filter((type): type is SyncPhase => syncPhases.includes(type));
  const atDeletion = [...own.filter(isDeletionType), ...helm.flatMap((name) => helmDeletionHooks[name] ?? [])];
  const decided = phases.length > 0 || own.includes('Skip') || own.some(isDeletionType);
  const types = [...new Set([...(decided ? phases : helm.flatMap((name) => helmPhases[name] ?? [])), ...atDeletion])];
  if (types.length > 0) return { kind: 'hook', types };
  if (notes[annotations.hook] !== undefined) return { kind: 'ignored' };
  const isHelmHook = notes[annotations.helmHook] !== undefined && notes[annotations.helmHook] !== 'crd-install';
  return isHelmHook ? { kind: 'ignored' } : { kind: 'resource' };
}

/** A manifest whose only hook type is `Skip`: its object is left as it is, and has no say. */
export function isSkipped(object: KubeObject): boolean {
  const types = list(object.metadata.annotations?.[annotations.hook]);
  return types.length === 1 && types[0] === 'Skip';
}

const helmPolicies: Record<string, DeletePolicy> = {
  'before-hook-creation': 'BeforeHookCreation',
  'hook-succeeded': 'HookSucceeded',
  'hook-failed': 'HookFailed',
};

/** Both annotation families together; BeforeHookCreation when neither says anything. */
export function deletePoliciesOf(object: KubeObject): DeletePolicy[] {
  const notes = object.metadata.annotations ?? {};
  const known: readonly string[] = ['BeforeHookCreation', 'HookSucceeded', 'HookFailed'];
  const policies = [
    ...list(notes[annotations.hookDeletePolicy]).filter((name): name is DeletePolicy => known.includes(name)),
    ...list(notes[annotations.helmHookDeletePolicy]).flatMap((name) => helmPolicies[name] ?? []),
  ];
  return policies.length > 0 ? [...new Set(policies)] : ['BeforeHookCreation'];
}

/** The sync wave: Argo CD's annotation, else Helm's hook weight, else 0. Anything but a whole number is as if absent. */
export function waveOf(object: KubeObject): number {
  const notes = object.metadata.annotations ?? {};
  for (const text of [notes[annotations.syncWave], notes[annotations.helmHookWeight]])
    if (text !== undefined && /^[+-]?\d+$/.test(text)) return Number(text);
  return 0;
}
