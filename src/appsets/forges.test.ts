import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { messageOf } from '#base/errors.ts';
import { getObject, type JsonObject } from '#base/json.ts';
import { parseApplicationSet } from '#model/argocd/application-set.ts';
import { generateApplications } from './generate.ts';
import type { HttpTrust } from './http.ts';
import { ListingMemory } from './listing-memory.ts';
import type { GeneratorSources, ScmSettings } from './port.ts';

const sha = '0123456789abcdef0123456789abcdef01234567';

interface Forge extends AsyncDisposable {
  url: string;
  /** `GET /path` and what was sent to prove who asks. */
  asked: string[];
}

/** Answers by path; what it does not know is 404. */
async function startForge(answers: Record<string, unknown>): Promise<Forge> {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const { authorization = '' } = request.headers;
    let body = '';
    for await (const chunk of request) body += String(chunk);
    asked.push(`${request.method} ${request.url} ${authorization} ${body}`.trim());
    const answer = answers[request.url ?? ''] ?? answers[(request.url ?? '').split('?')[0] ?? ''];
    response.statusCode = answer === undefined ? 404 : 200;
    response.end(answer === undefined ? 'not here' : JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function sources(more: Partial<GeneratorSources> = {}, scm: Partial<ScmSettings> = {}): GeneratorSources {
  const unused = () => {
    throw new Error('not asked for');
  };
  return {
    clock: { now: () => 0 },
    entropy: { bytes: (size) => Buffer.alloc(size), uuid: () => 'id', fraction: () => 0 },
    clusters: () => [],
    repository: unused,
    listings: new ListingMemory(),
    configMap: () => undefined,
    secret: async ({ name, namespace }) =>
      name === 'token' ? { data: { key: `secret-of-${namespace}` }, labels: {} } : undefined,
    listByPlural: unused,
    connect: () => ({ fetch, async [Symbol.asyncDispose]() {} }),
    configMapEntry: async ({ name }) => (name === 'ca' ? 'pem' : undefined),
    githubAppToken: async ({ id }) => `token-of-app-${id}`,
    scm: { enabled: true, allowed: [], strictTokenRef: false, ...scm },
    instanceNamespace: 'argocd',
    settings: { newGitFileGlobbing: false, hiddenDirectories: false },
    ...more,
  };
}

async function generated(generator: JsonObject, labels: JsonObject, from: GeneratorSources, namespace = 'argocd') {
  const { set } = parseApplicationSet({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { name: 'set', namespace },
    spec: { goTemplate: true, generators: [generator], template: { metadata: { name: 'x', labels }, spec: {} } },
  });
  const { applications, error } = await generateApplications(set, from, AbortSignal.timeout(5000));
  return error
    ? messageOf(error.cause)
    : applications.map((one) => Object.values(getObject(one, 'metadata', 'labels')).join(' '));
}

const tokenRef = { secretName: 'token', key: 'key' };
const branchLabels = {
  a: '{{.organization}}/{{.repository}}#{{.repository_id}}',
  b: '{{.url}}',
  c: '{{.branch}} {{.branchNormalized}} {{.short_sha}} {{.short_sha_7}}',
  d: '{{.labels}}',
};
const pullLabels = {
  a: '{{.number}} {{.title}}',
  b: '{{.branch}} {{.branch_slug}} {{.target_branch}}',
  c: '{{.head_short_sha}} {{.head_short_sha_7}} {{.author}}',
  d: '{{ join "," .labels }}',
};

const github = {
  '/orgs/org/repos': [
    {
      id: 1234567,
      name: 'one',
      owner: { login: 'org' },
      default_branch: 'main',
      ssh_url: 'git@h:org/one',
      clone_url: 'https://h/org/one',
      topics: ['web', 'deploy'],
    },
    { id: 2, name: 'two', owner: { login: 'org' }, default_branch: 'main', ssh_url: 's', clone_url: 'c', topics: [] },
    { id: 3, name: 'old', owner: { login: 'org' }, default_branch: 'main', archived: true, topics: ['deploy'] },
  ],
  '/repos/org/one/branches/main': { name: 'main', commit: { sha } },
  '/repos/org/one/branches': [
    { name: 'main', commit: { sha } },
    { name: 'Feat/x', commit: { sha } },
  ],
  '/repos/org/two/branches': [{ name: 'main', commit: { sha } }],
  '/repos/org/one/contents/deploy/app?ref=Feat%2Fx': {},
  '/repos/org/one/pulls': [
    {
      number: 7,
      title: 'A title',
      head: { ref: 'feat/Some_thing', sha },
      base: { ref: 'main' },
      user: { login: 'me' },
      labels: [{ name: 'preview' }, { name: 'b' }],
    },
    { number: 8, title: 'Other', head: { ref: 'x', sha }, base: { ref: 'dev' }, user: { login: 'me' }, labels: [] },
  ],
};

test('repositories and pull requests of GitHub', async () => {
  await using forge = await startForge(github);
  const provider = (more: JsonObject, own: JsonObject = {}) =>
    generated(
      { scmProvider: { github: { api: forge.url, organization: 'org', tokenRef, ...own }, ...more } },
      branchLabels,
      sources(),
    );
  assert.deepEqual(await provider({ cloneProtocol: 'https' }), [
    'org/one#1234567 https://h/org/one main main 01234567 0123456 web,deploy',
  ]);
  assert.match(forge.asked[0] ?? '', /^GET \/orgs\/org\/repos\?per_page=100&page=1 Bearer secret-of-argocd$/);
  const all = { allBranches: true, excludeArchivedRepos: true };
  assert.deepEqual(
    await provider({ filters: [{ labelMatch: '^dep' }, { branchMatch: '^Feat', pathsExist: ['deploy/app/'] }] }, all),
    ['org/one#1234567 git@h:org/one Feat/x feat-x 01234567 0123456 web,deploy'],
  );
  assert.deepEqual(
    ((await provider({ filters: [{ pathsDoNotExist: ['deploy/app'] }] }, all)) as string[]).map(
      (one) => one.split(' ')[2],
    ),
    ['main', 'main'],
  );
  assert.match(
    String(await provider({ filters: [{ repositoryMatch: '(' }] })),
    /error compiling repositoryMatch regexp "\("/,
  );
  assert.match(String(await provider({ cloneProtocol: 'ftp' })), /unknown clone protocol for GitHub ftp/);
  const pulls = (more: JsonObject, own: JsonObject = {}) =>
    generated(
      { pullRequest: { github: { api: forge.url, owner: 'org', repo: 'one', ...own }, ...more } },
      pullLabels,
      sources(),
    );
  assert.deepEqual(await pulls({}, { labels: ['preview'] }), [
    '7 A title feat/Some_thing feat-some-thing main 01234567 0123456 me preview,b',
  ]);
  assert.deepEqual(await pulls({ filters: [{ targetBranchMatch: 'dev' }] }), ['8 Other x x dev 01234567 0123456 me ']);
  assert.match(String(await pulls({}, { repo: 'none' })), /\/repos\/org\/none\/pulls.* answered 404/);
  assert.deepEqual(await pulls({ continueOnRepoNotFoundError: true }, { repo: 'none' }), []);
});

test('whom a forge may be asked for, and by which secret', async () => {
  await using forge = await startForge(github);
  const generator = (own: JsonObject) => ({
    pullRequest: { github: { api: forge.url, owner: 'org', repo: 'one', labels: ['b'], ...own } },
  });
  const ask = (
    own: JsonObject,
    scm: Partial<ScmSettings> = {},
    namespace = 'argocd',
    more: Partial<GeneratorSources> = {},
  ) => generated(generator(own), { a: '{{.number}}' }, sources(more, scm), namespace);
  assert.match(String(await ask({}, { enabled: false })), /scm providers are disabled/);
  assert.match(
    String(await ask({}, { allowed: ['https://other'] })),
    /not allowed, must use one of the following: https:\/\/other/,
  );
  assert.match(String(await ask({}, {}, 'team')), /allowed.scm.providers, which names none/);
  assert.deepEqual(await ask({ tokenRef }, { allowed: [forge.url] }, 'team'), ['7']);
  assert.match(forge.asked.at(-1) ?? '', /Bearer secret-of-team$/);
  assert.match(String(await ask({ tokenRef: { secretName: 'none', key: 'k' } })), /Secret argocd\/none does not exist/);
  assert.match(
    String(await ask({ tokenRef: { secretName: 'token', key: 'k' } })),
    /key "k" in Secret argocd\/token not found/,
  );
  assert.match(String(await ask({ tokenRef }, { strictTokenRef: true })), /not a valid SCM creds secret/);
  const app = { githubAppID: '12', githubAppPrivateKey: 'pem' };
  const secret = async () => ({ data: app, labels: {} });
  assert.deepEqual(await ask({ appSecretName: 'app' }, {}, 'argocd', { secret }), ['7']);
  assert.match(forge.asked.at(-1) ?? '', /Bearer token-of-app-12$/);
});

test('GitLab, Gitea, Bitbucket and Azure DevOps', async () => {
  await using forge = await startForge({
    '/api/v4/groups/g%2Fh/projects': [
      {
        id: 5,
        path: 'one',
        namespace: { full_path: 'g/h' },
        default_branch: 'main',
        ssh_url_to_repo: 'ssh',
        http_url_to_repo: 'https',
        topics: ['t'],
      },
    ],
    '/api/v4/projects/5/repository/branches/main': { name: 'main', commit: { id: sha } },
    '/api/v4/projects/5/repository/tree?path=deploy&ref=main': [{}],
    '/api/v4/projects/g%2Fh/merge_requests': [
      { iid: 3, title: 'mr', source_branch: 's', target_branch: 'm', sha, labels: ['l'], author: { username: 'u' } },
    ],
    '/api/v1/orgs/o/repos': [{ id: 6, name: 'one', default_branch: 'main', ssh_url: 'ssh', html_url: 'https' }],
    '/api/v1/repos/o/one/labels': [{ name: 'l' }],
    '/api/v1/repos/o/one/branches/main': { name: 'main', commit: { id: sha } },
    '/api/v1/repos/o/one/pulls': [
      { number: 4, title: 'pr', head: { ref: 's', sha }, base: { ref: 'm' }, user: { login: 'u' }, labels: [] },
    ],
    '/rest/api/1.0/projects/P/repos?limit=100': {
      values: [
        {
          id: 7,
          name: 'one',
          project: { key: 'P' },
          links: {
            clone: [
              { name: 'ssh', href: 'ssh' },
              { name: 'http', href: 'https' },
            ],
          },
        },
      ],
      isLastPage: false,
      nextPageStart: 1,
    },
    '/rest/api/1.0/projects/P/repos?limit=100&start=1': { values: [] },
    '/rest/api/1.0/projects/P/repos/one/branches/default': { displayId: 'main', latestCommit: sha },
    '/rest/api/1.0/projects/P/repos/one/pull-requests': {
      values: [
        {
          id: 5,
          title: 'pr',
          fromRef: { displayId: 's', latestCommit: sha },
          toRef: { displayId: 'm' },
          author: { user: { name: 'u' } },
        },
      ],
    },
    '/repositories/o/one/pullrequests': {
      values: [
        {
          id: 6,
          title: 'pr',
          source: { branch: { name: 's' }, commit: { hash: sha } },
          destination: { branch: { name: 'm' } },
          author: { nickname: 'u' },
        },
      ],
    },
    '/o/p/_apis/git/repositories': {
      value: [{ id: 'uuid', name: 'one', defaultBranch: 'refs/heads/main', remoteUrl: 'https' }, { name: 'empty' }],
    },
    '/o/p/_apis/git/repositories/one/stats/branches?name=main&api-version=7.1': {
      name: 'main',
      commit: { commitId: sha },
    },
    '/o/p/_apis/git/pullrequests': {
      value: [
        {
          pullRequestId: 8,
          title: 'pr',
          repository: { name: 'one' },
          sourceRefName: 'refs/heads/s',
          targetRefName: 'refs/heads/m',
          lastMergeSourceCommit: { commitId: sha },
          createdBy: { uniqueName: 'u@x' },
          labels: [{ name: 'l' }],
        },
      ],
    },
  });
  const api = forge.url;
  const shown = { a: '{{.organization}}/{{.repository}} {{.url}} {{.branch}} {{.short_sha}} {{.labels}}' };
  const repositories: [JsonObject, string][] = [
    [{ gitlab: { api, group: 'g/h', tokenRef }, filters: [{ pathsExist: ['deploy'] }] }, 'g/h/one ssh main 01234567 t'],
    [{ gitea: { api, owner: 'o', tokenRef }, cloneProtocol: 'https' }, 'o/one https main 01234567 l'],
    [{ bitbucketServer: { api, project: 'P', bearerToken: { tokenRef } } }, 'P/one ssh main 01234567 '],
    [
      { azureDevOps: { api, organization: 'o', teamProject: 'p', accessTokenRef: tokenRef } },
      'o/one https main 01234567 ',
    ],
  ];
  for (const [scmProvider, want] of repositories)
    assert.deepEqual(await generated({ scmProvider }, shown, sources()), [want]);
  const pulls: [JsonObject, string][] = [
    [{ gitlab: { api, project: 'g/h', tokenRef, labels: ['l'] } }, '3 mr s m 01234567 u'],
    [{ gitea: { api, owner: 'o', repo: 'one' } }, '4 pr s m 01234567 u'],
    [
      { bitbucketServer: { api, project: 'P', repo: 'one', basicAuth: { username: 'me', passwordRef: tokenRef } } },
      '5 pr s m 01234567 u',
    ],
    [{ bitbucket: { api, owner: 'o', repo: 'one' } }, '6 pr s m 01234567 u'],
    [
      { azuredevops: { api, organization: 'o', project: 'p', repo: 'one', labels: ['l'], tokenRef } },
      '8 pr s m 01234567 u',
    ],
  ];
  const pull = { a: '{{.number}} {{.title}} {{.branch}} {{.target_branch}} {{.head_short_sha}} {{.author}}' };
  for (const [pullRequest, want] of pulls) assert.deepEqual(await generated({ pullRequest }, pull, sources()), [want]);
  const proofs = new Set(forge.asked.map((line) => line.split(' ')[2] ?? 'nothing'));
  assert.deepEqual([...proofs].sort(), ['Basic', 'Bearer', 'nothing', 'token']);
  assert.match(
    String(await generated({ scmProvider: { awsCodeCommit: {} } }, shown, sources())),
    /awsCodeCommit is not supported yet/,
  );
  const trusts: HttpTrust[] = [];
  const trusting = (trust: HttpTrust) => {
    trusts.push(trust);
    return { fetch, async [Symbol.asyncDispose]() {} };
  };
  const judged = async (more: JsonObject) =>
    await generated(
      { pullRequest: { gitlab: { api, project: 'g/h', ...more } } },
      pull,
      sources({ connect: trusting }),
    );
  const caRef = { configMapName: 'ca', key: 'k' };
  for (const more of [{}, { insecure: true }, { caRef }]) assert.deepEqual(await judged(more), ['3 mr s m 01234567 u']);
  assert.deepEqual(trusts, [
    { insecure: false, ca: undefined },
    { insecure: true, ca: undefined },
    { insecure: false, ca: 'pem' },
  ]);
  assert.match(String(await judged({ caRef: { configMapName: 'no', key: 'k' } })), /argocd\/no has no key "k"/);
});

test('a plugin is asked with its token and the input', async () => {
  await using service = await startForge({
    '/api/v1/getparams.execute': { output: { parameters: [{ key: 'one', deep: { n: 1 } }, { key: 'two' }] } },
  });
  const config = { baseUrl: service.url, token: '$token:key' };
  const plugin = { configMapRef: { name: 'plugin' }, input: { parameters: { a: 'b' } }, values: { v: '{{.key}}!' } };
  const ask = (data: Record<string, string> | undefined) =>
    generated(
      { plugin },
      { a: '{{.key}}', b: '{{.values.v}} {{.generator.input.parameters.a}}' },
      sources({ configMap: () => data }),
    );
  assert.deepEqual(await ask(config), ['one one! b', 'two two! b']);
  assert.equal(
    service.asked[0],
    'POST /api/v1/getparams.execute Bearer secret-of-argocd {"applicationSetName":"set","input":{"parameters":{"a":"b"}}}',
  );
  assert.match(String(await ask(undefined)), /ConfigMap: argocd\/plugin does not exist/);
  assert.match(String(await ask({ token: '$x' })), /baseUrl not found/);
  assert.match(String(await ask({ ...config, token: 'plain' })), /does not reference a secret key/);
  assert.match(String(await ask({ ...config, baseUrl: 'http://127.0.0.1:1' })), /getparams.execute failed/);
});
