/** What `slipway doctor` asks of the machine; `src/main` answers. Every answer is a value, nothing throws. */
export interface DoctorProbe {
  /** The program as Slipway would run it, with the first line of its version output. */
  program(name: ProgramName, signal: AbortSignal): Promise<{ path: string; version: string } | undefined>;
  nodeVersion(): string;
  dataDirectory(): Promise<{ path: string; exists: boolean; problem: string | undefined }>;
  /** The running server that the command line would talk to. */
  server(signal: AbortSignal): Promise<{ url: string; version: string } | { url: string | undefined; problem: string }>;
  cluster(
    signal: AbortSignal,
  ): Promise<{ server: string; version: string } | { server: string | undefined; problem: string }>;
  /** The ports this data directory uses, and which program-less state they are in. */
  ports(): Promise<{ name: string; port: number; state: 'free' | 'ours' | 'taken' }[]>;
}

export type ProgramName = 'git' | 'helm' | 'kubectl' | 'docker' | 'buildah';

export interface Check {
  name: string;
  why: string;
  state: 'ok' | 'missing' | 'bad' | 'optional';
  found: string;
  todo: string | undefined;
}

type Verdict = Omit<Check, 'name' | 'why'>;

interface CheckSpec {
  name: string;
  why: string;
  run: (probe: DoctorProbe, signal: AbortSignal) => Promise<Verdict>;
}

const nodeMajor = 24;

export const checks: CheckSpec[] = [
  {
    name: 'node',
    why: 'runs Slipway itself, from its TypeScript',
    run: async (probe) => {
      const version = probe.nodeVersion();
      const major = Number(/^v?(\d+)/.exec(version)?.[1]);
      return major >= nodeMajor
        ? { state: 'ok', found: version, todo: undefined }
        : { state: 'bad', found: version, todo: `use Node ${nodeMajor} or newer: npm run setup brings its own` };
    },
  },
  program('git', 'reads and writes the desired state', 'install git 2.30 or newer'),
  program('helm', 'renders charts', 'npm run setup brings one, or install helm 3.8 or newer'),
  program('kubectl', 'builds kustomizations, and is how you look at the cluster', 'npm run setup brings one'),
  program('docker', 'builds Dockerfiles that have RUN instructions', undefined),
  program('buildah', 'builds Dockerfiles that have RUN instructions, without a daemon', undefined),
  {
    name: 'data directory',
    why: 'keeps history, caches and the laptop cluster',
    run: async (probe) => {
      const { path, exists, problem } = await probe.dataDirectory();
      if (problem !== undefined)
        return {
          state: 'bad',
          found: `${path}: ${problem}`,
          todo: 'move it away: a new one is made, Git and clusters keep the truth',
        };
      return { state: 'ok', found: exists ? path : `${path} (not made yet)`, todo: undefined };
    },
  },
  {
    name: 'ports',
    why: 'the laptop servers listen on them',
    run: async (probe) => {
      const ports = await probe.ports();
      if (ports.length === 0) return { state: 'ok', found: 'chosen at the first start', todo: undefined };
      const taken = ports.filter(({ state }) => state === 'taken');
      const found = ports.map(({ name, port, state }) => `${name} ${port} ${state}`).join(', ');
      return taken.length === 0
        ? { state: 'ok', found, todo: undefined }
        : { state: 'bad', found, todo: `end the program that uses port ${taken.map(({ port }) => port).join(', ')}` };
    },
  },
  {
    name: 'server',
    why: 'answers the other commands and the page',
    run: async (probe, signal) => {
      const answer = await probe.server(signal);
      if ('version' in answer) return { state: 'ok', found: `${answer.url} ${answer.version}`, todo: undefined };
      return { state: 'optional', found: answer.problem, todo: 'npm start, or slipway serve --kubeconfig FILE' };
    },
  },
  {
    name: 'cluster',
    why: 'holds the live state and the Application objects',
    run: async (probe, signal) => {
      const answer = await probe.cluster(signal);
      if ('version' in answer) return { state: 'ok', found: `${answer.server} ${answer.version}`, todo: undefined };
      const found = answer.server === undefined ? answer.problem : `${answer.server}: ${answer.problem}`;
      return answer.server === undefined
        ? { state: 'optional', found, todo: 'npm start brings one, slipway cluster one without the rest' }
        : { state: 'bad', found, todo: 'is it running, and is the kubeconfig the right one?' };
    },
  },
];

function program(name: ProgramName, why: string, todo: string | undefined): CheckSpec {
  return {
    name,
    why,
    run: async (probe, signal) => {
      const found = await probe.program(name, signal);
      if (found) return { state: 'ok', found: `${found.path} ${found.version}`, todo: undefined };
      return { state: todo === undefined ? 'optional' : 'missing', found: 'not found', todo };
    },
  };
}

/** All checks, each answered. */
export async function runChecks(probe: DoctorProbe, signal: AbortSignal): Promise<Check[]> {
  return Promise.all(
    checks.map(async ({ name, why, run }) => {
      const verdict = await run(probe, signal);
      return { name, why, ...verdict };
    }),
  );
}
