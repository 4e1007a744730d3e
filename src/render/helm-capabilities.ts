import type { CommitSha, GitMirror } from '#git/port.ts';
import type { ResolvedSource } from './source.ts';

const known = new Map<string, boolean>();
const knownLimit = 10_000;

/**
 * True when a template of the chart may ask for the cluster's versions, so that its result depends on them. Packaged
 * subcharts are not looked into: they count as asking. Remembered by the folder's object id.
 */
export async function chartUsesCapabilities(
  mirror: GitMirror,
  commit: CommitSha,
  resolved: ResolvedSource,
  signal: AbortSignal,
): Promise<boolean> {
  const remembered = known.get(resolved.tree);
  if (remembered !== undefined) return remembered;
  let uses = false;
  for (const entry of await mirror.listFiles(commit, resolved.path, signal)) {
    if (entry.type !== 'blob') continue;
    if (/\.(?:tgz|tar\.gz)$/.test(entry.path)) uses = true;
    // A chart may demand a Kubernetes version, and templates may stand anywhere below templates/.
    else if (/(?:^|\/)Chart\.yaml$/.test(entry.path))
      uses = (await mirror.readBlob(entry.oid, signal)).includes('kubeVersion');
    else if (/(?:^|\/)templates\//.test(entry.path))
      uses = (await mirror.readBlob(entry.oid, signal)).includes('Capabilities');
    if (uses) break;
  }
  if (known.size >= knownLimit) known.clear();
  known.set(resolved.tree, uses);
  return uses;
}
