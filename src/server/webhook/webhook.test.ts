import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import { testClock, testEntropy } from '../../../test/clock.ts';
import { application } from '../../../test/web/application.ts';
import { MemoryAudit, MemoryEngine } from '../../../test/web/memory-engine.ts';
import { clearSight, MemoryInstance, noResources } from '../../../test/web/memory-instance.ts';
import { type ListeningServer, startServer } from '../server.ts';
import { isSetConcerned } from './application-set-match.ts';
import type { Push, RegistryPush } from './delivery.ts';
import { isArtifactOf } from './registry-match.ts';
import { type Headers, senders } from './senders.ts';

const a = 'a'.repeat(40);
const b = 'b'.repeat(40);
const none = '0'.repeat(40);

interface Row {
  name: string;
  sender: string;
  headers: Record<string, string>;
  payload: Record<string, unknown>;
  want: Partial<Push> | RegistryPush | string;
}

const github = {
  ref: 'refs/heads/main',
  before: none,
  after: a,
  pusher: { name: 'kim' },
  repository: { full_name: 'o/r', html_url: 'https://h/o/r', clone_url: 'https://h/o/r.git', ssh_url: 'git@h:o/r.git' },
};
const published = {
  action: 'published',
  package: {
    name: 'web',
    package_type: 'CONTAINER',
    owner: { login: 'org' },
    package_version: { container_metadata: { tag: { name: '1.2.3' } } },
  },
};

const rows: Row[] = [
  {
    name: 'a push',
    sender: 'GitHub',
    headers: { 'x-github-event': 'push' },
    payload: github,
    want: {
      urls: ['https://h/o/r.git', 'git@h:o/r.git', 'https://h/o/r'],
      repository: 'o/r',
      ref: 'refs/heads/main',
      before: undefined,
      commit: a,
      pusher: 'kim',
    },
  },
  { name: 'a ping', sender: 'GitHub', headers: { 'x-github-event': 'ping' }, payload: {}, want: 'pong' },
  {
    name: 'a star',
    sender: 'GitHub',
    headers: { 'x-github-event': 'star' },
    payload: {},
    want: 'the event "star" changes nothing here',
  },
  {
    name: 'a push of Gitea, which has headers of GitHub too',
    sender: 'Gogs, Gitea or Forgejo',
    headers: { 'x-github-event': 'push', 'x-gogs-event': 'push', 'x-gitea-event': 'push' },
    payload: { ...github, before: b, pusher: { username: 'kim' } },
    want: { before: b, commit: a, pusher: 'kim' },
  },
  {
    name: 'a push',
    sender: 'GitLab',
    headers: { 'x-gitlab-event': 'Push Hook' },
    payload: {
      object_kind: 'push',
      ref: 'refs/heads/main',
      before: b,
      after: a,
      user_username: 'kim',
      project: { path_with_namespace: 'g/r', web_url: 'https://h/g/r', git_http_url: 'https://h/g/r.git' },
    },
    want: {
      urls: ['https://h/g/r.git', 'https://h/g/r'],
      repository: 'g/r',
      ref: 'refs/heads/main',
      before: b,
      commit: a,
      pusher: 'kim',
    },
  },
  {
    name: 'a tag',
    sender: 'GitLab',
    headers: { 'x-gitlab-event': 'Tag Push Hook' },
    payload: { object_kind: 'tag_push', ref: 'refs/tags/v1', project: { git_http_url: 'https://h/g/r.git' } },
    want: { urls: ['https://h/g/r.git'], ref: 'refs/tags/v1' },
  },
  {
    name: 'a comment',
    sender: 'GitLab',
    headers: { 'x-gitlab-event': 'Note Hook' },
    payload: { object_kind: 'note' },
    want: 'the event "Note Hook" changes nothing here',
  },
  {
    name: 'a push',
    sender: 'Bitbucket',
    headers: { 'x-hook-uuid': 'u', 'x-event-key': 'repo:push' },
    payload: {
      actor: { nickname: 'kim' },
      repository: { full_name: 'o/r', links: { html: { href: 'https://bitbucket.org/o/r' } } },
      push: { changes: [{ old: { target: { hash: b } }, new: { type: 'tag', name: 'v1', target: { hash: a } } }] },
    },
    want: {
      urls: ['https://bitbucket.org/o/r'],
      repository: 'o/r',
      ref: 'refs/tags/v1',
      before: b,
      commit: a,
      pusher: 'kim',
    },
  },
  {
    name: 'moved refs',
    sender: 'Bitbucket Server',
    headers: { 'x-event-key': 'repo:refs_changed' },
    payload: {
      actor: { name: 'kim' },
      repository: {
        slug: 'r',
        project: { key: 'P' },
        links: {
          clone: [
            { name: 'ssh', href: 'ssh://git@h:7999/p/r.git' },
            { name: 'http', href: 'https://h/scm/p/r.git' },
          ],
        },
      },
      changes: [{ ref: { id: 'refs/heads/main' }, fromHash: b, toHash: a }],
    },
    want: {
      urls: ['ssh://git@h:7999/p/r.git', 'https://h/scm/p/r.git'],
      repository: 'P/r',
      ref: 'refs/heads/main',
      before: b,
      commit: a,
      pusher: 'kim',
    },
  },
  {
    name: 'a ping',
    sender: 'Bitbucket Server',
    headers: { 'x-event-key': 'diagnostics:ping' },
    payload: { test: true },
    want: 'pong',
  },
  {
    name: 'a push',
    sender: 'Azure DevOps',
    headers: { 'x-vss-activityid': 'x' },
    payload: {
      eventType: 'git.push',
      resource: {
        pushedBy: { displayName: 'Kim' },
        refUpdates: [{ name: 'refs/heads/main', oldObjectId: b, newObjectId: a }],
        repository: { name: 'r', remoteUrl: 'https://dev.azure.com/o/p/_git/r', defaultBranch: 'refs/heads/main' },
      },
    },
    want: { urls: ['https://dev.azure.com/o/p/_git/r'], ref: 'refs/heads/main', before: b, commit: a, pusher: 'Kim' },
  },
  {
    name: 'an image',
    sender: 'GitHub packages',
    headers: { 'x-github-event': 'package' },
    payload: published,
    want: { registry: 'ghcr.io', repository: 'org/web', tag: '1.2.3' },
  },
  {
    name: 'a package of npm',
    sender: 'GitHub packages',
    headers: { 'x-github-event': 'package' },
    payload: { ...published, package: { ...published.package, package_type: 'npm' } },
    want: 'nothing with a tag was published',
  },
  {
    name: 'an artifact',
    sender: 'Harbor',
    headers: { authorization: 'harbor-secret' },
    payload: {
      type: 'PUSH_ARTIFACT',
      event_data: {
        resources: [
          { digest: 'sha256:0', resource_url: 'reg.example:8443/lib/chart@sha256:0' },
          { tag: '1.0', resource_url: 'reg.example:8443/lib/chart:1.0' },
        ],
        repository: { name: 'chart', namespace: 'lib', repo_full_name: 'lib/chart' },
      },
    },
    want: { registry: 'reg.example:8443', repository: 'lib/chart', tag: '1.0' },
  },
  {
    name: 'a scan',
    sender: 'Harbor',
    headers: { authorization: 'harbor-secret' },
    payload: { type: 'SCANNING_COMPLETED' },
    want: 'nothing with a tag was published',
  },
];

