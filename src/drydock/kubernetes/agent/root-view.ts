import { link, mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { join, normalize } from 'node:path';

export interface Mount {
  /** As the container sees it. */
  path: string;
  /** Where it really is. */
  source: string;
}

interface Node {
  children: Map<string, Node>;
  source: string | undefined;
}

/**
 * A root directory with mounts for one container. Without mount namespaces it is a tree of links: directories on the
 * way to a mount are real and their files hard links (so that a program finds its volume relative to itself), everything
 * else is a symbolic link into the shared image. Programs reach mounts by paths relative to their working directory;
 * absolute ones work where the agent rewrites them, in arguments and variables.
 */
export async function buildRootView(rootfs: string, view: string, mounts: readonly Mount[]): Promise<void> {
  await rm(view, { recursive: true, force: true });
  const tree: Node = { children: new Map(), source: undefined };
  for (const mount of mounts) {
    let at = tree;
    for (const name of normalize(`/${mount.path}`).split('/').filter(Boolean)) {
      const next = at.children.get(name) ?? { children: new Map(), source: undefined };
      at.children.set(name, next);
      at = next;
    }
    at.source = mount.source;
  }
  await fill(tree, rootfs, view);
}

async function fill(node: Node, original: string, view: string): Promise<void> {
  await mkdir(view, { recursive: true });
  const entries = await readdir(original, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (node.children.has(entry.name)) continue;
    const from = join(original, entry.name);
    const to = join(view, entry.name);
    if (!entry.isFile()) await symlink(from, to);
    else await link(from, to).catch(() => symlink(from, to));
  }
  for (const [name, child] of node.children) {
    const to = join(view, name);
    if (child.source !== undefined && child.children.size === 0) await symlink(child.source, to);
    else await fill(child, child.source ?? join(original, name), to);
  }
}

/** A path below a mount by its real path; any other as it stands. */
export function realPath(path: string, mounts: readonly Mount[]): string {
  const best = mounts
    .map((mount) => ({ ...mount, path: normalize(`/${mount.path}`).replace(/\/+$/, '') }))
    .filter((mount) => path === mount.path || path.startsWith(`${mount.path}/`))
    .sort((a, b) => b.path.length - a.path.length)[0];
  return best ? best.source + path.slice(best.path.length) : path;
}
