import type { Command } from 'commander';
import type { Session } from '../session.ts';
import { registerAppCreate } from './create.ts';
import { registerAppDelete } from './delete.ts';
import { registerAppDiff } from './diff.ts';
import { registerAppGet } from './get.ts';
import { registerAppHistory } from './history.ts';
import { registerAppList } from './list.ts';
import { registerAppLogs } from './logs.ts';
import { registerAppManifests } from './manifests.ts';
import { registerAppPatch, registerAppRollback } from './patch.ts';
import { registerAppRefresh } from './refresh.ts';
import { registerAppResources } from './resources.ts';
import { registerAppSet, registerAppSources, registerAppUnset } from './set.ts';
import { registerAppSync } from './sync.ts';
import { registerAppTerminate } from './terminate.ts';
import { registerAppWait } from './wait.ts';

/** `slipway app`: with the verbs and flags of `argocd app`. */
export function registerApp(program: Command, session: Session): void {
  const app = program
    .command('app')
    .description('applications: what runs, what should run, and bringing them together');
  for (const register of [
    registerAppList,
    registerAppGet,
    registerAppCreate,
    registerAppSet,
    registerAppUnset,
    registerAppSources,
    registerAppDiff,
    registerAppSync,
    registerAppWait,
    registerAppHistory,
    registerAppRollback,
    registerAppManifests,
    registerAppResources,
    registerAppLogs,
    registerAppPatch,
    registerAppRefresh,
    registerAppTerminate,
    registerAppDelete,
  ])
    register(app, session);
}