for (const { name, sender, headers, payload, want } of rows)
  test(`${sender}: ${name}`, () => {
    const header: Headers = (key) => headers[key];
    const found = senders.find((candidate) =>
      candidate.recognises(header, { 'webhook.harbor.secret': 'harbor-secret' }),
    );
    assert.equal(found?.name, sender);
    const delivery = found?.read(header, payload);
    if (typeof want === 'string') assert.deepEqual(delivery, { kind: 'none', reason: want });
    else if ('tag' in want) assert.deepEqual(delivery, { kind: 'registry', push: want });
    else {
      const push: Partial<Push> = delivery?.kind === 'push' ? delivery.push : {};
      assert.deepEqual({ ...push, ...want }, push);
    }
  });

const proposals: [string, string, Record<string, string>, Record<string, unknown>, boolean][] = [
  [
    'opened',
    'GitHub',
    { 'x-github-event': 'pull_request' },
    { action: 'opened', repository: { full_name: 'o/r' } },
    true,
  ],
  [
    'labelled',
    'GitHub',
    { 'x-github-event': 'pull_request' },
    { action: 'labeled', repository: { full_name: 'o/r' } },
    true,
  ],
  [
    'assigned',
    'GitHub',
    { 'x-github-event': 'pull_request' },
    { action: 'assigned', repository: { full_name: 'o/r' } },
    false,
  ],
  [
    'merged',
    'GitLab',
    { 'x-gitlab-event': 'Merge Request Hook' },
    { object_kind: 'merge_request', object_attributes: { action: 'merge' }, project: { path_with_namespace: 'o/r' } },
    true,
  ],
  [
    'pushed to',
    'Gogs, Gitea or Forgejo',
    { 'x-gitea-event': 'pull_request' },
    { action: 'synchronized', repository: { full_name: 'o/r' } },
    true,
  ],
];
for (const [name, sender, headers, payload, want] of proposals)
  test(`${sender}: a proposal is ${name}`, () => {
    const found = senders.find((candidate) => candidate.name === sender);
    const delivery = found?.read((key) => headers[key], payload);
    const change = { about: 'proposals', owner: 'o', repository: 'r' };
    assert.deepEqual(delivery?.kind === 'forge' ? delivery.change : undefined, want ? change : undefined);
  });

