import { AppError } from '#base/errors.ts';
import type { JsonObject } from '#base/json.ts';
import { normalizeName } from '#template/slug.ts';
import { goInt64 } from '#template/value.ts';
import type { Params } from '../params.ts';
import { addValues, type Placeholders } from '../placeholders.ts';
import type { GeneratorInput, GeneratorSources } from '../port.ts';
import {
  type Asking,
  bitbucketAuth,
  type Chosen,
  chooseForge,
  connect,
  flag,
  githubToken,
  requireAllowed,
  secretOf,
  text,
} from '../scm/access.ts';
import { azureDevOpsProvider, azureHeaders } from '../scm/azure-devops.ts';
import { bitbucketCloudProvider } from '../scm/bitbucket-cloud.ts';
import { bitbucketHeaders, bitbucketRoot, bitbucketServerProvider } from '../scm/bitbucket-server.ts';
import { giteaHeaders, giteaProvider } from '../scm/gitea.ts';
import { githubHeaders, githubProvider } from '../scm/github.ts';
import { gitlabHeaders, gitlabProvider } from '../scm/gitlab.ts';
import { filtersOf, patternOf } from '../scm/patterns.ts';
import type { ScmBranch, ScmProvider } from '../scm/port.ts';
import { RestApi, texts } from '../scm/rest.ts';

const forges = ['github', 'gitlab', 'gitea', 'bitbucketServer', 'azureDevOps', 'bitbucket', 'awsCodeCommit'];

async function providerOf({ kind, config }: Chosen, asking: Asking, signal: AbortSignal): Promise<ScmProvider> {
  const cloneProtocol = text(asking.input.spec, 'cloneProtocol');
  const token = () => secretOf(config['tokenRef'], asking.input, asking.sources, signal);
  const allBranches = flag(config, 'allBranches');
  switch (kind) {
    case 'github': {
      const root = text(config, 'api') || 'https://api.github.com';
      const about = `https://github.com/${text(config, 'organization')}`;
      const api = new RestApi(asking.http, root, githubHeaders(await githubToken(config, about, asking, signal)));
      const excludeArchived = flag(config, 'excludeArchivedRepos');
      return githubProvider(api, {
        organization: text(config, 'organization'),
        allBranches,
        excludeArchived,
        cloneProtocol,
      });
    }
    case 'gitlab': {
      const root = (text(config, 'api') || 'https://gitlab.com').replace(/\/+$/, '');
      const api = new RestApi(asking.http, `${root.replace(/\/api\/v4$/, '')}/api/v4`, gitlabHeaders(await token()));
      return gitlabProvider(api, {
        group: text(config, 'group'),
        allBranches,
        includeSubgroups: flag(config, 'includeSubgroups'),
        includeSharedProjects: flag(config, 'includeSharedProjects', true),
        includeArchived: flag(config, 'includeArchivedRepos'),
        topic: text(config, 'topic'),
        cloneProtocol,
      });
    }
    case 'gitea': {
      const api = new RestApi(
        asking.http,
        `${text(config, 'api').replace(/\/+$/, '')}/api/v1`,
        giteaHeaders(await token()),
      );
      const excludeArchived = flag(config, 'excludeArchivedRepos');
      return giteaProvider(api, { owner: text(config, 'owner'), allBranches, excludeArchived, cloneProtocol });
    }
    case 'bitbucketServer': {
      const headers = await bitbucketAuth(config, asking, signal);
      const api = new RestApi(asking.http, bitbucketRoot(text(config, 'api')), headers);
      return bitbucketServerProvider(api, { project: text(config, 'project'), allBranches, cloneProtocol });
    }
    case 'bitbucket': {
      const password = await secretOf(config['appPasswordRef'], asking.input, asking.sources, signal);
      const headers = bitbucketHeaders({ user: text(config, 'user'), password });
      const api = new RestApi(asking.http, 'https://api.bitbucket.org/2.0', headers);
      return bitbucketCloudProvider(api, { owner: text(config, 'owner'), allBranches, cloneProtocol });
    }
    case 'azureDevOps': {
      const secret = await secretOf(config['accessTokenRef'], asking.input, asking.sources, signal);
      const api = new RestApi(asking.http, text(config, 'api') || 'https://dev.azure.com', azureHeaders(secret));
      const at = { organization: text(config, 'organization'), project: text(config, 'teamProject') };
      return azureDevOpsProvider(api, { ...at, allBranches });
    }
    default:
      throw new AppError('unsupported', `scmProvider.${kind} is not supported yet`, {
        hint: 'use another provider, or a plugin generator',
      });
  }
}

