// The npm scripts' entry: sets up what is missing, then hands over to the project's own Node 24.
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { fail, nodeEnvironment, pinnedNode, root } from './node.mjs';
import { setup } from './setup.mjs';

const [command, ...args] = process.argv.slice(2);

const testArgs = ['--test', '--test-isolation=none', '--test-force-exit'];
const testFiles = ['src/**/*.test.ts', 'tools/**/*.test.ts', 'test/**/*.test.ts'];

const commands = {
  demo: ['src/main/cli.ts', 'demo', ...args],
  up: ['src/main/cli.ts', 'up', ...args],
  slipway: ['src/main/cli.ts', ...args],
  test: args.length > 0 ? [...testArgs, ...args] : [...testArgs, ...testFiles],
  check: ['tools/check.ts', ...args],
  bench: ['bench/gitops/run.ts', ...args],
  'bench-drydock': ['bench/drydock/run.ts', ...args],
  kill: [...testArgs, 'test/world/kill.test.ts'],
  faults: [...testArgs, 'test/engine/faults.test.ts'],
  cluster: [...testArgs, 'test/cluster/suite.test.ts'],
  kubernetes: [...testArgs, 'test/kubernetes/suite.test.ts'],
  'kubernetes-long': [...testArgs, 'src/drydock/kubernetes/**/*property.test.ts'],
  clients: ['tools/clients.ts', ...args],
  fidelity: ['tools/fidelity.ts'],
};

/** What a suite was asked for, as its tests read it: another cluster, and some parts only. */
function suiteSettings(part, variable) {
  const { values } = parseArgs({ args, options: { kubeconfig: { type: 'string' }, [part]: { type: 'string' } } });
  return {
    ...(values.kubeconfig ? { SLIPWAY_TEST_KUBECONFIG: values.kubeconfig } : {}),
    ...(values[part] ? { [variable]: values[part] } : {}),
  };
}

const settings = {
  kill: () => ({ SLIPWAY_KILL_ROUNDS: process.env.SLIPWAY_KILL_ROUNDS ?? '20' }),
  faults: () => ({ SLIPWAY_FAULTS: 'all' }),
  cluster: () => ({ SLIPWAY_TEST_SUBJECTS: 'all', ...suiteSettings('subjects', 'SLIPWAY_TEST_SUBJECTS') }),
  kubernetes: () => suiteSettings('areas', 'SLIPWAY_TEST_AREAS'),
  'kubernetes-long': () => ({ SLIPWAY_PROPERTY_SEEDS: process.env.SLIPWAY_PROPERTY_SEEDS ?? '40' }),
};

const nodeArgs = Object.hasOwn(commands, command ?? '') ? commands[command] : undefined;
if (!nodeArgs) fail(`unknown command ${command ?? '(none)'}`, `one of: ${Object.keys(commands).join(', ')}`);

await setup();
const env = { ...nodeEnvironment(), ...(Object.hasOwn(settings, command) ? settings[command]() : {}) };
const child = spawn(pinnedNode(), nodeArgs, { cwd: root, stdio: 'inherit', env });
// A terminal sends Ctrl-C to the whole group: the child ends itself, this only waits and passes on what was sent to it alone.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
child.on('error', (error) => fail(`Node could not be started: ${error.message}`, 'run npm run setup'));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
});
