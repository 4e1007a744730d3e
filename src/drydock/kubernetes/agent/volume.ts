import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, normalize } from 'node:path';
import { AppError } from '#base/errors.ts';
import { getArray, getNumber, getString, isObject, type JsonObject } from '#base/json.ts';
import { dataOf, type EnvironmentSources, fieldOf } from './environment.ts';

interface VolumeFile {
  path: string;
  content: Buffer;
  mode: number;
}

/**
 * What a volume holds. `files` follow their sources, also while containers run; a `directory` is left as it is and kept
 * for the life of the pod. Throws AppError when a source is missing or of a kind that is not supported.
 */
export type VolumeContent =
  | { kind: 'files'; files: VolumeFile[] }
  | { kind: 'directory' }
  | { kind: 'host'; path: string; create: boolean };

export function volumeContent(volume: JsonObject, sources: EnvironmentSources): VolumeContent {
  if (isObject(volume['emptyDir'])) return { kind: 'directory' };
  const hostPath = getString(volume, 'hostPath', 'path');
  if (hostPath !== undefined)
    return { kind: 'host', path: hostPath, create: getString(volume, 'hostPath', 'type') === 'DirectoryOrCreate' };
  for (const kind of ['configMap', 'secret', 'downwardAPI'] as const) {
    const source = volume[kind];
    if (isObject(source))
      return { kind: 'files', files: sourceFiles(kind, source, { sources, mode: getNumber(source, 'defaultMode') }) };
  }
  if (isObject(volume['projected'])) {
    const mode = getNumber(volume['projected'], 'defaultMode');
    return {
      kind: 'files',
      files: getArray(volume['projected'], 'sources').flatMap((source) => projectedFiles(source, { sources, mode })),
    };
  }
  throw new AppError(
    'unsupported',
    `volume "${getString(volume, 'name')}" is of a kind this node does not offer: ${Object.keys(volume)
      .filter((key) => key !== 'name')
      .join(', ')}`,
    { hint: 'Use configMap, secret, emptyDir, downwardAPI, projected, hostPath or a persistentVolumeClaim.' },
  );
}

interface SourceOptions {
  sources: EnvironmentSources;
  mode: number | undefined;
}

function projectedFiles(source: unknown, options: SourceOptions): VolumeFile[] {
  if (!isObject(source)) return [];
  for (const kind of ['configMap', 'secret', 'downwardAPI'] as const) {
    const part = source[kind];
    if (isObject(part)) return sourceFiles(kind, part, options);
  }
  // Tokens of service accounts are not issued here: the file is absent, as with automountServiceAccountToken: false.
  return [];
}

function sourceFiles(
  kind: 'configMap' | 'secret' | 'downwardAPI',
  source: JsonObject,
  options: SourceOptions,
): VolumeFile[] {
  const { sources } = options;
  const items = getArray(source, 'items').filter(isObject);
  const modeOf = (item?: JsonObject): number => (item && getNumber(item, 'mode')) ?? options.mode ?? 0o644;
  if (kind === 'downwardAPI')
    return items.map((item) => ({
      path: safePath(getString(item, 'path') ?? ''),
      content: Buffer.from(fieldOf(getString(item, 'fieldRef', 'fieldPath') ?? '', sources)),
      mode: modeOf(item),
    }));
  const name = getString(source, kind === 'secret' && source['name'] === undefined ? 'secretName' : 'name') ?? '';
  const object = kind === 'configMap' ? sources.configMap(name) : sources.secret(name);
  const optional = source['optional'] === true;
  if (!object) {
    if (optional) return [];
    throw new AppError('not-found', `${kind.toLowerCase()} "${name}" not found`);
  }
  const data = dataOf(object);
  if (items.length === 0)
    return Object.entries(data).map(([path, content]) => ({ path: safePath(path), content, mode: modeOf() }));
  const files: VolumeFile[] = [];
  for (const item of items) {
    const key = getString(item, 'key') ?? '';
    const content = data[key];
    if (content === undefined) {
      if (optional) continue;
      throw new AppError('not-found', `${kind.toLowerCase()} "${name}" references non-existent key: ${key}`);
    }
    files.push({ path: safePath(getString(item, 'path') ?? key), content, mode: modeOf(item) });
  }
  return files;
}

/** A path inside the volume: `..` and absolute paths are refused. */
function safePath(path: string): string {
  const normal = normalize(path);
  if (normal.startsWith('/') || normal === '..' || normal.startsWith('../'))
    throw new AppError('bad-input', `the path "${path}" leads out of its volume`);
  return normal;
}

/** Puts the content at `directory` and returns where the volume is. */
export async function placeVolume(content: VolumeContent, directory: string): Promise<string> {
  switch (content.kind) {
    case 'host':
      if (content.create) await mkdir(content.path, { recursive: true });
      else if (!(await stat(content.path).catch(() => undefined)))
        throw new AppError('not-found', `hostPath ${content.path} does not exist on this machine`, {
          hint: 'Create it, or use the type DirectoryOrCreate.',
        });
      return content.path;
    case 'directory':
      await mkdir(directory, { recursive: true });
      return directory;
    case 'files': {
      await mkdir(directory, { recursive: true });
      const wanted = new Set(content.files.map((file) => file.path.split('/')[0]));
      for (const name of await readdir(directory))
        if (!wanted.has(name)) await rm(join(directory, name), { recursive: true, force: true });
      for (const file of content.files) {
        const path = join(directory, file.path);
        const before = await readFile(path).catch(() => undefined);
        if (before?.equals(file.content)) continue;
        await mkdir(dirname(path), { recursive: true });
        // Put in place whole: a container may be reading the old one.
        const fresh = join(dirname(path), `..new-${basename(path)}`);
        await writeFile(fresh, file.content, { mode: 0o600 });
        await chmod(fresh, file.mode & 0o777);
        await rename(fresh, path);
      }
      return directory;
    }
  }
}