const generators: { name: string; generator: Record<string, unknown>; proposals: boolean; repositories: boolean }[] = [
  {
    name: 'its pull requests',
    generator: { pullRequest: { github: { owner: 'O', repo: 'r' } } },
    proposals: true,
    repositories: false,
  },
  {
    name: 'those of another',
    generator: { pullRequest: { github: { owner: 'o', repo: 'x' } } },
    proposals: false,
    repositories: false,
  },
  {
    name: 'its merge requests',
    generator: { pullRequest: { gitlab: { project: 'o/r' } } },
    proposals: true,
    repositories: false,
  },
  {
    name: 'a project by number',
    generator: { pullRequest: { gitlab: { project: '7' } } },
    proposals: true,
    repositories: false,
  },
  {
    name: 'repositories of the owner',
    generator: { scmProvider: { github: { organization: 'o' } } },
    proposals: false,
    repositories: true,
  },
  {
    name: 'repositories of another',
    generator: { scmProvider: { github: { organization: 'x' } } },
    proposals: false,
    repositories: false,
  },
  {
    name: 'nested',
    generator: { matrix: { generators: [{ list: {} }, { pullRequest: { gitea: { owner: 'o', repo: 'r' } } }] } },
    proposals: true,
    repositories: false,
  },
  { name: 'files', generator: { git: { repoURL: 'https://h/o/r' } }, proposals: false, repositories: false },
];
for (const { name, generator, ...want } of generators)
  test(`a set that asks for ${name}`, () => {
    const set = { apiVersion: 'v', kind: 'ApplicationSet', metadata: { name: 's' }, spec: { generators: [generator] } };
    const concerned = (about: 'proposals' | 'repositories') =>
      isSetConcerned(set, { about, owner: 'o', repository: 'r' });
    assert.deepEqual({ proposals: concerned('proposals'), repositories: concerned('repositories') }, want);
  });

const push = { registry: 'ghcr.io', repository: 'org/charts/web', tag: '1' };
const sources: [string, Record<string, unknown>, boolean][] = [
  ['an artifact by its own address', { repoURL: 'oci://ghcr.io/org/charts/web' }, true],
  ['a chart of the registry', { repoURL: 'ghcr.io/org/charts', chart: 'web' }, true],
  ['another chart', { repoURL: 'ghcr.io/org/charts', chart: 'other' }, false],
  ['a repository of Git', { repoURL: 'https://github.com/org/web.git' }, false],
];
for (const [name, source, want] of sources)
  test(`a registry's push and ${name}`, () => {
    const app = application({ name: 'x' });
    assert.equal(isArtifactOf({ ...app, spec: { ...app.spec, source: source as { repoURL: string } } }, push), want);
  });

