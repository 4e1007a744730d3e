import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface Ran {
  code: number;
  out: string;
  err: string;
}

export interface ProgramPaths {
  kubectl: string | undefined;
  helm: string | undefined;
  kubeconfig: string;
  /** Beside what every program gets. */
  env?: Record<string, string>;
}

const endsMs = 60_000;

/** The client programs, each run with a home directory of their own, so that no cache or setting of the machine is read. */
export class Programs implements Disposable {
  readonly #paths: ProgramPaths;
  readonly #home = mkdtempSync(join(tmpdir(), 'kubernetes-suite-'));

  constructor(paths: ProgramPaths) {
    this.#paths = paths;
  }

  get kubeconfig(): string {
    return this.#paths.kubeconfig;
  }

  kubectl(args: readonly string[], input = ''): Promise<Ran> {
    return this.#run(this.#paths.kubectl, args, input);
  }

  helm(args: readonly string[], input = ''): Promise<Ran> {
    return this.#run(this.#paths.helm, args, input);
  }

  /** A file below the programs' directory, with its folders; the path. */
  file(name: string, text: string): string {
    const path = join(this.#home, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.#home, { recursive: true, force: true });
  }

  #run(program: string | undefined, args: readonly string[], input: string): Promise<Ran> {
    if (program === undefined) return Promise.reject(new Error('the program was not found'));
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: this.#home,
      KUBECONFIG: this.#paths.kubeconfig,
      KUBECACHEDIR: join(this.#home, 'cache'),
      KUBECTL_KUBERC: 'false',
      ...this.#paths.env,
    };
    return new Promise((resolve) => {
      const options = { env, cwd: this.#home, timeout: endsMs, maxBuffer: 64 << 20 };
      const child = execFile(program, [...args], options, (error, out, err) => {
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, out, err });
      });
      // A program that does not read its input has ended before; its exit code tells.
      child.stdin?.on('error', () => {});
      child.stdin?.end(input);
    });
  }
}
