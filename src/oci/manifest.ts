import { type Digest, parseDigest } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import { getArray, getNumber, getObject, getPath, getString, isObject, parseJson } from '#base/json.ts';
import type { Descriptor, ImageConfig } from './port.ts';

export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
} as const;

export const manifestAccept = [
  mediaTypes.ociManifest,
  mediaTypes.ociIndex,
  mediaTypes.dockerManifest,
  mediaTypes.dockerIndex,
].join(', ');

export interface Platform {
  os: string;
  architecture: string;
}

export type ParsedManifest =
  | { kind: 'index'; manifests: Descriptor[] }
  | { kind: 'image'; config: Descriptor; layers: Descriptor[] };

/** Reads an image manifest or an index; throws `corrupt-data` saying what is wrong, `unsupported` for another kind. */
export function parseManifest(bytes: Buffer, what: string): ParsedManifest {
  const document = parseJson(bytes.toString('utf8'), `the manifest of ${what}`);
  if (Array.isArray(getPath(document, 'manifests')))
    return { kind: 'index', manifests: getArray(document, 'manifests').map((entry) => parseDescriptor(entry, what)) };
  if (!isObject(getPath(document, 'config')))
    throw new AppError('unsupported', `${what} is neither an image manifest nor an index (perhaps a schema 1 image)`);
  return {
    kind: 'image',
    config: parseDescriptor(getPath(document, 'config'), what),
    layers: getArray(document, 'layers').map((entry) => parseDescriptor(entry, what)),
  };
}

/** The manifest of an index that fits the platform; throws `not-found` listing the platforms there are. */
export function choosePlatform(manifests: Descriptor[], platform: Platform, what: string): Descriptor {
  const fits = manifests.find(
    (entry) => entry.platform?.os === platform.os && entry.platform.architecture === platform.architecture,
  );
  const only = manifests.length === 1 && manifests[0]?.platform === undefined ? manifests[0] : undefined;
  const found = fits ?? only;
  if (found) return found;
  const names = manifests.map((entry) => `${entry.platform?.os ?? '?'}/${entry.platform?.architecture ?? '?'}`);
  throw new AppError(
    'not-found',
    `${what} has no image for ${platform.os}/${platform.architecture}, only ${names.join(', ')}`,
  );
}

/** Reads an image config, keeping only what we use. */
export function parseImageConfig(bytes: Buffer, what: string): ImageConfig {
  const document = parseJson(bytes.toString('utf8'), `the config of ${what}`);
  const inner = getObject(document, 'config');
  const strings = (name: string) => getArray(inner, name).filter((entry) => typeof entry === 'string');
  const map = (name: string) => Object.entries(getObject(inner, name));
  const created = getString(document, 'created');
  return {
    architecture: getString(document, 'architecture') ?? '',
    os: getString(document, 'os') ?? '',
    ...(created === undefined ? {} : { created }),
    config: {
      ...(Array.isArray(inner['Env']) ? { Env: strings('Env') } : {}),
      ...(Array.isArray(inner['Cmd']) ? { Cmd: strings('Cmd') } : {}),
      ...(Array.isArray(inner['Entrypoint']) ? { Entrypoint: strings('Entrypoint') } : {}),
      ...(typeof inner['WorkingDir'] === 'string' ? { WorkingDir: inner['WorkingDir'] } : {}),
      ...(typeof inner['User'] === 'string' ? { User: inner['User'] } : {}),
      ...(isObject(inner['ExposedPorts'])
        ? { ExposedPorts: Object.fromEntries(map('ExposedPorts').map(([port]) => [port, {}])) }
        : {}),
      ...(isObject(inner['Labels'])
        ? { Labels: Object.fromEntries(map('Labels').map(([name, value]) => [name, String(value)])) }
        : {}),
    },
    rootfs: {
      type: 'layers',
      diff_ids: getArray(document, 'rootfs', 'diff_ids').filter((entry) => typeof entry === 'string'),
    },
    history: getArray(document, 'history').filter(isObject),
  };
}

export function parseDescriptor(value: unknown, what: string): Descriptor {
  const mediaType = getString(value, 'mediaType');
  const digest = readDigest(value, what);
  const size = getNumber(value, 'size');
  if (mediaType === undefined || size === undefined)
    throw new AppError('corrupt-data', `the manifest of ${what} has a descriptor without mediaType or size`);
  const artifactType = getString(value, 'artifactType');
  const annotations = stringMap(getPath(value, 'annotations'));
  const platform = readPlatform(getPath(value, 'platform'));
  return {
    mediaType,
    digest,
    size,
    ...(annotations ? { annotations } : {}),
    ...(platform ? { platform } : {}),
    ...(artifactType === undefined ? {} : { artifactType }),
  };
}

function readDigest(value: unknown, what: string): Digest {
  const text = getString(value, 'digest') ?? '';
  const digest = parseDigest(text);
  if (digest) return digest;
  throw new AppError('unsupported', `the manifest of ${what} names the digest "${text}"; only sha256 is supported`);
}

function readPlatform(value: unknown): Descriptor['platform'] {
  const architecture = getString(value, 'architecture');
  const os = getString(value, 'os');
  const variant = getString(value, 'variant');
  if (architecture === undefined || os === undefined) return undefined;
  return { architecture, os, ...(variant === undefined ? {} : { variant }) };
}

function stringMap(value: unknown): Record<string, string> | undefined {
  if (!isObject(value)) return undefined;
  return Object.fromEntries(Object.entries(value).map(([name, text]: [string, unknown]) => [name, String(text)]));
}