describe('who may tell', () => {
  let server: ListeningServer;
  let engine: MemoryEngine;
  let instance: MemoryInstance;
  before(async () => {
    engine = new MemoryEngine();
    instance = new MemoryInstance();
    server = await startServer({
      engine,
      resources: noResources,
      instance,
      sight: clearSight,
      audit: new MemoryAudit(),
      tracer: { trace: async () => ({ subject: '', application: undefined, steps: [] }) },
      logger: silentLogger,
      clock: testClock,
      entropy: testEntropy,
      host: '127.0.0.1',
      port: 0,
      webhookSecret: undefined,
      token: 'webhook-test-token',
      anonymousRead: false,
      version: '0',
      webDir: '.',
    });
  });
  after(() => server[Symbol.asyncDispose]());
  beforeEach(() => {
    engine.asked.length = 0;
    instance.putSecret('argocd-secret', {
      'webhook.gitlab.secret': 'lab',
      'webhook.bitbucket.uuid': 'uuid-1',
      'webhook.bitbucketserver.secret': 'bb',
      'webhook.gogs.secret': '$hooks:gogs',
      'webhook.azuredevops.username': 'az',
      'webhook.azuredevops.password': 'ure',
    });
    instance.putSecret('hooks', { gogs: 'gogs-secret' });
    instance.putConfig('argocd-cmd-params-cm', {});
  });

  const payloads: Record<string, Record<string, unknown>> = Object.fromEntries(
    rows.filter(({ name }) => /push|moved/.test(name)).map(({ sender, payload }) => [sender, payload]),
  );
  const hmac = (secret: string, body: string) => createHmac('sha256', secret).update(body).digest('hex');
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  const cases: [string, string, (body: string) => Record<string, string>, number][] = [
    ['no secret at all', 'GitHub', () => ({ 'x-github-event': 'push' }), 403],
    ['token', 'GitLab', () => ({ 'x-gitlab-event': 'Push Hook', 'x-gitlab-token': 'lab' }), 200],
    ['wrong token', 'GitLab', () => ({ 'x-gitlab-event': 'Push Hook', 'x-gitlab-token': 'lax' }), 401],
    ['identifier', 'Bitbucket', () => ({ 'x-hook-uuid': 'uuid-1', 'x-event-key': 'repo:push' }), 200],
    ['wrong identifier', 'Bitbucket', () => ({ 'x-hook-uuid': 'uuid-2', 'x-event-key': 'repo:push' }), 401],
    [
      'signature',
      'Bitbucket Server',
      (body) => ({ 'x-event-key': 'repo:refs_changed', 'x-hub-signature': `sha256=${hmac('bb', body)}` }),
      200,
    ],
    [
      'signature by a secret that stands elsewhere',
      'Gogs, Gitea or Forgejo',
      (body) => ({ 'x-gogs-event': 'push', 'x-gogs-signature': hmac('gogs-secret', body) }),
      200,
    ],
    ['unsigned', 'Gogs, Gitea or Forgejo', () => ({ 'x-gogs-event': 'push' }), 401],
    ['password', 'Azure DevOps', () => ({ 'x-vss-activityid': '1', authorization: basic('az:ure') }), 200],
    ['wrong password', 'Azure DevOps', () => ({ 'x-vss-activityid': '1', authorization: basic('az:x') }), 401],
  ];
  const deliver = (sender: string, headersOf: (body: string) => Record<string, string>) => {
    const body = JSON.stringify(payloads[sender]);
    const headers = { 'content-type': 'application/json', ...headersOf(body) };
    return fetch(`${server.url}/api/webhook`, { method: 'POST', headers, body });
  };
  for (const [name, sender, headersOf, status] of cases)
    test(`${sender}, ${name}: ${status}`, async () => {
      const answer = await deliver(sender, headersOf);
      assert.equal(answer.status, status, await answer.text());
      assert.equal(engine.asked.length > 0, status === 200, 'the engine hears of right deliveries only');
    });

  test('unsigned deliveries are taken where the instance says so', async () => {
    instance.putConfig('argocd-cmd-params-cm', { 'slipway.webhook.unsigned': 'true' });
    assert.equal((await deliver('GitHub', () => ({ 'x-github-event': 'push' }))).status, 200);
    assert.equal(
      (await deliver('GitLab', () => ({ 'x-gitlab-event': 'Push Hook' }))).status,
      401,
      'not where one is set',
    );
  });

  test('a repository of GitHub is known by its other SSH host as well', async () => {
    instance.putConfig('argocd-cmd-params-cm', { 'slipway.webhook.unsigned': 'true' });
    payloads['GitHub'] = { ...github, repository: { full_name: 'o/r', html_url: 'https://github.com/o/r' } };
    await deliver('GitHub', () => ({ 'x-github-event': 'push' }));
    assert.deepEqual(
      engine.asked.map(({ name }) => name),
      ['https://github.com/o/r', 'ssh://ssh.github.com/o/r'],
    );
  });

  test('a proposal makes the sets that ask for it ask again', async () => {
    instance.putConfig('argocd-cmd-params-cm', { 'slipway.webhook.unsigned': 'true' });
    for (const [name, repo] of [
      ['previews', 'r'],
      ['others', 'x'],
    ])
      instance.put({
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'ApplicationSet',
        metadata: { name: name ?? '' },
        spec: { generators: [{ pullRequest: { github: { owner: 'o', repo } } }] },
      });
    const answer = await fetch(`${server.url}/api/webhook`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-github-event': 'pull_request' },
      body: JSON.stringify({ action: 'opened', repository: { full_name: 'o/r' } }),
    });
    assert.deepEqual(await answer.json(), { accepted: true, applicationSets: ['previews'] });
    const marked = (await instance.list('ApplicationSet', {})).filter(
      ({ metadata }) => metadata.annotations !== undefined,
    );
    assert.deepEqual(
      marked.map(({ metadata }) => [metadata.name, metadata.annotations]),
      [['previews', { 'argocd.argoproj.io/application-set-refresh': 'true' }]],
    );
  });

  test('other methods and other senders are refused', async () => {
    assert.equal((await fetch(`${server.url}/api/webhook`)).status, 405);
    assert.equal((await fetch(`${server.url}/api/webhook`, { method: 'POST', body: '{}' })).status, 400);
  });
});
