import { isAppError } from '#base/errors.ts';
import {
  getArray,
  getNumber,
  getObject,
  getPath,
  getString,
  isObject,
  type JsonObject,
  parseJson,
} from '#base/json.ts';
import { type ContentDigest, parseContentDigest } from './names.ts';
import { RegistryError } from './registry-error.ts';

export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const;

export interface ManifestDocument {
  mediaType: string;
  /** Blobs that must be in the repository before the manifest is taken. */
  blobs: ContentDigest[];
  manifests: ContentDigest[];
  subject: ContentDigest | undefined;
  artifactType: string | undefined;
  annotations: JsonObject | undefined;
}

/** Reads a manifest as pushed with `contentType`; throws MANIFEST_INVALID naming what is wrong with it. */
export function parseManifest(bytes: Buffer, contentType: string): ManifestDocument {
  const document = parseObject(bytes);
  const declared = getString(document, 'mediaType');
  if (declared !== undefined && declared !== contentType)
    throw invalid(`its mediaType is ${declared} but the Content-Type is ${contentType}`);
  if (getNumber(document, 'schemaVersion') !== 2) throw invalid('schemaVersion must be 2');
  const subject = getPath(document, 'subject') === undefined ? undefined : descriptor(document, 'subject').digest;
  const annotations = isObject(document['annotations']) ? document['annotations'] : undefined;
  const common = { mediaType: contentType, subject, annotations };
  switch (contentType) {
    case mediaTypes.ociManifest:
    case mediaTypes.dockerManifest: {
      const config = descriptor(document, 'config');
      const layers = list(document, 'layers').map((_, index) => descriptor(document, 'layers', index));
      return {
        ...common,
        blobs: [config, ...layers.filter((layer) => !layer.foreign)].map(({ digest }) => digest),
        manifests: [],
        artifactType: getString(document, 'artifactType') ?? config.mediaType,
      };
    }
    case mediaTypes.ociIndex:
    case mediaTypes.dockerIndex:
      return {
        ...common,
        blobs: [],
        manifests: list(document, 'manifests').map((_, index) => descriptor(document, 'manifests', index).digest),
        artifactType: getString(document, 'artifactType'),
      };
    default:
      throw invalid(`manifests of type ${contentType || '(no Content-Type)'} are not supported`);
  }
}

/** The entry of a manifest in a referrers list. */
export function referrerDescriptor(document: ManifestDocument, digest: string, size: number): JsonObject {
  return {
    mediaType: document.mediaType,
    digest,
    size,
    ...(document.artifactType === undefined ? {} : { artifactType: document.artifactType }),
    ...(document.annotations === undefined ? {} : { annotations: document.annotations }),
  };
}

function invalid(why: string): RegistryError {
  return new RegistryError('MANIFEST_INVALID', `manifest invalid: ${why}`);
}

function parseObject(bytes: Buffer): JsonObject {
  try {
    const document = parseJson(bytes.toString('utf8'), 'it');
    if (isObject(document)) return document;
  } catch (error) {
    if (isAppError(error)) throw invalid(error.message);
    throw error;
  }
  throw invalid('it is not a JSON object');
}

function list(document: JsonObject, field: string): unknown[] {
  if (!Array.isArray(document[field])) throw invalid(`${field} must be a list`);
  return getArray(document, field);
}

function descriptor(document: JsonObject, ...path: (string | number)[]) {
  const value = getObject(document, ...path);
  const mediaType = getString(value, 'mediaType');
  const digest = parseContentDigest(getString(value, 'digest') ?? '');
  const size = getNumber(value, 'size');
  if (mediaType === undefined || !digest || size === undefined || size < 0)
    throw invalid(`${path.join('.')} needs a mediaType, a sha256 or sha512 digest and a size`);
  const foreign = /nondistributable|foreign/.test(mediaType) && getArray(value, 'urls').length > 0;
  return { mediaType, digest, foreign };
}
