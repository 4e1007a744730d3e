import type { KubeObject } from '#kube/port.ts';
import type { ApplicationSource } from '#model/argocd/application.ts';
import type { RenderSettings } from '#model/argocd/settings.ts';
import { isOptionalValues } from './chart-scan.ts';
import type { SourceTree } from './tree.ts';

export type SourceType = 'Helm' | 'Kustomize' | 'Directory' | 'Plugin';

export interface RenderRequest {
  application: {
    name: string;
    /** `namespace_name` outside the instance's namespace, else the name. */
    instanceName: string;
    project: string;
    destinationNamespace: string;
  };
  source: ApplicationSource;
  tree: SourceTree;
  /** Sources that others may name as `$ref/...`, by ref. */
  refs: ReadonlyMap<string, SourceTree>;
  cluster: { kubeVersion: string; apiVersions: readonly string[] };
  /** Renders although the result is known: what a tool reads of the world outside its inputs may have changed. */
  anew?: boolean | undefined;
  /** Argo CD's defaults when undefined. */
  settings?: RenderSettings;
}

/** Everything a render depends on, found without rendering. Equal keys give equal manifests. */
export interface RenderInputs {
  key: string;
  sourceType: SourceType;
  /** Files and folders of the source's own repository that the render reads. */
  paths: string[];
  /** Of a chart: value files at the top of this folder are read only when they are among `used`. */
  unread: { folder: string; used: string[] } | undefined;
}

/** Whether a file of the repository is read by a render. */
export function isInput(inputs: Pick<RenderInputs, 'paths' | 'unread'>, path: string): boolean {
  const { paths, unread } = inputs;
  if (!paths.some((own) => own === '' || path === own || path.startsWith(`${own}/`))) return false;
  if (!unread || unread.used.includes(path)) return true;
  const name =
    unread.folder === '' ? path : path.startsWith(`${unread.folder}/`) ? path.slice(unread.folder.length + 1) : '';
  return !isOptionalValues(name);
}

export interface Rendering extends RenderInputs {
  manifests: KubeObject[];
}

/**
 * Turns a source at a commit into manifests. `inputs` reads only object ids and small files; `render` runs the
 * tool, unless its result for the same inputs is known. Errors are AppErrors that quote the tool and name the file.
 */
export interface Renderer {
  inputs(request: RenderRequest, signal: AbortSignal): Promise<RenderInputs>;
  render(request: RenderRequest, signal: AbortSignal): Promise<Rendering>;
  readonly counts: { readonly renders: number; readonly cacheHits: number };
}
