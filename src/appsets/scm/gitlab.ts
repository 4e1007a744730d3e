import { getString, type JsonObject } from '#base/json.ts';
import type { PullRequestLister, ScmBranch, ScmProvider } from './port.ts';
import { cloneUrl, type RestApi, texts } from './rest.ts';

const page = { name: 'per_page', value: 100 };
const path = encodeURIComponent;

/** In the header that no redirection carries to another host. */
export function gitlabHeaders(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

export interface GitlabOptions {
  group: string;
  allBranches: boolean;
  includeSubgroups: boolean;
  includeSharedProjects: boolean;
  includeArchived: boolean;
  topic: string;
  cloneProtocol: string;
}

function branchOf(project: ScmBranch, branch: JsonObject): ScmBranch {
  return { ...project, branch: getString(branch, 'name') ?? '', sha: getString(branch, 'commit', 'id') ?? '' };
}

/** Projects of a group, by GitLab's REST API. */
export function gitlabProvider(api: RestApi, options: GitlabOptions): ScmProvider {
  const query = new URLSearchParams({
    include_subgroups: String(options.includeSubgroups),
    with_shared: String(options.includeSharedProjects),
    ...(options.topic === '' ? {} : { topic: options.topic }),
    ...(options.includeArchived ? { archived: 'true' } : {}),
  });
  const at = ({ repositoryId }: ScmBranch) => `/projects/${path(String(repositoryId))}/repository`;
  return {
    async repositories(signal) {
      const found = await api.list(`/groups/${path(options.group)}/projects?${query}`, page, signal);
      return found.map((project) => {
        const topics = texts(project['topics']);
        return {
          organization: getString(project, 'namespace', 'full_path') ?? options.group,
          repository: getString(project, 'path') ?? '',
          repositoryId: Number(project['id'] ?? 0),
          url: cloneUrl(
            options.cloneProtocol,
            { ssh: project['ssh_url_to_repo'], https: project['http_url_to_repo'] },
            'Gitlab',
          ),
          branch: getString(project, 'default_branch') ?? '',
          sha: '',
          labels: topics.length > 0 ? topics : texts(project['tag_list']),
        };
      });
    },
    async branches(project, signal) {
      if (options.allBranches)
        return (await api.list(`${at(project)}/branches`, page, signal)).map((branch) => branchOf(project, branch));
      const branch = await api.find(`${at(project)}/branches/${path(project.branch)}`, signal);
      return typeof branch === 'object' && branch !== null ? [branchOf(project, { ...branch })] : [];
    },
    async hasPath(branch, file, signal) {
      const ref = path(branch.branch);
      if ((await api.find(`${at(branch)}/files/${path(file)}?ref=${ref}`, signal)) !== undefined) return true;
      const tree = await api.find(`${at(branch)}/tree?path=${path(file)}&ref=${ref}`, signal);
      return Array.isArray(tree) && tree.length > 0;
    },
  };
}

/** Merge requests of a project in a state (all when it is empty) that have all the labels. */
export function gitlabMergeRequests(
  api: RestApi,
  options: { project: string; labels: string[]; state: string },
): PullRequestLister {
  const query = new URLSearchParams({
    ...(options.labels.length > 0 ? { labels: options.labels.join(',') } : {}),
    ...(options.state === '' ? {} : { state: options.state }),
  });
  return {
    async pullRequests(signal) {
      const found = await api.list(`/projects/${path(options.project)}/merge_requests?${query}`, page, signal);
      return found.map((request) => ({
        number: Number(request['iid'] ?? 0),
        title: getString(request, 'title') ?? '',
        branch: getString(request, 'source_branch') ?? '',
        targetBranch: getString(request, 'target_branch') ?? '',
        headSha: getString(request, 'sha') ?? '',
        labels: texts(request['labels']),
        author: getString(request, 'author', 'username') ?? '',
      }));
    },
  };
}
