import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256Hex } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import { type Logger, silentLogger } from '#base/log.ts';
import type { TreeEntry } from '#git/port.ts';
import type { ApplicationSource } from '#model/argocd/application.ts';
import { defaultSettings, type RenderSettings } from '#model/argocd/settings.ts';
import { testClock } from '../../test/clock.ts';
import { toolPath } from '../../test/tools.ts';
import { compareBytes } from './entry-order.ts';
import type { PluginHost } from './plugin.ts';
import type { Renderer, RenderRequest } from './port.ts';
import { createRenderer } from './renderer.ts';
import type { SourceTree } from './tree.ts';

export type Content = string | Uint8Array | { link: string } | { run: string } | { submodule: string };
export type Files = Record<string, Content>;

function entryOf(path: string, content: Content): TreeEntry & { data: Buffer } {
  const [mode, data] =
    typeof content === 'string' || content instanceof Uint8Array
      ? ['100644', content]
      : 'link' in content
        ? ['120000', content.link]
        : 'run' in content
          ? ['100755', content.run]
          : ['160000', content.submodule];
  const bytes = Buffer.from(data);
  return { path, mode, type: mode === '160000' ? 'commit' : 'blob', oid: sha256Hex(bytes), data: bytes };
}

/** A tree that is an object of paths. */
export function fileTree(files: Files, revision = 'a'.repeat(40)): SourceTree {
  const entries = Object.entries(files)
    .map(([path, content]) => entryOf(path, content))
    .sort((a, b) => compareBytes(a.path, b.path));
  const below = (path: string) =>
    entries.filter((entry) => path === '' || entry.path === path || entry.path.startsWith(`${path}/`));
  return {
    url: 'https://git.example/demo',
    revision,
    place: `https://git.example/demo at ${revision.slice(0, 7)}`,
    objectId: async (path) => {
      const found = below(path);
      if (found.length === 0) return path === '' ? 'empty' : undefined;
      const [only] = found;
      if (only?.path === path) return only.oid;
      return sha256Hex(
        found.map(({ mode, oid, path: name }) => `${mode} ${oid} ${name.slice(path.length)}`).join('\n'),
      );
    },
    mode: async (path) => {
      const [first] = below(path);
      return first?.path === path ? first.mode : first || path === '' ? '040000' : undefined;
    },
    listFiles: async (path) => {
      const found = below(path);
      if (found.length === 0 && path !== '') throw new AppError('not-found', `no path ${path}`);
      return found.map(({ data: _data, ...entry }) => entry);
    },
    readFile: async (path) => entries.find((entry) => entry.path === path && entry.type === 'blob')?.data,
    readBlob: async (oid) => {
      const found = entries.find((entry) => entry.oid === oid);
      if (!found) throw new AppError('corrupt-data', `no blob ${oid}`);
      return found.data;
    },
  };
}

export interface Renders extends Disposable {
  renderer: Renderer;
  request: (files: Files, source: Partial<ApplicationSource>, options?: RequestOptions) => RenderRequest;
  /** The objects as `Kind name`. */
  names: (files: Files, source: Partial<ApplicationSource>, options?: RequestOptions) => Promise<string[]>;
  objects: (files: Files, source: Partial<ApplicationSource>, options?: RequestOptions) => Promise<Objects>;
}

export type Objects = {
  kind: string;
  metadata: { name: string; [field: string]: unknown };
  [field: string]: unknown;
}[];

export interface RequestOptions {
  settings?: Partial<RenderSettings>;
  revision?: string;
  instanceName?: string;
}

/** A renderer with the real programs, and a cache of its own. */
export function startRenders(options: { plugins?: PluginHost; logger?: Logger } = {}): Renders {
  const folder = mkdtempSync(join(tmpdir(), 'renders-'));
  const renderer = createRenderer({
    cacheDir: folder,
    clock: testClock,
    logger: options.logger ?? silentLogger,
    helm: { path: toolPath('helm'), version: '4' },
    kubectl: { path: toolPath('kubectl'), version: '1' },
    plugins: options.plugins,
  });
  const request: Renders['request'] = (files, source, more = {}) => ({
    application: {
      name: 'app',
      instanceName: more.instanceName ?? 'app',
      project: 'default',
      destinationNamespace: 'ns',
    },
    source: { repoURL: 'https://git.example/demo', path: '.', ...source },
    tree: fileTree(files, more.revision),
    refs: new Map(),
    cluster: { kubeVersion: 'v1.33.2', apiVersions: ['v1', 'apps/v1'] },
    settings: { ...defaultSettings.render, ...more.settings },
  });
  const objects: Renders['objects'] = async (files, source, more) =>
    (await renderer.render(request(files, source, more), AbortSignal.timeout(30_000))).manifests;
  return {
    renderer,
    request,
    objects,
    names: async (files, source, more) =>
      (await objects(files, source, more)).map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export function configMap(name: string, data = 'a: b'): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  ${data}\n`;
}
