/** An image as a pod or a manifest names it, taken apart without expanding anything. */
export interface ImageName {
  repository: string;
  tag: string | undefined;
  digest: string | undefined;
}

export function parseImageName(image: string): ImageName {
  const text = image.replace(/^[a-z-]+:\/\//, '');
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(':');
  if (colon <= named.lastIndexOf('/')) return { repository: named, tag: undefined, digest };
  return { repository: named.slice(0, colon), tag: named.slice(colon + 1), digest };
}

/** What people call the version: the tag, else the start of the digest. */
export function versionOf(image: string): string | undefined {
  const { tag, digest } = parseImageName(image);
  return tag ?? (digest === undefined ? undefined : digest.slice(0, 19));
}

/** The image that carries the service: the one whose repository ends in its name, else the first. */
export function mainImage(images: string[], service: string): string | undefined {
  const named = images.find((image) => {
    const { repository } = parseImageName(image);
    return repository === service || repository.endsWith(`/${service}`);
  });
  return named ?? images[0];
}
