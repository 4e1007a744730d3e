import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '#base/errors.ts';
import { signalGroup, startTimeOf } from './process-identity.ts';

export interface ProcessInput {
  file: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
  /** Names the process on disk, so that a later run of the agent can end it. */
  pidFile: string;
  output: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
}

export interface ProcessExit {
  exitCode: number;
  signal: number | undefined;
  /** Why it could not even be started. */
  startError: string | undefined;
}

export interface PidRecord {
  pid: number;
  startTime: string | undefined;
}

const outputDrainMs = 200;

/** One container's process group. It ends with its first process: what that leaves behind is killed. */
export class ContainerProcess {
  readonly pid: number | undefined;
  readonly exited: Promise<ProcessExit>;
  readonly #pidFile: string;
  #running = true;

  constructor(input: ProcessInput) {
    const { file, args, cwd, env, pidFile } = input;
    this.#pidFile = pidFile;
    const child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.pid = child.pid;
    // Written before anything else can happen: a process that is not on disk would outlive a killed agent.
    if (child.pid !== undefined) this.#record({ pid: child.pid, startTime: undefined });
    child.stdout?.on('data', (chunk: Buffer) => input.output('stdout', chunk));
    child.stderr?.on('data', (chunk: Buffer) => input.output('stderr', chunk));
    this.exited = this.#watch(child);
    void this.#identify();
  }

  get running(): boolean {
    return this.#running;
  }

  /** SIGTERM to the group, SIGKILL when it has not ended after `graceMs`; resolves when it has. */
  async stop(graceMs: number): Promise<ProcessExit> {
    if (this.pid === undefined || !this.#running) return this.exited;
    signalGroup(this.pid, 'SIGTERM');
    const abort = new AbortController();
    const kill = async (): Promise<void> => {
      await delay(graceMs, undefined, { signal: abort.signal, ref: false }).catch(() => undefined);
      if (!abort.signal.aborted) this.kill();
    };
    void kill();
    const exit = await this.exited;
    abort.abort();
    return exit;
  }

  kill(): void {
    if (this.pid !== undefined && this.#running) signalGroup(this.pid, 'SIGKILL');
  }

  #watch(child: ChildProcess): Promise<ProcessExit> {
    return new Promise((resolve) => {
      const finish = (exit: ProcessExit): void => {
        this.#running = false;
        if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
        rmSync(this.#pidFile, { force: true });
        resolve(exit);
      };
      child.once('error', (error) => {
        if (child.pid === undefined) finish({ exitCode: 128, signal: undefined, startError: messageOf(error) });
      });
      child.once('exit', (code, signal) => {
        const number = signal === null ? undefined : constants.signals[signal];
        const exit = { exitCode: code ?? 128 + (number ?? 0), signal: number, startError: undefined };
        // What it wrote last is still in the pipe; a grandchild may hold that open for ever.
        const closed = new Promise((done) => child.once('close', done));
        void Promise.race([closed, delay(outputDrainMs)]).then(() => finish(exit));
      });
    });
  }

  async #identify(): Promise<void> {
    if (this.pid === undefined) return;
    const startTime = await startTimeOf(this.pid);
    if (this.#running && startTime !== undefined) this.#record({ pid: this.pid, startTime });
  }

  #record(record: PidRecord): void {
    writeFileSync(this.#pidFile, JSON.stringify(record), { mode: 0o600 });
  }
}
