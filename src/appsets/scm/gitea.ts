import { AppError } from '#base/errors.ts';
import { getString, type JsonObject } from '#base/json.ts';
import type { PullRequestLister, ScmBranch, ScmProvider } from './port.ts';
import { cloneUrl, hasAll, names, type RestApi } from './rest.ts';

const page = { name: 'limit', value: 50 };
const path = encodeURIComponent;

export function giteaHeaders(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `token ${token}` };
}

function branchOf(repository: ScmBranch, branch: JsonObject): ScmBranch {
  return { ...repository, branch: getString(branch, 'name') ?? '', sha: getString(branch, 'commit', 'id') ?? '' };
}

/** Repositories of an organisation, by Gitea's (and Forgejo's) REST API. */
export function giteaProvider(
  api: RestApi,
  options: { owner: string; allBranches: boolean; excludeArchived: boolean; cloneProtocol: string },
): ScmProvider {
  const at = (name: string) => `/repos/${path(options.owner)}/${path(name)}`;
  return {
    async repositories(signal) {
      const found = await api.list(`/orgs/${path(options.owner)}/repos`, page, signal);
      const open = found.filter((repository) => !(options.excludeArchived && repository['archived'] === true));
      return await Promise.all(
        open.map(async (repository) => {
          const name = getString(repository, 'name') ?? '';
          return {
            organization: options.owner,
            repository: name,
            repositoryId: Number(repository['id'] ?? 0),
            url: cloneUrl(
              options.cloneProtocol,
              { ssh: repository['ssh_url'], https: repository['html_url'] },
              'Gitea',
            ),
            branch: getString(repository, 'default_branch') ?? '',
            sha: '',
            labels: names(await api.list(`${at(name)}/labels`, page, signal)),
          };
        }),
      );
    },
    async branches(repository, signal) {
      const url = `${at(repository.repository)}/branches`;
      if (options.allBranches) return (await api.list(url, page, signal)).map((branch) => branchOf(repository, branch));
      const branch = await api.find(`${url}/${path(repository.branch)}`, signal);
      if (typeof branch === 'object' && branch !== null) return [branchOf(repository, { ...branch })];
      throw new AppError(
        'not-found',
        `got 404 while getting default branch "${repository.branch}" for repo "${repository.repository}" - check your repo config`,
      );
    },
    async hasPath(branch, file, signal) {
      const place = file.split('/').map(path).join('/');
      const url = `${at(branch.repository)}/contents/${place}?ref=${path(branch.branch)}`;
      return (await api.find(url, signal)) !== undefined;
    },
  };
}

/** Open pull requests that have all the labels. */
export function giteaPullRequests(
  api: RestApi,
  options: { owner: string; repo: string; labels: string[] },
): PullRequestLister {
  return {
    async pullRequests(signal) {
      const found = await api.list(
        `/repos/${path(options.owner)}/${path(options.repo)}/pulls?state=open`,
        page,
        signal,
      );
      return found
        .map((pull) => ({
          number: Number(pull['number'] ?? 0),
          title: getString(pull, 'title') ?? '',
          branch: getString(pull, 'head', 'ref') ?? '',
          targetBranch: getString(pull, 'base', 'ref') ?? '',
          headSha: getString(pull, 'head', 'sha') ?? '',
          labels: names(pull['labels']),
          author: getString(pull, 'user', 'login') ?? getString(pull, 'user', 'username') ?? '',
        }))
        .filter(({ labels }) => hasAll(options.labels, labels));
    },
  };
}
