import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import type { Clock, Entropy } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { createGitMirrors } from './mirrors.ts';
import type { GitAccess, GitCredentials, GitMirrors } from './port.ts';

const identity = {
  GIT_AUTHOR_NAME: 'Dev',
  GIT_AUTHOR_EMAIL: 'dev@example.com',
  GIT_COMMITTER_NAME: 'Dev',
  GIT_COMMITTER_EMAIL: 'dev@example.com',
};

export interface TestingTools {
  gitPath: string;
  clock: Clock;
  entropy: Entropy;
}

interface MirrorsOptions {
  clock?: Clock;
  env?: Record<string, string>;
  /** Instead of the server's own credentials. */
  access?: GitAccess;
}

/** For tests: real repositories behind the real `git http-backend`, on loopback. */
export class TestingGitServer {
  readonly #root = mkdtempSync(join(tmpdir(), 'git-server-'));
  readonly #server: Server;
  readonly #tools: TestingTools;
  /** When set, other credentials are answered 401. */
  credentials: GitCredentials | undefined;
  /** Answers a request itself by returning true. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  /** `POST /demo.git/git-upload-pack` and the like, in order. */
  readonly requests: string[] = [];
  #commits = 0;

  constructor(tools: TestingTools) {
    this.#tools = tools;
    this.#server = createServer((request, response) => this.#serve(request, response));
  }

  static async start(tools: TestingTools): Promise<TestingGitServer> {
    const server = new TestingGitServer(tools);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  url(repository: string): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/${repository}.git`;
  }

  path(repository: string): string {
    return join(this.#root, `${repository}.git`);
  }

  folder(name: string): string {
    return join(this.#root, name);
  }

  create(repository: string): void {
    execFileSync(this.#tools.gitPath, ['init', '-q', '--bare', '-b', 'main', this.path(repository)]);
    this.git(repository, 'config', 'http.receivepack', 'true');
  }

  /** Runs git on a repository of the server and gives what it printed. */
  git(repository: string, ...args: string[]): string {
    return this.#run(this.path(repository), args);
  }

  /** A developer's push: writes files (null removes; `.sh` is executable) on a branch and gives the commit. */
  commit(repository: string, files: Record<string, string | null>, message = 'change', branch = 'main'): string {
    this.#commits += 1;
    const who = `Dev <dev@example.com> ${1_700_000_000 + this.#commits} +0000`;
    const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
    const head = this.git(repository, 'for-each-ref', '--format=%(objectname)', `refs/heads/${branch}`);
    const changes = Object.entries(files).map(([path, content]) => {
      if (content === null) return `D ${path}\n`;
      return `M ${path.endsWith('.sh') ? '100755' : '100644'} inline ${path}\n${data(content)}`;
    });
    const from = head === '' ? '' : `from ${head}\n`;
    const commit = `commit refs/heads/${branch}\nmark :1\nauthor ${who}\ncommitter ${who}\n${data(message)}${from}`;
    return this.#run(this.path(repository), ['fast-import', '--quiet'], `${commit}${changes.join('')}\nget-mark :1\n`);
  }

  /** Mirrors in a folder of their own, `name`d so that a test can open them again. */
  mirrors(name: string, { clock = this.#tools.clock, env = {}, access }: MirrorsOptions = {}): GitMirrors {
    return createGitMirrors({
      dir: join(this.#root, name),
      gitPath: this.#tools.gitPath,
      clock,
      env,
      entropy: this.#tools.entropy,
      logger: silentLogger,
      credentials: async () => access ?? this.credentials,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#root, { recursive: true, force: true });
  }

  #run(gitDir: string, args: string[], input = ''): string {
    const env = { ...identity, GIT_DIR: gitDir, HOME: this.#root, GIT_CONFIG_NOSYSTEM: '1' };
    return execFileSync(this.#tools.gitPath, args, { env, encoding: 'utf8', stdio: 'pipe', input }).trim();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://localhost');
    this.requests.push(`${request.method} ${url.pathname}${url.search}`);
    if (this.intercept(request, response)) return;
    if (this.credentials) {
      const { username, password } = this.credentials;
      const wanted = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
      if (request.headers.authorization !== wanted) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
        return;
      }
    }
    const backend = spawn(this.#tools.gitPath, ['http-backend'], {
      env: {
        GIT_PROJECT_ROOT: this.#root,
        GIT_HTTP_EXPORT_ALL: '1',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method ?? 'GET',
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        REMOTE_USER: 'tester',
      },
    });
    const body = request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request;
    body.pipe(backend.stdin);
    backend.stdin.on('error', () => {});
    let head = Buffer.alloc(0);
    backend.stdout.on('data', (chunk: Buffer) => {
      if (response.headersSent) {
        response.write(chunk);
        return;
      }
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      writeHead(response, head.toString('latin1', 0, end));
      response.write(head.subarray(end + 4));
    });
    backend.once('close', () => response.end());
  }
}

function writeHead(response: ServerResponse, head: string): void {
  let status = 200;
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
    if (name.toLowerCase() === 'status') status = Number(value.slice(0, 3));
    else response.setHeader(name, value);
  }
  response.writeHead(status);
}
