/** What an image says about how to run it. */
export interface ImageConfig {
  Env?: string[];
  Cmd?: string[];
  Entrypoint?: string[];
  WorkingDir?: string;
  User?: string;
  ExposedPorts?: Record<string, unknown>;
}

export interface PulledImage {
  digest: string;
  /** The unpacked root directory; shared by all containers of the image and never written to. */
  rootfs: string;
  config: ImageConfig;
}

/** Gets an image onto this machine. Throws an AppError whose message says why it cannot. */
export type PullImage = (
  image: string,
  options: { pullPolicy: string; imagePullSecrets?: { namespace: string; names: string[] } },
  signal: AbortSignal,
) => Promise<PulledImage>;

/** `registry/name@sha256:...`, as a container status names what really runs. */
export function imageId(image: string, digest: string): string {
  const at = image.indexOf('@');
  const named = at < 0 ? image : image.slice(0, at);
  const colon = named.lastIndexOf(':');
  return `${colon > named.lastIndexOf('/') ? named.slice(0, colon) : named}@${digest}`;
}
