import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { ManualClock } from '../../test/clock.ts';
import { createGitHubClient } from './github.ts';
import { nextPage, parseRepositoryUrl, parseRunUrl } from './github-parse.ts';

const repository = { owner: 'myshop', name: 'api' };
const sha = 'a'.repeat(40);
const { signal } = new AbortController();

describe('addresses', () => {
  const web = 'https://github.com';
  const cases: { url: string; want: unknown; of?: string }[] = [
    { url: 'https://github.com/myshop/api.git', want: repository },
    { url: 'https://github.com/myshop/api', want: repository },
    { url: 'git@github.com:myshop/api.git', want: repository },
    { url: 'ssh://git@github.com/myshop/api.git', want: repository },
    { url: 'https://gitlab.com/myshop/api.git', want: undefined },
    { url: 'https://github.com/myshop', want: undefined },
    { url: 'nonsense', want: undefined },
    { url: 'http://127.0.0.1:3000/myshop/api.git', of: 'http://127.0.0.1:3000', want: repository },
    { url: 'http://127.0.0.1:3001/myshop/api.git', of: 'http://127.0.0.1:3000', want: undefined },
  ];
  for (const { url, want, of = web } of cases)
    test(`${url} of ${of}`, () => assert.deepEqual(parseRepositoryUrl(url, of), want));

  test('of a run', () => {
    assert.deepEqual(parseRunUrl('https://github.com/myshop/api/actions/runs/41/attempts/2', web), {
      repository,
      id: 41,
    });
    assert.equal(parseRunUrl('https://github.com/myshop/api/actions', web), undefined);
  });

  test('of the next page', () => {
    assert.equal(nextPage('<https://a/x?page=1>; rel="prev", <https://a/x?page=3>; rel="next"'), 'https://a/x?page=3');
    assert.equal(nextPage('<https://a/x?page=1>; rel="last"'), undefined);
    assert.equal(nextPage(null), undefined);
  });
});

describe('client', () => {
  let server: Server;
  let root: string;
  let clock: ManualClock;
  const seen: { url: string; headers: IncomingMessage['headers']; body: string }[] = [];
  let answer: (request: IncomingMessage, response: ServerResponse) => void;

  before(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        seen.push({ url: request.url ?? '', headers: request.headers, body });
        answer(request, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());
  beforeEach(() => {
    seen.length = 0;
    clock = new ManualClock();
  });

  function client(token: string | undefined = 'forge-token') {
    return createGitHubClient({ webUrl: root, apiUrl: `${root}/api/v3`, token, clock });
  }
  const json = (response: ServerResponse, value: unknown, headers: Record<string, string> = {}, status = 200) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(status === 304 ? undefined : JSON.stringify(value));
  };

  test('a commit, with the token, and from the cache when nothing changed', async () => {
    answer = (request, response) => {
      if (request.headers['if-none-match'] === '"1"') return json(response, undefined, {}, 304);
      json(
        response,
        {
          sha,
          commit: { message: 'Faster\n\nbody', author: { name: 'Ann', date: '2026-01-01T00:00:00Z' } },
          author: null,
        },
        { etag: '"1"' },
      );
    };
    const forge = client();
    const first = await forge.commit(repository, sha, signal);
    assert.deepEqual(first, {
      sha,
      message: 'Faster\n\nbody',
      authorName: 'Ann',
      authorLogin: undefined,
      authoredAt: Date.UTC(2026, 0, 1),
      url: undefined,
    });
    assert.deepEqual(await forge.commit(repository, sha, signal), first);
    assert.equal(seen[0]?.url, `/api/v3/repos/myshop/api/commits/${sha}`);
    assert.equal(seen[0]?.headers.authorization, 'Bearer forge-token');
    assert.equal(seen[1]?.headers['if-none-match'], '"1"');
  });

  test('all pages of a list', async () => {
    answer = (request, response) => {
      const page = Number(new URL(request.url ?? '', root).searchParams.get('page') ?? 1);
      const next = page < 3 ? { link: `<${root}/api/v3/repos/myshop/api/tags?page=${page + 1}>; rel="next"` } : {};
      json(response, [{ name: `v${page}`, commit: { sha } }], next);
    };
    const tags = await client().tags(repository, signal);
    assert.deepEqual(
      tags.map(({ name }) => name),
      ['v1', 'v2', 'v3'],
    );
  });

  test('a next page elsewhere does not get the token', async () => {
    answer = (_request, response) => json(response, [], { link: '<http://127.0.0.1:1/x>; rel="next"' });
    await assert.rejects(client().tags(repository, signal), (error) => isAppError(error, 'unavailable'));
    assert.equal(seen.length, 1);
  });

  test('the rate limit stops calls until it ends', async () => {
    answer = (_request, response) =>
      json(response, { message: 'API rate limit exceeded' }, { 'retry-after': '30' }, 403);
    const forge = client();
    for (let call = 0; call < 3; call += 1)
      await assert.rejects(forge.tags(repository, signal), (error) => isAppError(error, 'limit'));
    assert.equal(seen.length, 1, 'the later calls were not sent');
    clock.advance(31_000);
    answer = (_request, response) => json(response, []);
    assert.deepEqual(await forge.tags(repository, signal), []);
  });

  test('approvals and runs', async () => {
    answer = (request, response) =>
      request.url?.includes('approvals')
        ? json(response, [
            { state: 'approved', comment: 'go', environments: [{ name: 'production' }], user: { login: 'ann' } },
          ])
        : json(response, { id: 7, name: 'ci', run_number: 41, event: 'push', head_branch: 'v1.5.0', head_sha: sha });
    const forge = client();
    assert.deepEqual(await forge.runApprovals(repository, 7, signal), [
      { state: 'approved', user: 'ann', environments: ['production'], comment: 'go', at: undefined },
    ]);
    const run = await forge.workflowRun(repository, 7, signal);
    assert.deepEqual([run.name, run.number, run.ref, run.attempt], ['ci', 41, 'v1.5.0', 1]);
  });

  test('a dispatch', async () => {
    answer = (_request, response) => response.writeHead(204).end();
    await client().dispatch(repository, { type: 'update-image', payload: { tag: '1' } }, signal);
    assert.equal(seen[0]?.url, '/api/v3/repos/myshop/api/dispatches');
    assert.deepEqual(JSON.parse(seen[0]?.body ?? ''), { event_type: 'update-image', client_payload: { tag: '1' } });
  });

  const failures: { status: number; code: Parameters<typeof isAppError>[1] }[] = [
    { status: 401, code: 'unauthorized' },
    { status: 403, code: 'forbidden' },
    { status: 404, code: 'not-found' },
    { status: 422, code: 'bad-input' },
    { status: 502, code: 'unavailable' },
  ];
  for (const { status, code } of failures) {
    test(`status ${status} is ${code}`, async () => {
      answer = (_request, response) => json(response, { message: 'no' }, {}, status);
      await assert.rejects(client().workflowRun(repository, 1, signal), (error) => isAppError(error, code));
    });
  }

  test('nobody there', async () => {
    const forge = createGitHubClient({ webUrl: root, apiUrl: 'http://127.0.0.1:1', token: undefined, clock });
    await assert.rejects(forge.tags(repository, signal), (error) => isAppError(error, 'unavailable'));
  });
});
