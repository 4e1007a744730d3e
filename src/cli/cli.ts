import { Command, CommanderError } from 'commander';
import { AppError, errorTable, explain, isAppError } from '#base/errors.ts';
import { registerAccount } from './account.ts';
import { registerApp } from './app/app.ts';
import { registerAppset } from './appset.ts';
import { registerBump } from './bump.ts';
import { registerCluster } from './cluster.ts';
import type { CliDeps } from './deps.ts';
import { registerDiff } from './diff.ts';
import { registerDispatch } from './dispatch.ts';
import { registerDoctor } from './doctor/doctor.ts';
import { registerEvents } from './events.ts';
import { registerHealth } from './health.ts';
import { registerProcesses } from './processes.ts';
import { registerProj } from './proj/proj.ts';
import { registerRender } from './render/render.ts';
import { registerRepo } from './repo.ts';
import { registerRollback } from './rollback.ts';
import { Session } from './session.ts';
import { withPlainSwitches } from './switches.ts';
import { registerTrace } from './trace.ts';
import { registerWhy } from './why.ts';

/** Runs one command line (without the program's name) and resolves with the exit code; nothing else ends the process. */
export async function runCli(args: string[], deps: CliDeps, signal: AbortSignal): Promise<number> {
  const session = new Session(deps, signal);
  const program = buildProgram(deps, session);
  try {
    await program.parseAsync(withPlainSwitches(program, args), { from: 'user' });
    return session.exit;
  } catch (error) {
    const argocd = speaksArgocd(args);
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? 0 : argocd ? argocdExit.usage : errorTable['bad-input'].exit;
    const shown = signal.aborted ? new AppError('canceled', 'stopped') : error;
    deps.err(`${explain(shown)}\n`);
    if (!isAppError(shown)) return 1;
    return argocd && shown.code !== 'canceled' ? argocdExit.failure : errorTable[shown.code].exit;
  }
}

/** What `argocd` exits with when it is used wrongly, and when the server refuses or cannot be reached. */
const argocdExit = { usage: 1, failure: 20 } as const;
const argocdGroups = ['app', 'appset', 'proj', 'repo', 'repocreds', 'account'];
const clusterVerbs = ['list', 'get', 'add', 'set', 'rm'];

/** Whether a command line is one of `argocd`'s, whose exit codes scripts rely on. */
function speaksArgocd(args: readonly string[]): boolean {
  const words = args.filter((arg, at) => !arg.startsWith('-') && !['--server', '--token'].includes(args[at - 1] ?? ''));
  const [group = '', verb = ''] = words;
  return argocdGroups.includes(group) || (group === 'cluster' && clusterVerbs.includes(verb));
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
  registerApp(program, session);
  for (const register of [
    registerAppset,
    registerProj,
    registerRepo,
    registerAccount,
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