interface Filter {
  repository: ((text: string) => boolean) | undefined;
  label: ((text: string) => boolean) | undefined;
  branch: ((text: string) => boolean) | undefined;
  exist: string[];
  absent: string[];
  /** When it can be decided: of a repository as a whole, or of each branch. */
  of: 'repository' | 'branch' | 'nothing';
}

function filterOf(spec: JsonObject): Filter {
  const repository = patternOf(spec, 'repositoryMatch');
  const label = patternOf(spec, 'labelMatch');
  const branch = patternOf(spec, 'branchMatch');
  const ofBranch = branch !== undefined || spec['pathsExist'] !== undefined || spec['pathsDoNotExist'] !== undefined;
  const of = ofBranch ? 'branch' : repository || label ? 'repository' : 'nothing';
  return { repository, label, branch, exist: texts(spec['pathsExist']), absent: texts(spec['pathsDoNotExist']), of };
}

async function matches(
  filter: Filter,
  branch: ScmBranch,
  provider: ScmProvider,
  signal: AbortSignal,
): Promise<boolean> {
  if (filter.repository && !filter.repository(branch.repository)) return false;
  if (filter.branch && !filter.branch(branch.branch)) return false;
  if (filter.label && !branch.labels.some(filter.label)) return false;
  const has = (path: string) => provider.hasPath(branch, path.replace(/\/+$/, ''), signal);
  for (const path of filter.exist) if (!(await has(path))) return false;
  for (const path of filter.absent) if (await has(path)) return false;
  return true;
}

async function chosenBy(
  filters: readonly Filter[],
  branches: readonly ScmBranch[],
  provider: ScmProvider,
  signal: AbortSignal,
): Promise<ScmBranch[]> {
  if (filters.length === 0) return [...branches];
  const out: ScmBranch[] = [];
  for (const branch of branches) {
    for (const filter of filters) {
      if (!(await matches(filter, branch, provider, signal))) continue;
      out.push(branch);
      break;
    }
  }
  return out;
}

/** One set of parameters per branch of the repositories that the filters leave. */
export async function generateScmProvider(
  input: GeneratorInput,
  sources: GeneratorSources,
  fill: Placeholders,
  signal: AbortSignal,
): Promise<Params[]> {
  const chosen = chooseForge(input.spec, forges, 'scmProvider');
  requireAllowed(chosen, input, sources);
  await using connection = await connect(chosen, input, sources, signal);
  const filters = filtersOf(input.spec).map(filterOf);
  const provider = await providerOf(chosen, { input, sources, http: connection.fetch }, signal);
  const repositories = await chosenBy(
    filters.filter(({ of }) => of === 'repository'),
    await provider.repositories(signal),
    provider,
    signal,
  );
  const branches: ScmBranch[] = [];
  for (const repository of repositories) branches.push(...(await provider.branches(repository, signal)));
  const left = await chosenBy(
    filters.filter(({ of }) => of === 'branch'),
    branches,
    provider,
    signal,
  );
  return left.map((branch) =>
    addValues(
      {
        organization: branch.organization,
        repository: branch.repository,
        repository_id: typeof branch.repositoryId === 'number' ? goInt64(branch.repositoryId) : branch.repositoryId,
        url: branch.url,
        branch: branch.branch,
        branchNormalized: normalizeName(branch.branch),
        sha: branch.sha,
        short_sha: branch.sha.slice(0, 8),
        short_sha_7: branch.sha.slice(0, 7),
        labels: branch.labels.join(','),
      },
      input.spec['values'],
      fill,
    ),
  );
}
