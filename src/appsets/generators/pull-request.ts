import { AppError, isAppError } from '#base/errors.ts';
import { branchSlug } from '#template/slug.ts';
import { ofType } from '#template/value.ts';
import type { Params } from '../params.ts';
import { addValues, type Placeholders } from '../placeholders.ts';
import type { GeneratorInput, GeneratorSources } from '../port.ts';
import {
  type Asking,
  bitbucketAuth,
  type Chosen,
  chooseForge,
  connect,
  githubToken,
  requireAllowed,
  secretOf,
  text,
} from '../scm/access.ts';
import { azureDevOpsPullRequests, azureHeaders } from '../scm/azure-devops.ts';
import { bitbucketCloudPullRequests } from '../scm/bitbucket-cloud.ts';
import { bitbucketRoot, bitbucketServerPullRequests } from '../scm/bitbucket-server.ts';
import { giteaHeaders, giteaPullRequests } from '../scm/gitea.ts';
import { githubHeaders, githubPullRequests } from '../scm/github.ts';
import { gitlabHeaders, gitlabMergeRequests } from '../scm/gitlab.ts';
import { filtersOf, patternOf } from '../scm/patterns.ts';
import type { PullRequestLister, ScmPullRequest } from '../scm/port.ts';
import { RestApi, texts } from '../scm/rest.ts';

const forges = ['github', 'gitlab', 'gitea', 'bitbucketServer', 'bitbucket', 'azuredevops'];

async function listerOf({ kind, config }: Chosen, asking: Asking, signal: AbortSignal): Promise<PullRequestLister> {
  const token = () => secretOf(config['tokenRef'], asking.input, asking.sources, signal);
  const labels = texts(config['labels']);
  const at = { owner: text(config, 'owner'), repo: text(config, 'repo'), labels };
  switch (kind) {
    case 'github': {
      const root = text(config, 'api') || 'https://api.github.com';
      const about = `https://github.com/${at.owner}/${at.repo}`;
      const headers = githubHeaders(await githubToken(config, about, asking, signal));
      return githubPullRequests(new RestApi(asking.http, root, headers), at);
    }
    case 'gitlab': {
      const root = (text(config, 'api') || 'https://gitlab.com').replace(/\/+$/, '');
      const api = new RestApi(asking.http, `${root.replace(/\/api\/v4$/, '')}/api/v4`, gitlabHeaders(await token()));
      return gitlabMergeRequests(api, {
        project: text(config, 'project'),
        labels,
        state: text(config, 'pullRequestState'),
      });
    }
    case 'gitea': {
      const root = `${text(config, 'api').replace(/\/+$/, '')}/api/v1`;
      return giteaPullRequests(new RestApi(asking.http, root, giteaHeaders(await token())), at);
    }
    case 'bitbucketServer': {
      const headers = await bitbucketAuth(config, asking, signal);
      const api = new RestApi(asking.http, bitbucketRoot(text(config, 'api')), headers);
      return bitbucketServerPullRequests(api, { project: text(config, 'project'), repo: text(config, 'repo') });
    }
    case 'bitbucket': {
      const root = text(config, 'api') || 'https://api.bitbucket.org/2.0';
      const headers = await bitbucketAuth(config, asking, signal);
      return bitbucketCloudPullRequests(new RestApi(asking.http, root, headers), at);
    }
    case 'azuredevops': {
      const root = text(config, 'api') || 'https://dev.azure.com';
      const api = new RestApi(asking.http, root, azureHeaders(await token()));
      const project = { organization: text(config, 'organization'), project: text(config, 'project') };
      return azureDevOpsPullRequests(api, { ...project, repo: text(config, 'repo'), labels });
    }
    default:
      throw new AppError('unsupported', `pullRequest.${kind} is not supported yet`, {
        hint: 'use another provider, or a plugin generator',
      });
  }
}

async function listed(
  lister: PullRequestLister,
  { spec }: GeneratorInput,
  signal: AbortSignal,
): Promise<ScmPullRequest[]> {
  try {
    return await lister.pullRequests(signal);
  } catch (error) {
    if (isAppError(error, 'not-found') && spec['continueOnRepoNotFoundError'] === true) return [];
    throw error;
  }
}

/** One set of parameters per open pull request that the filters leave. */
export async function generatePullRequests(
  input: GeneratorInput,
  sources: GeneratorSources,
  fill: Placeholders,
  signal: AbortSignal,
): Promise<Params[]> {
  const chosen = chooseForge(input.spec, forges, 'pullRequest');
  requireAllowed(chosen, input, sources);
  await using connection = await connect(chosen, input, sources, signal);
  const filters = filtersOf(input.spec).map((filter) => ({
    branch: patternOf(filter, 'branchMatch'),
    target: patternOf(filter, 'targetBranchMatch'),
    title: patternOf(filter, 'titleMatch'),
  }));
  const found = await listed(await listerOf(chosen, { input, sources, http: connection.fetch }, signal), input, signal);
  const left = found.filter(
    (pull) =>
      filters.length === 0 ||
      filters.some(
        ({ branch, target, title }) =>
          (!branch || branch(pull.branch)) && (!target || target(pull.targetBranch)) && (!title || title(pull.title)),
      ),
  );
  return left.map((pull) =>
    addValues(
      {
        number: String(pull.number),
        title: pull.title,
        branch: pull.branch,
        branch_slug: branchSlug(pull.branch),
        target_branch: pull.targetBranch,
        target_branch_slug: branchSlug(pull.targetBranch),
        head_sha: pull.headSha,
        head_short_sha: pull.headSha.slice(0, 8),
        head_short_sha_7: pull.headSha.slice(0, 7),
        author: pull.author,
        ...(fill.style.goTemplate ? { labels: ofType([...pull.labels], 'string') } : {}),
      },
      input.spec['values'],
      fill,
    ),
  );
}
