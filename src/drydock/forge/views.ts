import { timestamp } from '#base/clock.ts';
import type { JsonObject } from '#base/json.ts';
import type { Account } from './accounts.ts';
import type { Commit } from './commits.ts';
import type { Links } from './links.ts';
import type { Repository } from './repositories.ts';

/** GitHub's JSON for an account, as it stands inside other answers. */
export function accountView(links: Links, account: Account): JsonObject {
  const api = `${links.api}/users/${encodeURIComponent(account.login)}`;
  return {
    login: account.login,
    id: account.id,
    node_id: nodeId(account.type, account.id),
    avatar_url: '',
    gravatar_id: '',
    url: api,
    html_url: links.html(account.login),
    followers_url: `${api}/followers`,
    following_url: `${api}/following{/other_user}`,
    gists_url: `${api}/gists{/gist_id}`,
    starred_url: `${api}/starred{/owner}{/repo}`,
    subscriptions_url: `${api}/subscriptions`,
    organizations_url: `${api}/orgs`,
    repos_url: `${api}/repos`,
    events_url: `${api}/events{/privacy}`,
    received_events_url: `${api}/received_events`,
    type: account.type,
    user_view_type: 'public',
    site_admin: account.site_admin === 1,
  };
}

export function nodeId(kind: string, id: number | string): string {
  return Buffer.from(`${kind}:${id}`).toString('base64');
}

export function fullName(repo: Repository): string {
  return `${repo.owner}/${repo.name}`;
}

export function repositoryView(links: Links, repo: Repository, owner: Account): JsonObject {
  const name = fullName(repo);
  const api = links.repo(name);
  const html = links.html(name);
  return {
    id: repo.id,
    node_id: nodeId('Repository', repo.id),
    name: repo.name,
    full_name: name,
    private: repo.private === 1,
    owner: accountView(links, owner),
    html_url: html,
    description: repo.description,
    fork: false,
    url: api,
    archive_url: `${api}/{archive_format}{/ref}`,
    branches_url: `${api}/branches{/branch}`,
    commits_url: `${api}/commits{/sha}`,
    compare_url: `${api}/compare/{base}...{head}`,
    contents_url: `${api}/contents/{+path}`,
    deployments_url: `${api}/deployments`,
    events_url: `${api}/events`,
    git_commits_url: `${api}/git/commits{/sha}`,
    git_refs_url: `${api}/git/refs{/sha}`,
    git_tags_url: `${api}/git/tags{/sha}`,
    hooks_url: `${api}/hooks`,
    issues_url: `${api}/issues{/number}`,
    issue_comment_url: `${api}/issues/comments{/number}`,
    pulls_url: `${api}/pulls{/number}`,
    releases_url: `${api}/releases{/id}`,
    statuses_url: `${api}/statuses/{sha}`,
    tags_url: `${api}/tags`,
    trees_url: `${api}/git/trees{/sha}`,
    clone_url: `${html}.git`,
    git_url: `${html}.git`,
    ssh_url: `${html}.git`,
    svn_url: html,
    homepage: null,
    size: 0,
    stargazers_count: 0,
    watchers_count: 0,
    language: null,
    has_issues: true,
    has_projects: false,
    has_downloads: false,
    has_wiki: false,
    has_pages: false,
    forks_count: 0,
    archived: false,
    disabled: false,
    open_issues_count: 0,
    license: null,
    allow_forking: false,
    is_template: false,
    topics: [],
    visibility: repo.private === 1 ? 'private' : 'public',
    forks: 0,
    open_issues: 0,
    watchers: 0,
    default_branch: repo.default_branch,
    created_at: timestamp(repo.created_at),
    updated_at: timestamp(repo.pushed_at),
    pushed_at: timestamp(repo.pushed_at),
  };
}

/** A commit inside a push payload. */
export function pushedCommitView(links: Links, repo: Repository, commit: Commit): JsonObject {
  const paths = (status: string) => commit.files.filter((file) => file.status === status).map((file) => file.path);
  return {
    id: commit.sha,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message,
    timestamp: commit.committer.date,
    url: links.html(`${fullName(repo)}/commit/${commit.sha}`),
    author: { name: commit.author.name, email: commit.author.email },
    committer: { name: commit.committer.name, email: commit.committer.email },
    added: paths('A'),
    removed: paths('D'),
    modified: commit.files.filter((file) => file.status !== 'A' && file.status !== 'D').map((file) => file.path),
  };
}

/** A commit of the commits API. `author` is the account with the commit's e-mail, if there is one. */
export function commitView(
  links: Links,
  repo: Repository,
  commit: Commit,
  people: { author: Account | undefined; committer: Account | undefined },
): JsonObject {
  const api = links.repo(fullName(repo));
  const html = links.html(fullName(repo));
  return {
    sha: commit.sha,
    node_id: nodeId('Commit', commit.sha),
    commit: {
      author: commit.author,
      committer: commit.committer,
      message: commit.message,
      tree: { sha: commit.tree, url: `${api}/git/trees/${commit.tree}` },
      url: `${api}/git/commits/${commit.sha}`,
      comment_count: 0,
      verification: { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null },
    },
    url: `${api}/commits/${commit.sha}`,
    html_url: `${html}/commit/${commit.sha}`,
    comments_url: `${api}/commits/${commit.sha}/comments`,
    author: people.author ? accountView(links, people.author) : null,
    committer: people.committer ? accountView(links, people.committer) : null,
    parents: commit.parents.map((sha) => ({ sha, url: `${api}/commits/${sha}`, html_url: `${html}/commit/${sha}` })),
  };
}
