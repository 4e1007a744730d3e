import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { assert } from '#base/assert.ts';
import type { Clock, Entropy } from '#base/clock.ts';
import { getArray, getNumber, getString, parseJson } from '#base/json.ts';
import { silentLogger } from '#base/log.ts';
import type { Builtins } from '../actions/action.ts';
import { type Forge, startForge } from './server.ts';

export const clock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, signal ? { signal } : {});
  },
};

export const entropy: Entropy = {
  bytes: (size) => randomBytes(size),
  uuid: () => randomUUID(),
  fraction: () => Math.random(),
};

export interface World extends AsyncDisposable {
  forge: Forge;
  directory: string;
  token: string;
  /** Starts the forge again on the same data and port. */
  restart(): Promise<void>;
  api(
    method: string,
    path: string,
    options?: { body?: object; token?: string; headers?: Record<string, string> },
  ): Promise<Answer>;
  git(args: string[], cwd?: string): Promise<string>;
  /** A fresh clone of the repository in a new directory. */
  clone(fullName: string): Promise<string>;
  commit(clone: string, files: Record<string, string>, message: string): Promise<void>;
  /** Waits until `question` has an answer. */
  until<T>(what: string, question: () => Promise<T | undefined>): Promise<T>;
  /** Waits for the newest run of the repository that fits to be in `status`. */
  run(fullName: string, fits: { event?: string; status?: string; name?: string }): Promise<object>;
}

export interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
  text: string;
}

export interface WorldOptions {
  builtins?: Builtins;
  extraPath?: string[];
  concurrency?: number;
  clock?: Clock;
}

const runFile = promisify(execFile);

/** A forge with the organisation `myshop`, its admin `ada` and an empty repository `myshop/app`. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'forge-'));
  const signal = new AbortController().signal;
  const start = (port: number) =>
    startForge({
      clock: options.clock ?? clock,
      entropy,
      logger: silentLogger,
      dataDir: join(directory, 'data'),
      host: '127.0.0.1',
      port,
      gitPath: 'git',
      runner: {
        workDir: join(directory, 'work'),
        env: { PATH: process.env['PATH'] ?? '' },
        builtins: options.builtins ?? {},
        concurrency: options.concurrency ?? 2,
        extraPath: options.extraPath ?? [],
        limits: { killGraceMs: 200 },
      },
    });
  let forge = await start(0);
  forge.seed.createUser('ada', 'Ada', 'ada@example.com');
  forge.seed.createOrg('myshop', 'My shop');
  forge.seed.addMember('myshop', 'ada', 'admin');
  await forge.seed.createRepository('myshop', { name: 'app' }, signal);
  const token = forge.seed.createToken('ada', 'test');
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.com',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.com',
  };
  let clones = 0;
  const world: World = {
    get forge() {
      return forge;
    },
    directory,
    token,
    restart: async () => {
      const { port } = forge;
      await forge[Symbol.asyncDispose]();
      forge = await start(port);
    },
    api: async (method, path, { body, token: as = token, headers = {} } = {}) => {
      const response = await fetch(path.startsWith('http') ? path : `${forge.url}/api/v3${path}`, {
        method,
        headers: { ...(as === '' ? {} : { authorization: `Bearer ${as}` }), ...headers },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json') === true && text !== '';
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: isJson ? parseJson(text, 'an answer') : undefined,
      };
    },
    git: async (args, cwd = directory) => (await runFile('git', args, { cwd, env })).stdout.trim(),
    clone: async (fullName) => {
      clones += 1;
      const target = join(directory, `clone-${clones}`);
      await world.git(['clone', '-q', `${forge.url.replace('://', `://ada:${token}@`)}/${fullName}.git`, target]);
      return target;
    },
    commit: async (clone, files, message) => {
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(clone, path)), { recursive: true });
        writeFileSync(join(clone, path), content);
      }
      await world.git(['add', '-A'], clone);
      await world.git(['commit', '-q', '--allow-empty', '-m', message], clone);
    },
    until: async (what, question) => {
      for (let tries = 0; tries < 500; tries += 1) {
        const answer = await question();
        if (answer !== undefined) return answer;
        await sleep(20);
      }
      throw new Error(`never happened: ${what}`);
    },
    run: (fullName, { event, status = 'completed', name }) =>
      world.until(`a run of ${fullName} ${event ?? ''} ${status}`, async () => {
        const { body } = await world.api('GET', `/repos/${fullName}/actions/runs`);
        const found = getArray(body, 'workflow_runs').find(
          (run) =>
            (event === undefined || getString(run, 'event') === event) &&
            (name === undefined || getString(run, 'name') === name),
        );
        return typeof found === 'object' && found !== null && getString(found, 'status') === status ? found : undefined;
      }),
    [Symbol.asyncDispose]: async () => {
      await forge[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return world;
}

/** The text of all logs of a run. */
export async function logsOf(world: World, fullName: string, run: object): Promise<string> {
  const { body } = await world.api('GET', `/repos/${fullName}/actions/runs/${getNumber(run, 'id')}/jobs?filter=all`);
  const texts: string[] = [];
  for (const job of getArray(body, 'jobs')) {
    const id = getNumber(job, 'id');
    assert(id !== undefined, 'a job has an id');
    texts.push((await world.api('GET', `/repos/${fullName}/actions/jobs/${id}/logs`)).text);
  }
  return texts.join('\n');
}
