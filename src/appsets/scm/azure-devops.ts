import { getArray, getString, isObject, type JsonObject } from '#base/json.ts';
import type { PullRequestLister, ScmBranch, ScmProvider } from './port.ts';
import { hasAll, names, type RestApi } from './rest.ts';

const path = encodeURIComponent;
const version = 'api-version=7.1';

export function azureHeaders(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Basic ${Buffer.from(`:${token}`).toString('base64')}` };
}

function plainBranch(ref: string): string {
  return ref.replace('refs/heads/', '');
}

async function valuesOf(api: RestApi, url: string, signal: AbortSignal): Promise<JsonObject[]> {
  const body = await api.get(url, signal);
  return getArray(body, 'value').filter(isObject);
}

function branchOf(repository: ScmBranch, branch: JsonObject): ScmBranch {
  return {
    ...repository,
    branch: getString(branch, 'name') ?? '',
    sha: getString(branch, 'commit', 'commitId') ?? '',
    labels: [],
  };
}

/** Repositories of a team project, by the REST API of Azure DevOps. Addresses are for HTTPS, whatever protocol is asked for. */
export function azureDevOpsProvider(
  api: RestApi,
  options: { organization: string; project: string; allBranches: boolean },
): ScmProvider {
  const root = `/${path(options.organization)}/${path(options.project)}/_apis/git/repositories`;
  return {
    async repositories(signal) {
      const found = await valuesOf(api, `${root}?${version}`, signal);
      return found.flatMap((repository) => {
        const name = getString(repository, 'name');
        const branch = getString(repository, 'defaultBranch');
        const url = getString(repository, 'remoteUrl');
        const repositoryId = getString(repository, 'id');
        if (name === undefined || branch === undefined || url === undefined || repositoryId === undefined) return [];
        return [
          { organization: options.organization, repository: name, repositoryId, url, branch, sha: '', labels: [] },
        ];
      });
    },
    async branches(repository, signal) {
      const url = `${root}/${path(repository.repository)}/stats/branches`;
      if (options.allBranches)
        return (await valuesOf(api, `${url}?${version}`, signal)).map((branch) => branchOf(repository, branch));
      const branch = await api.find(`${url}?name=${path(plainBranch(repository.branch))}&${version}`, signal);
      return isObject(branch) ? [branchOf(repository, branch)] : [];
    },
    async hasPath(branch, file, signal) {
      const at = `versionDescriptor.version=${path(branch.branch)}&versionDescriptor.versionType=branch`;
      const url = `${root}/${path(String(branch.repositoryId))}/items?path=${path(file)}&${at}&${version}`;
      return (await api.find(url, signal)) !== undefined;
    },
  };
}

/** Active pull requests of a repository that have all the labels. */
export function azureDevOpsPullRequests(
  api: RestApi,
  options: { organization: string; project: string; repo: string; labels: string[] },
): PullRequestLister {
  return {
    async pullRequests(signal) {
      const url = `/${path(options.organization)}/${path(options.project)}/_apis/git/pullrequests?${version}`;
      const found = await valuesOf(api, url, signal);
      return found
        .filter((pull) => getString(pull, 'repository', 'name') === options.repo)
        .map((pull) => ({
          number: Number(pull['pullRequestId'] ?? 0),
          title: getString(pull, 'title') ?? '',
          branch: plainBranch(getString(pull, 'sourceRefName') ?? ''),
          targetBranch: plainBranch(getString(pull, 'targetRefName') ?? ''),
          headSha: getString(pull, 'lastMergeSourceCommit', 'commitId') ?? '',
          labels: names(pull['labels']),
          author: (getString(pull, 'createdBy', 'uniqueName') ?? '').split('@')[0] ?? '',
        }))
        .filter(({ labels, headSha }) => headSha !== '' && hasAll(options.labels, labels));
    },
  };
}
