import type { KubeObject } from '#kube/port.ts';
import { annotations } from '#model/argocd/names.ts';

/** The comma-separated options of the `compare-options` annotation, of an Application or of one of its objects. */
export function hasCompareOption(object: Pick<KubeObject, 'metadata'>, option: CompareOption): boolean {
  const options = object.metadata.annotations?.[annotations.compareOptions] ?? '';
  return options.split(',').some((text) => text.trim() === option);
}

export type CompareOption =
  | 'IgnoreExtraneous'
  | 'ServerSideDiff=true'
  | 'ServerSideDiff=false'
  | 'IncludeMutationWebhook=true';
