import { AppError } from '#base/errors.ts';
import type { RenderSettings } from '#model/argocd/settings.ts';
import type { KustomizeTools } from './kustomize.ts';

export interface ChosenTool {
  path: string;
  version: string;
  /** What stands before the folder. */
  command: string[];
  buildOptions: string;
}

/** kubectl, or the program that `kustomize.path.<version>` names for the version that the application asks for. */
export function kustomizeTool(
  tools: KustomizeTools,
  settings: RenderSettings['kustomize'],
  version: string,
): ChosenTool {
  if (version !== '') {
    const known = settings.versions.get(version) ?? settings.versions.get(version.replace(/^v/, ''));
    if (known?.path === undefined)
      throw new AppError('bad-input', `spec.source.kustomize.version "${version}" is not registered`, {
        hint: `set kustomize.path.${version} in argocd-cm to the path of that version's program, or remove the field`,
      });
    const buildOptions = known.buildOptions ?? settings.buildOptions;
    return { path: known.path, version, command: ['build'], buildOptions };
  }
  if (!tools.kubectl)
    throw new AppError('missing-tool', 'kubectl is not installed, and this application is a kustomization', {
      hint: 'run "npm run setup", or install kubectl and start again',
    });
  return { ...tools.kubectl, command: ['kustomize'], buildOptions: settings.buildOptions };
}

/** Options of `kustomize build` that keep it inside the repository and off the network, by the number of their values. */
const allowed: Record<string, number> = {
  '--enable-helm': 0,
  '--load-restrictor': 1,
  '--as-current-user': 0,
  '--enable-managedby-label': 0,
  '--reorder': 1,
};

/** The flags of `kustomize.buildOptions`. Throws AppError for one that could reach outside. */
export function buildFlags(options: string): string[] {
  const out: string[] = [];
  const words = options.split(/\s+/).filter((word) => word !== '');
  for (let at = 0; at < words.length; at += 1) {
    const word = (words[at] ?? '').replace(/^--?load[-_]restrictor/, '--load-restrictor');
    const [name = '', inline] = splitFlag(word);
    const values = allowed[name];
    if (values === undefined)
      throw new AppError('unsupported', `kustomize.buildOptions holds ${name}, which is not allowed`, {
        hint: `allowed are ${Object.keys(allowed).join(', ')}`,
      });
    if (values > 0 && inline === undefined) at += 1;
    const value = inline ?? (values > 0 ? words[at] : undefined);
    // kubectl has no --reorder; its order is that of legacy.
    if (name === '--reorder' || value === 'false') continue;
    out.push(...(values > 0 ? [name, restrictor(value ?? '')] : [name]));
  }
  return out;
}

function splitFlag(word: string): [string, string | undefined] {
  const at = word.indexOf('=');
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function restrictor(value: string): string {
  if (/^(?:LoadRestrictionsNone|none)$/.test(value)) return 'LoadRestrictionsNone';
  if (/^(?:LoadRestrictionsRootOnly|rootOnly)$/.test(value)) return 'LoadRestrictionsRootOnly';
  throw new AppError('bad-input', `kustomize.buildOptions: "${value}" is no load restrictor`);
}

/** Flags for kustomizations that inflate charts, and what of the cluster the result then depends on. */
export function helmFlags(
  tools: KustomizeTools,
  what: { enabled: boolean; allowed: boolean; file: string },
  cluster: { kubeVersion: string; apiVersions: readonly string[] },
): { args: string[]; key: unknown } {
  const refuse = (problem: string, hint: string) =>
    new AppError(tools.helm ? 'unsupported' : 'missing-tool', `${what.file} inflates charts, ${problem}`, { hint });
  if (!what.enabled) throw refuse('and kustomize may not', 'set kustomize.buildOptions: --enable-helm in argocd-cm');
  if (!what.allowed) throw refuse('and charts are off', 'set helm.enable: "true" in argocd-cm');
  if (!tools.helm) throw refuse('and helm is not installed', 'run "npm run setup", or install helm and start again');
  const args: string[] = [];
  if (cluster.kubeVersion !== '') args.push('--helm-kube-version', cluster.kubeVersion.replace(/^v/, ''));
  for (const version of cluster.apiVersions) args.push('--helm-api-versions', version);
  return { args, key: { ...cluster, helm: tools.helm.version } };
}
