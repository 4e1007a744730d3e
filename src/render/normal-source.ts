import type { ApplicationSource } from '#model/argocd/application.ts';

function isEmptyValue(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function isEmptyBlock(block: object, ignored: readonly string[] = []): boolean {
  return Object.entries(block).every(([field, value]) => ignored.includes(field) || isEmptyValue(value));
}

/** Say nothing by themselves: a block that holds only these counts as empty. */
const kustomizeModifiers = [
  'forceCommonLabels',
  'forceCommonAnnotations',
  'commonAnnotationsEnvsubst',
  'labelWithoutSelector',
  'labelIncludeTemplates',
];

/** As Argo CD stores a source: blocks without content are left out, so that they force no type. */
export function normalSource(source: ApplicationSource): ApplicationSource {
  const { helm, kustomize, directory, ...rest } = source;
  const out: ApplicationSource = rest;
  if (helm && !isEmptyBlock(helm)) out.helm = helm;
  if (kustomize && !isEmptyBlock(kustomize, kustomizeModifiers)) out.kustomize = kustomize;
  if (directory) {
    const jsonnet = directory.jsonnet && !isEmptyBlock(directory.jsonnet);
    if (directory.recurse || jsonnet || directory.disableExtensionFilter) out.directory = directory;
    else {
      const kept = {
        ...(directory.include ? { include: directory.include } : {}),
        ...(directory.exclude ? { exclude: directory.exclude } : {}),
      };
      if (Object.keys(kept).length > 0) out.directory = kept;
    }
  }
  return out;
}
