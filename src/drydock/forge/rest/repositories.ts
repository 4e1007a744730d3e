import { Hono } from 'hono';
import { AppError } from '#base/errors.ts';
import { getObject, isObject } from '#base/json.ts';
import { findCommit } from '../commits.ts';
import type { ForgeParts } from '../parts.ts';
import type { Repository } from '../repositories.ts';
import { commitView, fullName, repositoryView } from '../views.ts';
import { actorOf, bodyOf, pageOf, type RestEnv, repositoryOf, requiredText } from './request.ts';

const dispatchKeys = 10;

/** Repositories, branches and repository_dispatch. */
export function repositoryRoutes(parts: ForgeParts): Hono<RestEnv> {
  const { accounts, links, repos, db } = parts;
  const app = new Hono<RestEnv>();
  branchRoutes(app, parts);
  app.get('/repos/:owner/:repo', (c) => {
    const repo = repositoryOf(parts, c, { access: 'read' });
    const access = repos.access(c.get('identity'), repo);
    const can = (rank: string[]) => rank.includes(access);
    const permissions = {
      admin: can(['admin']),
      maintain: can(['admin']),
      push: can(['admin', 'write']),
      triage: can(['admin', 'write']),
      pull: true,
    };
    return c.json({ ...repositoryView(links, repo, accounts.byId(repo.owner_id)), permissions });
  });
  app.patch('/repos/:owner/:repo', async (c) => {
    const repo = repositoryOf(parts, c, { access: 'admin' });
    const body = await bodyOf(c);
    const description = typeof body['description'] === 'string' ? body['description'] : repo.description;
    const isPrivate = typeof body['private'] === 'boolean' ? body['private'] : repo.private === 1;
    db.run('UPDATE repos SET description = ?, private = ? WHERE id = ?', description, isPrivate ? 1 : 0, repo.id);
    return c.json(repositoryView(links, repos.byId(repo.id), accounts.byId(repo.owner_id)));
  });
  app.post('/repos/:owner/:repo/dispatches', async (c) => {
    const repo = repositoryOf(parts, c, { access: 'write', scope: 'contents' });
    const body = await bodyOf(c);
    const type = requiredText(body, 'event_type');
    const payload = body['client_payload'] ?? {};
    if (!isObject(payload) || Object.keys(payload).length > dispatchKeys) {
      throw new AppError(
        'bad-input',
        `Invalid request.\n\nclient_payload must be an object with at most ${dispatchKeys} properties.`,
      );
    }
    const { account, byJob } = actorOf(c);
    db.transaction(() => {
      parts.events.append({
        repo,
        name: 'repository_dispatch',
        action: type,
        actor: account,
        byJob,
        payload: { branch: repo.default_branch, client_payload: getObject(body, 'client_payload') },
      });
    });
    return c.body(null, 204);
  });
  return app;
}

function branchRoutes(app: Hono<RestEnv>, parts: ForgeParts): void {
  const { accounts, links, repos } = parts;
  app.get('/repos/:owner/:repo/branches', (c) => {
    const repo = repositoryOf(parts, c, { access: 'read', scope: 'contents' });
    return c.json(pageOf(c, refsOf(parts, repo, 'refs/heads/')).map((ref) => branchView(parts, repo, ref)));
  });
  app.get('/repos/:owner/:repo/branches/:branch{.+}', async (c) => {
    const repo = repositoryOf(parts, c, { access: 'read', scope: 'contents' });
    const branch = refsOf(parts, repo, 'refs/heads/').find((ref) => ref.name === c.req.param('branch'));
    const commit = branch && (await findCommit(parts.git, repos.gitDir(repo), branch.sha, c.req.raw.signal));
    if (!branch || !commit) throw new AppError('not-found', 'Branch not found');
    const people = {
      author: accounts.byEmail(commit.author.email),
      committer: accounts.byEmail(commit.committer.email),
    };
    return c.json({ ...branchView(parts, repo, branch), commit: commitView(links, repo, commit, people) });
  });
  app.get('/repos/:owner/:repo/tags', async (c) => {
    const repo = repositoryOf(parts, c, { access: 'read', scope: 'contents' });
    const api = links.repo(fullName(repo));
    const tags = (await tagCommits(parts, repo, c.req.raw.signal)).map(({ name, sha }) => ({
      name,
      commit: { sha, url: `${api}/commits/${sha}` },
      zipball_url: `${api}/zipball/refs/tags/${name}`,
      tarball_url: `${api}/tarball/refs/tags/${name}`,
      node_id: '',
    }));
    return c.json(pageOf(c, tags.reverse()));
  });
}

/** Recorded refs below `prefix`, by their short names. */
export function refsOf(parts: ForgeParts, repo: Repository, prefix: string): { name: string; sha: string }[] {
  return parts.db
    .all<{ name: string; sha: string }>('SELECT name, sha FROM refs WHERE repo_id = ? ORDER BY name', repo.id)
    .filter((ref) => ref.name.startsWith(prefix))
    .map((ref) => ({ name: ref.name.slice(prefix.length), sha: ref.sha }));
}

/** Tags with the commits they stand on, whether annotated or not. */
async function tagCommits(
  parts: ForgeParts,
  repo: Repository,
  signal: AbortSignal,
): Promise<{ name: string; sha: string }[]> {
  const args = ['for-each-ref', '--format=%(objectname) %(*objectname) %(refname:strip=2)', 'refs/tags'];
  const text = await parts.git.text(args, { repository: parts.repos.gitDir(repo) }, signal);
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [object = '', peeled = '', ...name] = line.split(' ');
      return { name: name.join(' '), sha: peeled || object };
    });
}

function branchView(parts: ForgeParts, repo: Repository, ref: { name: string; sha: string }) {
  const url = `${parts.links.repo(fullName(repo))}/commits/${ref.sha}`;
  return { name: ref.name, commit: { sha: ref.sha, url }, protected: false };
}
