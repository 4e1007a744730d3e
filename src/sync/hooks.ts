import type { KubeObject } from '#kube/port.ts';
import { annotations } from '#model/argocd/names.ts';

export type HookType = 'PreSync' | 'Sync' | 'PostSync' | 'SyncFail' | 'PreDelete' | 'PostDelete';
export type SyncPhase = 'PreSync' | 'Sync' | 'PostSync' | 'SyncFail';
export type DeletePolicy = 'BeforeHookCreation' | 'HookSucceeded' | 'HookFailed';

/** What a manifest's hook annotations make of it. */
export type HookRole =
  | { kind: 'resource' }
  | { kind: 'hook'; types: HookType[] }
  /** Neither applied nor counted. */
  | { kind: 'ignored' };

const argoHooks: readonly string[] = ['PreSync', 'Sync', 'PostSync', 'SyncFail', 'PreDelete', 'PostDelete'];

const helmHooks: Record<string, HookType | 'resource'> = {
  'crd-install': 'resource',
  'pre-install': 'PreSync',
  'pre-upgrade': 'PreSync',
  'post-install': 'PostSync',
  'post-upgrade': 'PostSync',
  'pre-delete': 'PreDelete',
  'post-delete': 'PostDelete',
};

function list(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Argo CD's annotation decides; Helm's is read only where it is absent. */
export function hookRoleOf(object: KubeObject): HookRole {
  const notes = object.metadata.annotations ?? {};
  const own = list(notes[annotations.hook]);
  if (own.length > 0) {
    const types = own.filter((type): type is HookType => argoHooks.includes(type));
    if (types.length > 0) return { kind: 'hook', types: [...new Set(types)] };
    return { kind: 'ignored' };
  }
  const helm = list(notes[annotations.helmHook]);
  if (helm.length === 0) return { kind: 'resource' };
  if (helm.includes('crd-install')) return { kind: 'resource' };
  const types = helm
    .map((name) => helmHooks[name])
    .filter((type): type is HookType => type !== undefined && type !== 'resource');
  return types.length > 0 ? { kind: 'hook', types: [...new Set(types)] } : { kind: 'ignored' };
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

/** The sync wave: Argo CD's annotation, else Helm's hook weight, else 0. */
export function waveOf(object: KubeObject): number {
  const notes = object.metadata.annotations ?? {};
  for (const text of [notes[annotations.syncWave], notes[annotations.helmHookWeight]])
    if (text !== undefined && /^[+-]?\d+$/.test(text.trim())) return Number(text.trim());
  return 0;
}
