import type { KubeClient, KubeObject } from '#kube/port.ts';
import { kindOf } from '#kube/port.ts';
import type { Application } from '#model/argocd/application.ts';
import { annotations, finalizers } from '#model/argocd/names.ts';
import { parseSyncOptions } from '#model/argocd/sync-options.ts';
import { waveOf } from '#sync/hooks.ts';
import { displayName, resourceKeyOf } from '#sync/identity.ts';

export type DeletionStep =
  /** Nothing of ours holds the object back. */
  | { kind: 'none' }
  | { kind: 'delete'; objects: KubeObject[]; propagation: 'Foreground' | 'Background' }
  | { kind: 'wait'; message: string }
  | { kind: 'release'; finalizers: string[] };

function isOurs(finalizer: string): boolean {
  const [base = ''] = finalizer.split('/');
  return base.endsWith('.argocd.argoproj.io');
}

function cascade(application: Application): 'Foreground' | 'Background' | undefined {
  for (const finalizer of application.metadata.finalizers ?? []) {
    if (finalizer === finalizers.background || finalizer === `${finalizers.foreground[0]}/background`)
      return 'Background';
    if (finalizers.foreground.some((name) => finalizer === name || finalizer === `${name}/foreground`))
      return 'Foreground';
  }
  return undefined;
}

function approved(application: Application): boolean {
  const at = Date.parse(application.metadata.annotations?.[annotations.deletionApproved] ?? '');
  return !Number.isNaN(at) && at >= Date.parse(application.metadata.deletionTimestamp ?? '');
}

function isKept(application: Application, object: KubeObject): boolean {
  const notes = object.metadata.annotations ?? {};
  const own = object.kind === 'Application' && object.metadata.name === application.metadata.name;
  const options = parseSyncOptions(application.spec.syncPolicy?.syncOptions ?? [], notes[annotations.syncOptions]);
  return (
    own ||
    object.kind === 'CustomResourceDefinition' ||
    options.delete === 'false' ||
    notes[annotations.helmResourcePolicy] === 'keep'
  );
}

/** The next step of deleting an application: the highest wave of what it manages, one wave at a time, then itself. */
export function planDeletion(application: Application, tracked: readonly KubeObject[]): DeletionStep {
  const ours = (application.metadata.finalizers ?? []).filter(isOurs);
  if (ours.length === 0) return { kind: 'none' };
  const release: DeletionStep = {
    kind: 'release',
    finalizers: (application.metadata.finalizers ?? []).filter((name) => !isOurs(name)),
  };
  const propagation = cascade(application);
  if (!propagation) return release;
  const objects = tracked.filter(
    (object) => (object.metadata.ownerReferences ?? []).length === 0 && !isKept(application, object),
  );
  if (objects.length === 0) return release;
  const terminating = objects.filter((object) => object.metadata.deletionTimestamp !== undefined);
  const [first] = terminating;
  if (first)
    return {
      kind: 'wait',
      message: `waiting for deletion of ${displayName(resourceKeyOf(first))}${terminating.length > 1 ? ` and ${terminating.length - 1} more` : ''}`,
    };
  const confirm = objects.find(
    (object) =>
      parseSyncOptions(
        application.spec.syncPolicy?.syncOptions ?? [],
        object.metadata.annotations?.[annotations.syncOptions],
      ).delete === 'confirm',
  );
  if (confirm && !approved(application))
    return {
      kind: 'wait',
      message: `waiting for confirmation to delete ${displayName(resourceKeyOf(confirm))}: set ${annotations.deletionApproved} on the application`,
    };
  const highest = Math.max(...objects.map(waveOf));
  return { kind: 'delete', objects: objects.filter((object) => waveOf(object) === highest), propagation };
}

export async function deleteObjects(
  kube: Pick<KubeClient, 'delete' | 'discovery'>,
  step: Extract<DeletionStep, { kind: 'delete' }>,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    step.objects.map(async (object) => {
      const resource = await kube.discovery.find(kindOf(object), signal);
      const { uid } = object.metadata;
      if (resource)
        await kube.delete(
          resource,
          object.metadata,
          { propagationPolicy: step.propagation, preconditions: uid ? { uid } : {} },
          signal,
        );
    }),
  );
}
