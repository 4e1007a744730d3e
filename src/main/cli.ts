import { enableCompileCache } from 'node:module';
import { userInfo } from 'node:os';
import type { CliDeps } from '#cli/deps.ts';

// Before the rest is loaded: stripping types costs a millisecond a file, once.
enableCompileCache();

const [{ runCli }, { machineProbe }, { systemClock }, { slipwayVersion }, { githubEnvironment }] = await Promise.all([
  import('#cli/cli.ts'),
  import('./doctor-probe.ts'),
  import('./system.ts'),
  import('./version.ts'),
  import('./github-environment.ts'),
]);

const stop = new AbortController();
let stoppingSince = 0;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // One request often comes twice, to the whole group and passed on by a parent; a later one will not wait any more.
    if (stop.signal.aborted && Date.now() - stoppingSince > 1_500) process.exit(130);
    if (!stop.signal.aborted) stoppingSince = Date.now();
    stop.abort();
  });
}

const deps: CliDeps = {
  version: slipwayVersion(),
  cwd: process.cwd(),
  clock: systemClock,
  settings: {
    server: process.env['SLIPWAY_SERVER'],
    token: process.env['SLIPWAY_TOKEN'],
    actor: process.env['SLIPWAY_ACTOR'] ?? userInfo().username,
    columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    color: process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined,
  },
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  probe: machineProbe(process.cwd()),
  types: async () => (await import('./type-knowledge.ts')).builtinTypeKnowledge(),
  dispatch: async ({ repository, eventType, payload }, signal) => {
    const { sendGhApi } = await import('#cli/toolbox/gh.ts');
    const body = { event_type: eventType, client_payload: payload };
    const path = `repos/${repository}/dispatches`;
    await sendGhApi({ method: 'POST', path, headers: {}, body }, githubEnvironment(process.env), signal);
  },
  openRenderer: async (options) => (await import('./render-tools.ts')).openRenderer(options),
  clusterAccess: async (options, signal) => (await import('./cluster-access.ts')).clusterAccess(options, signal),
  processes: {
    up: async (options, signal) => (await import('./up.ts')).up(options, signal),
    demo: async (options, signal) => (await import('./demo/demo.ts')).demo(options, signal),
    serve: async (options, signal) => (await import('./serve.ts')).serve(options, signal),
    cluster: async (options, signal) => (await import('./cluster.ts')).runCluster(options, signal),
    clusterKubeconfig: async (options) => (await import('./cluster.ts')).clusterKubeconfig(options),
  },
};

process.exitCode = await runCli(process.argv.slice(2), deps, stop.signal);
