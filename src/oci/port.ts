import type { Digest } from '#base/digest.ts';
import type { JsonObject } from '#base/json.ts';

/** A parsed image reference; `registry` is host[:port], Docker Hub's short names are expanded. */
export interface ImageRef {
  registry: string;
  repository: string;
  tag: string | undefined;
  digest: Digest | undefined;
}

export interface Descriptor {
  mediaType: string;
  digest: Digest;
  size: number;
  annotations?: Record<string, string>;
  platform?: { architecture: string; os: string; variant?: string };
  artifactType?: string;
}

export interface RegistryCredentials {
  username: string;
  password: string;
}

export interface ImageConfig {
  architecture: string;
  os: string;
  created?: string;
  config: {
    Env?: string[];
    Cmd?: string[];
    Entrypoint?: string[];
    WorkingDir?: string;
    User?: string;
    ExposedPorts?: Record<string, object>;
    Labels?: Record<string, string>;
  };
  rootfs: { type: 'layers'; diff_ids: string[] };
  history?: JsonObject[];
}

export interface PulledManifest {
  digest: Digest;
  mediaType: string;
  bytes: Buffer;
}

/** One registry by the OCI distribution API (token and basic authentication included). */
export interface RegistryClient {
  /** Undefined when the tag or digest is unknown. */
  manifest(ref: ImageRef, signal: AbortSignal): Promise<PulledManifest | undefined>;
  /** The image manifest and config for a platform, indexes followed. */
  image(
    ref: ImageRef,
    signal: AbortSignal,
  ): Promise<{ digest: Digest; manifestDigest: Digest; config: ImageConfig; layers: Descriptor[] }>;
  /** The blob's bytes, verified against its digest while they are read. */
  blob(ref: ImageRef, descriptor: Descriptor, signal: AbortSignal): Promise<NodeJS.ReadableStream>;
  hasBlob(ref: ImageRef, digest: Digest, signal: AbortSignal): Promise<boolean>;
  /**
   * `mountFrom` names a repository that may have the blob already: of the same registry, or of `mountRegistry` when that
   * is another name for it (its mirror).
   */
  pushBlob(
    ref: ImageRef,
    blob: {
      digest: Digest;
      size: number;
      open: () => NodeJS.ReadableStream;
      mountFrom?: string;
      mountRegistry?: string;
    },
    signal: AbortSignal,
  ): Promise<void>;
  pushManifest(ref: ImageRef, manifest: { mediaType: string; bytes: Buffer }, signal: AbortSignal): Promise<Digest>;
  tags(ref: ImageRef, signal: AbortSignal): Promise<string[]>;
}

/** An image on disk, ready to be run as a process. */
export interface UnpackedImage {
  digest: Digest;
  config: ImageConfig;
  rootfs: string;
}
