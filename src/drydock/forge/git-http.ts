import { spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Accounts } from './accounts.ts';
import type { Git } from './git.ts';
import type { RefLedger } from './ref-ledger.ts';
import { allows, type Repositories, type Repository } from './repositories.ts';
import { identityOf } from './request-identity.ts';

interface GitHttpDeps {
  git: Git;
  accounts: Accounts;
  repos: Repositories;
  ledger: RefLedger;
  logger: Logger;
}

interface GitRequest {
  owner: string;
  name: string;
  /** Path below the repository. */
  rest: string;
  query: string;
  isPush: boolean;
}

/** Undefined when the address is none of git's smart HTTP protocol. */
export function parseGitRequest(url: string): GitRequest | undefined {
  const { pathname, searchParams, search } = new URL(url, 'http://forge');
  const match = /^\/([^/]+)\/([^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(pathname);
  if (!match) return undefined;
  const [, owner = '', name = '', rest = ''] = match;
  const service = rest === 'info/refs' ? searchParams.get('service') : rest;
  if (service !== 'git-upload-pack' && service !== 'git-receive-pack') return undefined;
  return { owner, name, rest, query: search.slice(1), isPush: service === 'git-receive-pack' };
}

/** Serves clone, fetch and push with `git http-backend`; a push is recorded with its events before it is answered. */
export async function serveGit(
  deps: GitHttpDeps,
  call: GitRequest,
  io: { request: IncomingMessage; response: ServerResponse },
): Promise<void> {
  const { request, response } = io;
  const identity = identityOf(deps.accounts, request.headers.authorization);
  if (identity === undefined) return refuse(response, 401, 'Bad credentials');
  const repo = deps.repos.find(call.owner, call.name);
  const access = repo ? deps.repos.access(identity, repo) : 'none';
  if (!repo || !allows(access, 'read')) {
    return identity.kind === 'anonymous'
      ? refuse(response, 401, 'Authentication is required')
      : refuse(response, 404, 'Repository not found');
  }
  if (!call.isPush) return runBackend(deps, { repo, call, ...io, user: '' });
  if (identity.kind === 'anonymous') return refuse(response, 401, 'Authentication is required');
  if (!allows(access, 'write'))
    return refuse(response, 403, `${identity.account.login} may not push to this repository`);
  const run = () => runBackend(deps, { repo, call, ...io, user: identity.account.login });
  if (call.rest !== 'git-receive-pack') return run();
  await deps.ledger.change(repo, identity, run);
  response.end();
}

function refuse(response: ServerResponse, status: number, message: string): void {
  const challenge = status === 401 ? { 'www-authenticate': 'Basic realm="forge"' } : {};
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...challenge });
  response.end(`${message}\n`);
}

interface BackendCall {
  repo: Repository;
  call: GitRequest;
  request: IncomingMessage;
  response: ServerResponse;
  user: string;
}

/** Resolves when git is done; the response of a push is left open for the caller to end. */
async function runBackend(deps: GitHttpDeps, { repo, call, request, response, user }: BackendCall): Promise<void> {
  const header = (name: string) => [request.headers[name] ?? ''].flat().join(', ');
  const child = spawn(deps.git.path, ['http-backend'], {
    stdio: 'pipe',
    env: {
      ...deps.git.env,
      GIT_PROJECT_ROOT: deps.repos.gitDir(repo),
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: `/${call.rest}`,
      QUERY_STRING: call.query,
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: header('content-type'),
      HTTP_CONTENT_ENCODING: header('content-encoding'),
      GIT_PROTOCOL: header('git-protocol'),
      REMOTE_ADDR: request.socket.remoteAddress ?? '',
      ...(user === '' ? {} : { REMOTE_USER: user, GIT_COMMITTER_NAME: user, GIT_COMMITTER_EMAIL: `${user}@forge` }),
      ...(header('content-length') === '' ? {} : { CONTENT_LENGTH: header('content-length') }),
    },
  });
  const mayEnd = !(call.isPush && call.rest === 'git-receive-pack');
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (stderr.length < 4096) stderr += chunk.toString('utf8');
  });
  // git may stop reading early, for example when it refuses the push; its own answer says why.
  child.stdin.on('error', () => {});
  request.pipe(child.stdin);
  // Without its end a push would wait for more input, and hold the repository's lock, for ever.
  request.once('close', () => {
    if (!request.complete) child.kill();
  });
  request.on('error', () => child.kill());
  passCgi(child.stdout, response);
  const code = await new Promise<number>((resolve) => {
    child.once('error', (error) => {
      stderr += messageOf(error);
      resolve(127);
    });
    child.once('close', (status) => resolve(status ?? 1));
  });
  if (code !== 0) deps.logger.warn({ repository: repo.name, code, stderr: stderr.trim() }, 'git http-backend failed');
  if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' });
  if (mayEnd) response.end();
}

/** Turns the CGI header into the response's and passes the body on as it comes, at the pace the client takes it. */
function passCgi(output: NodeJS.ReadableStream, response: ServerResponse): void {
  let buffered = Buffer.alloc(0);
  let inBody = false;
  // A client that went away ends the response with an error; git's exit code is what counts.
  response.on('error', () => {});
  output.on('data', (chunk: Buffer) => {
    if (response.destroyed) return;
    if (inBody) {
      if (!response.write(chunk)) {
        output.pause();
        response.once('drain', () => output.resume());
      }
      return;
    }
    buffered = Buffer.concat([buffered, chunk]);
    const end = buffered.indexOf('\r\n\r\n');
    if (end < 0) return;
    inBody = true;
    writeHead(buffered.subarray(0, end).toString('latin1'), response);
    if (buffered.length > end + 4) response.write(buffered.subarray(end + 4));
  });
  response.once('close', () => output.resume());
}

function writeHead(head: string, response: ServerResponse): void {
  let status = 200;
  for (const line of head.split('\r\n')) {
    const at = line.indexOf(':');
    const name = line.slice(0, at);
    const value = line.slice(at + 1).trim();
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else if (at > 0) response.setHeader(name, value);
  }
  response.writeHead(status);
}
