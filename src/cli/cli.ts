import { Command, CommanderError } from 'commander';
import { AppError, errorTable, explain, isAppError } from '#base/errors.ts';
import { registerAppDiff } from './app/diff.ts';
import { registerAppGet } from './app/get.ts';
import { registerAppHistory } from './app/history.ts';
import { registerAppList } from './app/list.ts';
import { registerAppManifests } from './app/manifests.ts';
import { registerAppRefresh } from './app/refresh.ts';
import { registerAppSync } from './app/sync.ts';
import { registerAppTerminate } from './app/terminate.ts';
import { registerAppWait } from './app/wait.ts';
import { registerBump } from './bump.ts';
import { registerCluster } from './cluster.ts';
import type { CliDeps } from './deps.ts';
import { registerDiff } from './diff.ts';
import { registerDispatch } from './dispatch.ts';
import { registerDoctor } from './doctor/doctor.ts';
import { registerEvents } from './events.ts';
import { registerHealth } from './health.ts';
import { registerProcesses } from './processes.ts';
import { registerRender } from './render/render.ts';
import { registerRollback } from './rollback.ts';
import { Session } from './session.ts';
import { registerTrace } from './trace.ts';
import { registerWhy } from './why.ts';

/** Runs one command line (without the program's name) and resolves with the exit code; nothing else ends the process. */
export async function runCli(args: string[], deps: CliDeps, signal: AbortSignal): Promise<number> {
  const session = new Session(deps, signal);
  const program = buildProgram(deps, session);
  try {
    await program.parseAsync(args, { from: 'user' });
    return session.exit;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : errorTable['bad-input'].exit;
    const shown = signal.aborted ? new AppError('canceled', 'stopped') : error;
    deps.err(`${explain(shown)}\n`);
    return isAppError(shown) ? errorTable[shown.code].exit : 1;
  }
}

export function buildProgram(deps: CliDeps, session: Session): Command {
  const program = new Command('slipway')
    .description('GitOps delivery in one process: from commit to production, and it stays there.')
    .version(deps.version, '--version', 'print the version')
    .helpCommand(false)
    .showHelpAfterError('(add --help to see what there is)')
    .configureOutput({ writeOut: deps.out, writeErr: deps.err })
    .exitOverride()
    .option('--server <url>', 'address of the Slipway server (else SLIPWAY_SERVER, else .slipway/server.json)')
    .option('--token <token>', 'token for it (else SLIPWAY_TOKEN, else .slipway/server.json)');
  program.hook('preAction', (command) => session.configure(command.opts()));

  registerProcesses(program, session);
  registerCluster(program, session);
  const app = program
    .command('app')
    .description('applications: what runs, what should run, and bringing them together');
  for (const register of [
    registerAppList,
    registerAppGet,
    registerAppDiff,
    registerAppSync,
    registerAppWait,
    registerAppHistory,
    registerAppManifests,
    registerAppRefresh,
    registerAppTerminate,
  ])
    register(app, session);
  for (const register of [
    registerRender,
    registerRollback,
    registerTrace,
    registerWhy,
    registerEvents,
    registerBump,
    registerDiff,
    registerHealth,
    registerDispatch,
    registerDoctor,
  ])
    register(program, session);
  return program;
}
