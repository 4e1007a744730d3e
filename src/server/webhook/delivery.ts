import { getArray, getObject, getString, isObject, type JsonObject } from '#base/json.ts';
import type { ForgeChange } from './application-set-match.ts';

const proposalActions = new Set([
  'opened',
  'closed',
  'reopened',
  'synchronize',
  'synchronized',
  'labeled',
  'unlabeled',
  'label_updated',
  'label_cleared',
  'edited',
  'open',
  'close',
  'reopen',
  'update',
  'merge',
]);

/** A proposal of a change (pull request, merge request) that came, changed or went; undefined for other news of it. */
export function proposalOf(payload: JsonObject): ForgeChange | undefined {
  const action = getString(payload, 'action') ?? getString(payload, 'object_attributes', 'action') ?? '';
  if (!proposalActions.has(action)) return undefined;
  return forgeChange(
    'proposals',
    getString(payload, 'repository', 'full_name') ?? getString(payload, 'project', 'path_with_namespace'),
  );
}

/** A repository that came, went or was renamed. */
export function repositoryChangeOf(payload: JsonObject): ForgeChange | undefined {
  return forgeChange('repositories', getString(payload, 'repository', 'full_name'));
}

function forgeChange(about: ForgeChange['about'], fullName: string | undefined): ForgeChange | undefined {
  const slash = fullName?.lastIndexOf('/') ?? -1;
  if (fullName === undefined || slash <= 0) return undefined;
  return { about, owner: fullName.slice(0, slash), repository: fullName.slice(slash + 1) };
}

/** What a push says that matters here. */
export interface Push {
  urls: string[];
  repository: string;
  ref: string;
  before: string | undefined;
  commit: string | undefined;
  pusher: string;
}

/** A new tag of an image, chart or artifact in a registry. */
export interface RegistryPush {
  registry: string;
  repository: string;
  tag: string;
}

/** What a delivery means: a push of Git, one to a registry, or nothing for us, with the reason. */
export type Delivery =
  | { kind: 'push'; push: Push }
  | { kind: 'registry'; push: RegistryPush }
  | { kind: 'forge'; change: ForgeChange }
  | { kind: 'none'; reason: string };

const zeros = /^0*$/;

function commit(text: string | undefined): string | undefined {
  return text === undefined || zeros.test(text) ? undefined : text;
}

function known(urls: (string | undefined)[]): string[] {
  return urls.filter((url): url is string => url !== undefined && url !== '');
}

/** GitHub, Gogs, Gitea and Forgejo. */
export function githubPush(payload: JsonObject): Push {
  const repository = getObject(payload, 'repository');
  const urls = known(['clone_url', 'ssh_url', 'git_url', 'html_url'].map((field) => getString(repository, field)));
  return {
    urls,
    repository: getString(repository, 'full_name') ?? urls[0] ?? '',
    ref: getString(payload, 'ref') ?? '',
    before: commit(getString(payload, 'before')),
    commit: commit(getString(payload, 'after')),
    pusher:
      getString(payload, 'pusher', 'name') ??
      getString(payload, 'pusher', 'username') ??
      getString(payload, 'sender', 'login') ??
      'unknown',
  };
}

export function gitlabPush(payload: JsonObject): Push {
  const project = getObject(payload, 'project');
  const urls = known(['git_http_url', 'git_ssh_url', 'web_url'].map((field) => getString(project, field)));
  return {
    urls,
    repository: getString(project, 'path_with_namespace') ?? urls[0] ?? '',
    ref: getString(payload, 'ref') ?? '',
    before: commit(getString(payload, 'before')),
    commit: commit(getString(payload, 'after')),
    pusher: getString(payload, 'user_username') ?? getString(payload, 'user_name') ?? 'unknown',
  };
}

export function bitbucketPush(payload: JsonObject): Push {
  const repository = getObject(payload, 'repository');
  const change = getArray(payload, 'push', 'changes').find(isObject);
  const name = getString(change, 'new', 'name') ?? getString(change, 'old', 'name');
  const tag = (getString(change, 'new', 'type') ?? getString(change, 'old', 'type')) === 'tag';
  return {
    urls: known([getString(repository, 'links', 'html', 'href')]),
    repository: getString(repository, 'full_name') ?? '',
    ref: name === undefined ? '' : `refs/${tag ? 'tags' : 'heads'}/${name}`,
    before: commit(getString(change, 'old', 'target', 'hash')),
    commit: commit(getString(change, 'new', 'target', 'hash')),
    pusher: getString(payload, 'actor', 'nickname') ?? getString(payload, 'actor', 'display_name') ?? 'unknown',
  };
}

export function bitbucketServerPush(payload: JsonObject): Push {
  const repository = getObject(payload, 'repository');
  const links = getArray(repository, 'links', 'clone');
  const change = getArray(payload, 'changes').find(isObject);
  const project = getString(repository, 'project', 'key') ?? '';
  return {
    urls: known(links.map((link) => getString(link, 'href'))),
    repository: `${project}/${getString(repository, 'slug') ?? ''}`,
    ref: getString(change, 'ref', 'id') ?? getString(change, 'refId') ?? '',
    before: commit(getString(change, 'fromHash')),
    commit: commit(getString(change, 'toHash')),
    pusher: getString(payload, 'actor', 'name') ?? 'unknown',
  };
}

export function azurePush(payload: JsonObject): Push {
  const resource = getObject(payload, 'resource');
  const repository = getObject(resource, 'repository');
  const update = getArray(resource, 'refUpdates').find(isObject);
  return {
    urls: known([getString(repository, 'remoteUrl'), getString(repository, 'webUrl')]),
    repository: getString(repository, 'name') ?? '',
    ref: getString(update, 'name') ?? '',
    before: commit(getString(update, 'oldObjectId')),
    commit: commit(getString(update, 'newObjectId')),
    pusher: getString(resource, 'pushedBy', 'displayName') ?? 'unknown',
  };
}

/** GitHub's registry: a container package that was published with a tag. */
export function ghcrPush(payload: JsonObject): RegistryPush | undefined {
  const item = getObject(payload, 'package');
  if (getString(payload, 'action') !== 'published') return undefined;
  if (getString(item, 'package_type')?.toLowerCase() !== 'container') return undefined;
  const tag = getString(item, 'package_version', 'container_metadata', 'tag', 'name');
  const owner = getString(item, 'owner', 'login');
  const name = getString(item, 'name');
  return tag && owner && name ? { registry: 'ghcr.io', repository: `${owner}/${name}`, tag } : undefined;
}

export function harborPush(payload: JsonObject): RegistryPush | undefined {
  if (getString(payload, 'type') !== 'PUSH_ARTIFACT') return undefined;
  const data = getObject(payload, 'event_data');
  for (const resource of getArray(data, 'resources')) {
    const tag = getString(resource, 'tag');
    const url = (getString(resource, 'resource_url') ?? '').replace(/^[a-z]+:\/\//, '');
    const slash = url.indexOf('/');
    if (!tag || slash <= 0) continue;
    const of = getObject(data, 'repository');
    const full =
      getString(of, 'repo_full_name') || `${getString(of, 'namespace') ?? ''}/${getString(of, 'name') ?? ''}`;
    return full === '/' ? undefined : { registry: url.slice(0, slash), repository: full, tag };
  }
  return undefined;
}
