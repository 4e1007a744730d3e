import { getArray, getString, isObject, type JsonObject } from '#base/json.ts';
import type { PullRequestLister, ScmBranch, ScmProvider } from './port.ts';
import { cloneUrl, type RestApi } from './rest.ts';

const path = encodeURIComponent;

export function bitbucketHeaders(auth: { bearer?: string | undefined; user?: string; password?: string | undefined }) {
  const headers: Record<string, string> = {};
  if (auth.bearer !== undefined) headers['authorization'] = `Bearer ${auth.bearer}`;
  else if (auth.user !== undefined && auth.password !== undefined)
    headers['authorization'] = `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString('base64')}`;
  return headers;
}

/** The address of Bitbucket's REST API from what people write: with or without `/rest`. */
export function bitbucketRoot(api: string): string {
  return `${api.replace(/\/+$/, '').replace(/\/rest$/, '')}/rest/api/1.0`;
}

function linkOf(repository: JsonObject, name: string): string | undefined {
  const links = getArray(repository, 'links', 'clone').filter(isObject);
  return getString(
    links.find((link) => link['name'] === name),
    'href',
  );
}

function branchOf(repository: ScmBranch, branch: JsonObject): ScmBranch {
  return {
    ...repository,
    branch: getString(branch, 'displayId') ?? '',
    sha: getString(branch, 'latestCommit') ?? '',
  };
}

/** Repositories of a project, by the REST API of Bitbucket Server and Data Center. */
export function bitbucketServerProvider(
  api: RestApi,
  options: { project: string; allBranches: boolean; cloneProtocol: string },
): ScmProvider {
  const at = ({ organization, repository }: ScmBranch) => `/projects/${path(organization)}/repos/${path(repository)}`;
  const defaultBranch = async (repository: ScmBranch, signal: AbortSignal) => {
    const found = await api.find(`${at(repository)}/branches/default`, signal);
    return isObject(found) ? branchOf(repository, found) : undefined;
  };
  return {
    async repositories(signal) {
      const out: ScmBranch[] = [];
      for (const found of await api.values(`/projects/${path(options.project)}/repos`, signal)) {
        const urls = { ssh: linkOf(found, 'ssh'), https: linkOf(found, 'http') };
        const repository = {
          organization: getString(found, 'project', 'key') ?? options.project,
          repository: getString(found, 'name') ?? '',
          repositoryId: Number(found['id'] ?? 0),
          url: cloneUrl(options.cloneProtocol, urls, 'Bitbucket Server'),
          branch: '',
          sha: '',
          labels: [],
        };
        const branch = await defaultBranch(repository, signal);
        if (branch) out.push(branch);
      }
      return out;
    },
    async branches(repository, signal) {
      if (options.allBranches)
        return (await api.values(`${at(repository)}/branches`, signal)).map((branch) => branchOf(repository, branch));
      const branch = await defaultBranch(repository, signal);
      return branch ? [branch] : [];
    },
    async hasPath(branch, file, signal) {
      const place = file.split('/').map(path).join('/');
      const url = `${at(branch)}/browse/${place}?at=${path(branch.branch)}&type=true`;
      return (await api.find(url, signal)) !== undefined;
    },
  };
}

/** Open pull requests of a repository. */
export function bitbucketServerPullRequests(
  api: RestApi,
  options: { project: string; repo: string },
): PullRequestLister {
  return {
    async pullRequests(signal) {
      const url = `/projects/${path(options.project)}/repos/${path(options.repo)}/pull-requests`;
      return (await api.values(url, signal)).map((pull) => ({
        number: Number(pull['id'] ?? 0),
        title: getString(pull, 'title') ?? '',
        branch: getString(pull, 'fromRef', 'displayId') ?? '',
        targetBranch: getString(pull, 'toRef', 'displayId') ?? '',
        headSha: getString(pull, 'fromRef', 'latestCommit') ?? '',
        labels: [],
        author: getString(pull, 'author', 'user', 'name') ?? '',
      }));
    },
  };
}
