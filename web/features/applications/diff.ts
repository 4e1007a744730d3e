import type { ManagedResource } from '#apps/port.ts';
import { type DiffHunk, unifiedDiff } from '#base/unified-diff.ts';

export interface ResourceDiff {
  key: string;
  kind: string;
  name: string;
  /** What a sync would do to it. */
  change: 'create' | 'change' | 'delete';
  hunks: DiffHunk[];
}

/** The differing resources with what a sync would do to each; hooks are no part of the comparison. */
export function diffResources(resources: ManagedResource[]): ResourceDiff[] {
  return resources
    .filter(({ hook }) => !hook)
    .map((resource) => {
      const { group, kind, namespace, name, liveText, desiredText } = resource;
      return {
        key: `${group}/${kind}/${namespace ?? ''}/${name}`,
        kind,
        name: namespace ? `${namespace}/${name}` : name,
        change: changeOf(resource),
        hunks: unifiedDiff(liveText ?? '', desiredText ?? ''),
      };
    })
    .filter(({ hunks }) => hunks.length > 0);
}

function changeOf({ liveText, desiredText }: ManagedResource): ResourceDiff['change'] {
  if (liveText === undefined) return 'create';
  return desiredText === undefined ? 'delete' : 'change';
}

export const changeText: Record<ResourceDiff['change'], string> = {
  create: 'will be created',
  change: 'will be changed',
  delete: 'is not in Git any more',
};
