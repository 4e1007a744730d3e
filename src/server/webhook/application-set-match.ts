import { getArray, getObject, getString, isObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';

/** Something that generators ask a forge about: proposals of changes of one repository, or which repositories there are. */
export interface ForgeChange {
  about: 'proposals' | 'repositories';
  /** User, organisation or group; with a repository's project where the forge has those. */
  owner: string;
  repository: string;
}

const same = (a: string | undefined, b: string) => a !== undefined && a.toLowerCase() === b.toLowerCase();

/** The block of one forge in a `pullRequest` or `scmProvider` generator. */
function isAbout(block: unknown, { about, owner, repository }: ForgeChange): boolean {
  const full = `${owner}/${repository}`;
  const owners = ['owner', 'organization', 'group', 'project'].map((key) => getString(block, key));
  if (about === 'repositories')
    return owners.some(
      (name) =>
        name !== undefined && (same(name, owner) || `${full}/`.toLowerCase().startsWith(`${name.toLowerCase()}/`)),
    );
  const repo = getString(block, 'repo');
  // GitLab names the repository in `project`, by its path or its number, which says nothing here.
  if (repo === undefined) return owners.some((name) => same(name, full) || /^\d+$/.test(name ?? ''));
  return (
    same(repo, repository) &&
    owners.some((name) => same(name, owner) || owner.toLowerCase().endsWith(`/${name?.toLowerCase()}`))
  );
}

function generatorConcerned(generator: unknown, change: ForgeChange): boolean {
  const kind = change.about === 'proposals' ? 'pullRequest' : 'scmProvider';
  const block = getObject(generator)[kind];
  if (isObject(block) && Object.values(block).some((forge) => isObject(forge) && isAbout(forge, change))) return true;
  return ['matrix', 'merge'].some((outer) =>
    getArray(generator, outer, 'generators').some((inner) => generatorConcerned(inner, change)),
  );
}

/** Whether a set makes other applications after this change. */
export function isSetConcerned(set: KubeObject, change: ForgeChange): boolean {
  return getArray(set['spec'], 'generators').some((generator) => generatorConcerned(generator, change));
}
