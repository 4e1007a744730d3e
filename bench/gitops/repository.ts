import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TestingGitServer } from '#git/testing-server.ts';
import { testClock, testEntropy } from '../../test/clock.ts';
import { toolPath } from '../../test/tools.ts';

const run = promisify(execFile);
const who = 'Bench <bench@example.com>';

/** A repository that the bench pushes to: its own on loopback, or the one at the URL that was given. */
export class Repository implements AsyncDisposable {
  readonly url: string;
  readonly branch: string;
  readonly #git = toolPath('git');
  readonly #folder = mkdtempSync(join(tmpdir(), 'bench-repository-'));
  readonly #server: TestingGitServer | undefined;
  #commits = 0;

  private constructor(url: string, branch: string, server: TestingGitServer | undefined) {
    this.url = url;
    this.branch = branch;
    this.#server = server;
  }

  static async open(url: string | undefined, branch: string): Promise<Repository> {
    let server: TestingGitServer | undefined;
    if (url === undefined) {
      server = await TestingGitServer.start({ gitPath: toolPath('git'), clock: testClock, entropy: testEntropy });
      server.create('bench');
    }
    const repository = new Repository(url ?? server?.url('bench') ?? '', branch, server);
    await run(repository.#git, ['init', '-q', '--bare', '-b', branch, repository.#folder]);
    return repository;
  }

  /** Commits the files on the branch, not yet pushed, and gives the commit. */
  async commit(files: Iterable<[path: string, content: string]>): Promise<string> {
    this.#commits += 1;
    const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
    const when = `${who} ${1_700_000_000 + this.#commits} +0000`;
    const from = this.#commits > 1 ? `from refs/heads/${this.branch}^0\n` : '';
    const head = `commit refs/heads/${this.branch}\nauthor ${when}\ncommitter ${when}\n${data('bench')}${from}`;
    const importer = spawn(this.#git, ['fast-import', '--quiet'], {
      cwd: this.#folder,
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    const ended = once(importer, 'exit');
    importer.stdin.write(head);
    for (const [path, content] of files) importer.stdin.write(`M 100644 inline ${path}\n${data(content)}`);
    importer.stdin.end('\n');
    const [code] = await ended;
    if (code !== 0) throw new Error(`git fast-import ended with ${code}`);
    const { stdout } = await run(this.#git, ['rev-parse', `refs/heads/${this.branch}`], { cwd: this.#folder });
    return stdout.trim();
  }

  /** Resolves when the server has taken the branch. */
  async push(): Promise<void> {
    await run(this.#git, ['push', '-q', '--force', this.url, `refs/heads/${this.branch}`], {
      cwd: this.#folder,
      env: { PATH: process.env['PATH'] ?? '', HOME: this.#folder, GIT_TERMINAL_PROMPT: '0' },
    });
  }

  /** Requests that the bench's own server has answered; undefined for another server. */
  get requests(): number | undefined {
    return this.#server?.requests.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
