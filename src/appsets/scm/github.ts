import { getString, type JsonObject } from '#base/json.ts';
import type { PullRequestLister, ScmBranch, ScmProvider } from './port.ts';
import { cloneUrl, hasAll, names, type RestApi, texts } from './rest.ts';

const page = { name: 'per_page', value: 100 };
const path = encodeURIComponent;

export function githubHeaders(token: string | undefined): Record<string, string> {
  const headers = { accept: 'application/vnd.github+json', 'user-agent': 'slipway' };
  return token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` };
}

function branchOf(repository: ScmBranch, branch: JsonObject): ScmBranch {
  return {
    ...repository,
    branch: getString(branch, 'name') ?? repository.branch,
    sha: getString(branch, 'commit', 'sha') ?? '',
  };
}

/** Repositories of an organisation, by GitHub's REST API. */
export function githubProvider(
  api: RestApi,
  options: { organization: string; allBranches: boolean; excludeArchived: boolean; cloneProtocol: string },
): ScmProvider {
  const at = ({ organization, repository }: ScmBranch) => `/repos/${path(organization)}/${path(repository)}`;
  return {
    async repositories(signal) {
      const found = await api.list(`/orgs/${path(options.organization)}/repos`, page, signal);
      return found
        .filter((repository) => !(options.excludeArchived && repository['archived'] === true))
        .map((repository) => ({
          organization: getString(repository, 'owner', 'login') ?? options.organization,
          repository: getString(repository, 'name') ?? '',
          repositoryId: Number(repository['id'] ?? 0),
          url: cloneUrl(
            options.cloneProtocol,
            { ssh: repository['ssh_url'], https: repository['clone_url'] },
            'GitHub',
          ),
          branch: getString(repository, 'default_branch') ?? '',
          sha: '',
          labels: texts(repository['topics']),
        }));
    },
    async branches(repository, signal) {
      if (options.allBranches)
        return (await api.list(`${at(repository)}/branches`, page, signal)).map((branch) =>
          branchOf(repository, branch),
        );
      const branch = await api.find(`${at(repository)}/branches/${path(repository.branch)}`, signal);
      return typeof branch === 'object' && branch !== null ? [branchOf(repository, { ...branch })] : [];
    },
    async hasPath(branch, file, signal) {
      const place = file.split('/').map(path).join('/');
      return (await api.find(`${at(branch)}/contents/${place}?ref=${path(branch.branch)}`, signal)) !== undefined;
    },
  };
}

/** Open pull requests that have all the labels. */
export function githubPullRequests(
  api: RestApi,
  options: { owner: string; repo: string; labels: string[] },
): PullRequestLister {
  return {
    async pullRequests(signal) {
      const found = await api.list(`/repos/${path(options.owner)}/${path(options.repo)}/pulls`, page, signal);
      return found
        .map((pull) => ({
          number: Number(pull['number'] ?? 0),
          title: getString(pull, 'title') ?? '',
          branch: getString(pull, 'head', 'ref') ?? '',
          targetBranch: getString(pull, 'base', 'ref') ?? '',
          headSha: getString(pull, 'head', 'sha') ?? '',
          labels: names(pull['labels']),
          author: getString(pull, 'user', 'login') ?? '',
        }))
        .filter(({ labels }) => hasAll(options.labels, labels));
    },
  };
}
