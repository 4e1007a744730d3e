import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { abortable } from '#base/abortable.ts';
import { AppError, throwIfAborted } from '#base/errors.ts';
import { type GitProgram, missing, spawnGit } from './git-process.ts';

export type ObjectType = 'blob' | 'tree' | 'commit' | 'tag';
export interface GitObject {
  oid: string;
  type: ObjectType;
  data: Buffer;
}

interface Request {
  name: string;
  tries: number;
  resolve: (object: GitObject | undefined) => void;
  reject: (error: unknown) => void;
}

interface Head {
  oid: string;
  type: ObjectType;
  size: number;
}

const triesPerObject = 2;
const idleMs = 5 * 60_000;

/**
 * Reads objects through one long-lived `git cat-file --batch`. Requests are pipelined and answered in order. When the
 * process dies, a new one is asked again for what is open; an object that kills it twice is `corrupt-data`.
 */
export class CatFile {
  readonly #program: GitProgram;
  readonly #gitDir: string;
  readonly #maxBytes: number;
  #child: ChildProcessWithoutNullStreams | undefined;
  #queue: Request[] = [];
  #chunks: Buffer[] = [];
  #buffered = 0;
  #head: Head | undefined;
  /** Bytes of an object over the limit that are still to come and are thrown away. */
  #skip = 0;
  #closed = false;
  #idle: NodeJS.Timeout | undefined;

  constructor(program: GitProgram, gitDir: string, maxBytes: number) {
    this.#program = program;
    this.#gitDir = gitDir;
    this.#maxBytes = maxBytes;
  }

  /** Undefined when there is no such object. `name` is an object id or `<hex>^{commit}`: never text of a user's. */
  async read(name: string, signal: AbortSignal): Promise<GitObject | undefined> {
    throwIfAborted(signal);
    if (!/^[0-9a-f]{4,40}(\^\{(commit|tree)\})?$/.test(name))
      throw new AppError('bad-input', `${JSON.stringify(name)} is not an object id`);
    const answer = new Promise<GitObject | undefined>((resolve, reject) => {
      this.#ask({ name, tries: 0, resolve, reject });
    });
    return abortable(answer, signal);
  }

  /** Ends the process; the next read starts another. */
  restart(): void {
    this.#child?.kill('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idle);
    const child = this.#child;
    if (!child) return;
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  #ask(request: Request): void {
    if (this.#closed) {
      request.reject(new AppError('canceled', 'the mirror is closed'));
      return;
    }
    this.#queue.push(request);
    this.#child ??= this.#start();
    if (this.#idle) this.#idle.refresh();
    // Of many mirrors only those in use hold a process.
    else this.#idle = setTimeout(() => this.#rest(), idleMs).unref();
    this.#child.stdin.write(`${request.name}\n`);
  }

  #rest(): void {
    this.#idle = undefined;
    if (this.#queue.length === 0) this.restart();
  }

  #start(): ChildProcessWithoutNullStreams {
    const child = spawnGit(this.#program, { args: ['cat-file', '--batch'], gitDir: this.#gitDir });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => this.#take(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      said = `${said}${chunk.toString('utf8')}`.slice(-2000);
    });
    child.stdin.on('error', () => {});
    child.once('error', (cause) => this.#ended(child, missing(this.#program, cause)));
    child.once('close', () => this.#ended(child, undefined, said));
    return child;
  }

  #ended(child: ChildProcessWithoutNullStreams, error: AppError | undefined, said = ''): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#chunks = [];
    this.#buffered = 0;
    this.#head = undefined;
    this.#skip = 0;
    const open = this.#queue;
    this.#queue = [];
    const first = open[0];
    if (first) first.tries += 1;
    for (const request of open) {
      if (error) request.reject(error);
      else if (request.tries >= triesPerObject)
        request.reject(new AppError('corrupt-data', `git cannot read object ${request.name}: ${said.trim()}`));
      else this.#ask(request);
    }
  }

  #take(chunk: Buffer): void {
    const skipped = Math.min(this.#skip, chunk.byteLength);
    this.#skip -= skipped;
    if (skipped < chunk.byteLength) {
      this.#chunks.push(chunk.subarray(skipped));
      this.#buffered += chunk.byteLength - skipped;
    }
    while (this.#queue.length > 0 && this.#skip === 0 && this.#next()) {
      // Each turn answers one request.
    }
  }

  /** Answers the first request when all of its answer is here. */
  #next(): boolean {
    this.#head ??= this.#takeHead();
    const head = this.#head;
    if (!head) return false;
    if (head.size < 0) return this.#answer((request) => request.resolve(undefined));
    if (head.size > this.#maxBytes) return this.#refuse(head);
    if (this.#buffered < head.size + 1) return false;
    const all = this.#all();
    // A copy: a small object must not keep the large buffer it arrived in.
    const data = Buffer.from(all.subarray(0, head.size));
    this.#keep(all.subarray(head.size + 1));
    return this.#answer((request) => request.resolve({ oid: head.oid, type: head.type, data }));
  }

  #refuse(head: Head): boolean {
    const length = head.size + 1;
    this.#skip = Math.max(0, length - this.#buffered);
    this.#keep(this.#all().subarray(Math.min(length, this.#buffered)));
    const message = `object ${head.oid} has ${head.size} bytes, more than the limit of ${this.#maxBytes}`;
    return this.#answer((request) => request.reject(new AppError('limit', message)));
  }

  #answer(give: (request: Request) => void): boolean {
    this.#head = undefined;
    const request = this.#queue.shift();
    if (request) give(request);
    return true;
  }

  #takeHead(): Head | undefined {
    const last = this.#chunks[this.#chunks.length - 1];
    if (!last?.includes(10) && !this.#chunks.some((chunk) => chunk.includes(10))) return undefined;
    const all = this.#all();
    const end = all.indexOf(10);
    const words = all.subarray(0, end).toString('utf8').split(' ');
    this.#keep(all.subarray(end + 1));
    const [oid = '', type = '', size = ''] = words;
    if (type === 'blob' || type === 'tree' || type === 'commit' || type === 'tag')
      return { oid, type, size: Number(size) };
    return { oid, type: 'blob', size: -1 };
  }

  #all(): Buffer {
    const first = this.#chunks[0];
    const all = this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }

  #keep(rest: Buffer): void {
    this.#chunks = rest.byteLength > 0 ? [rest] : [];
    this.#buffered = rest.byteLength;
  }
}
