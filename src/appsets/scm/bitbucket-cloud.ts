import { getArray, getString, isObject, type JsonObject } from '#base/json.ts';
import type { PullRequestLister, ScmBranch, ScmProvider } from './port.ts';
import { cloneUrl, type RestApi } from './rest.ts';

const path = encodeURIComponent;

function linkOf(repository: JsonObject, name: string): string | undefined {
  const links = getArray(repository, 'links', 'clone').filter(isObject);
  return getString(
    links.find((link) => link['name'] === name),
    'href',
  );
}

function branchOf(repository: ScmBranch, branch: JsonObject): ScmBranch {
  return { ...repository, branch: getString(branch, 'name') ?? '', sha: getString(branch, 'target', 'hash') ?? '' };
}

/** Repositories of a workspace that the account is a member of, by the REST API of bitbucket.org. */
export function bitbucketCloudProvider(
  api: RestApi,
  options: { owner: string; allBranches: boolean; cloneProtocol: string },
): ScmProvider {
  const at = (repository: string) => `/repositories/${path(options.owner)}/${path(repository)}`;
  return {
    async repositories(signal) {
      const found = await api.values(`/repositories/${path(options.owner)}?role=member`, signal);
      return found.map((repository) => ({
        organization: options.owner,
        repository: getString(repository, 'slug') ?? '',
        repositoryId: getString(repository, 'uuid') ?? '',
        url: cloneUrl(
          options.cloneProtocol,
          { ssh: linkOf(repository, 'ssh'), https: linkOf(repository, 'https') },
          'Bitbucket',
        ),
        branch: getString(repository, 'mainbranch', 'name') ?? '',
        sha: '',
        labels: [],
      }));
    },
    async branches(repository, signal) {
      const url = `${at(repository.repository)}/refs/branches`;
      if (options.allBranches) return (await api.values(url, signal)).map((branch) => branchOf(repository, branch));
      const body = await api.get(`${url}/${path(repository.branch)}`, signal);
      return isObject(body) ? [branchOf(repository, body)] : [];
    },
    async hasPath(branch, file, signal) {
      const place = file.split('/').map(path).join('/');
      const url = `${at(branch.repository)}/src/${path(branch.sha || branch.branch)}/${place}?format=meta`;
      return (await api.find(url, signal)) !== undefined;
    },
  };
}

/** Open pull requests of a repository. */
export function bitbucketCloudPullRequests(api: RestApi, options: { owner: string; repo: string }): PullRequestLister {
  return {
    async pullRequests(signal) {
      const url = `/repositories/${path(options.owner)}/${path(options.repo)}/pullrequests?state=OPEN`;
      return (await api.values(url, signal)).map((pull) => ({
        number: Number(pull['id'] ?? 0),
        title: getString(pull, 'title') ?? '',
        branch: getString(pull, 'source', 'branch', 'name') ?? '',
        targetBranch: getString(pull, 'destination', 'branch', 'name') ?? '',
        headSha: getString(pull, 'source', 'commit', 'hash') ?? '',
        labels: [],
        author: getString(pull, 'author', 'nickname') ?? '',
      }));
    },
  };
}
