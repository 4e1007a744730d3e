import type { PullImage } from '#drydock/kubernetes/agent/image.ts';
import type { ImageStore } from '#oci/image-store.ts';
import { parseReference } from '#oci/reference.ts';

/** Images of pods, out of this machine's store. */
export function pullFrom(images: ImageStore): PullImage {
  return async (image, { pullPolicy }, signal) => {
    const unpacked = await images.ensure(parseReference(image), signal, parsePullPolicy(pullPolicy));
    return { digest: unpacked.digest, rootfs: unpacked.rootfs, config: unpacked.config.config };
  };
}

function parsePullPolicy(text: string): 'Always' | 'IfNotPresent' | 'Never' {
  return text === 'Always' || text === 'Never' ? text : 'IfNotPresent';
}
