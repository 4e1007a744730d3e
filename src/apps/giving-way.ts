import type { Application, OperationState } from '#model/argocd/application.ts';
import { keyText, resourceKeyOf } from '#sync/identity.ts';
import type { SyncTask } from '#sync/task.ts';
import type { Target } from './target.ts';

/** How long an object has the time to become healthy before a newer commit may take its place. */
export const givesWayAfterMs = 30_000;

export interface GivingWayInput {
  application: Application;
  state: OperationState;
  /** What the operation waits for. */
  waitingFor: readonly SyncTask[];
  /** What Git wants now, at the target revision. */
  newest: Pick<Target, 'resources' | 'revisions'>;
  now: number;
}

/**
 * The object for whose sake a running automatic sync ends before it is through: it waits for the object to become
 * healthy, and a newer commit changes or removes that very object, so that waiting on can only delay the cure. Hooks are
 * never left alone, and syncs that a person asked for never give way.
 */
export function givesWayTo(input: GivingWayInput): SyncTask | undefined {
  const { application, state, waitingFor, newest, now } = input;
  const automated = application.spec.syncPolicy?.automated;
  if (!automated || automated.enabled === false || state.operation.initiatedBy?.automated !== true) return undefined;
  if (state.phase !== 'Running' || now - Date.parse(state.startedAt) < givesWayAfterMs) return undefined;
  if (waitingFor.length === 0 || waitingFor.some((task) => task.hook)) return undefined;
  const { revision, revisions } = state.syncResult ?? {};
  const synced = revisions && revisions.length > 0 ? revisions : [revision ?? ''];
  if (newest.revisions.every((commit, at) => commit === synced[at])) return undefined;
  const wanted = new Map(newest.resources.map(({ object, digest }) => [keyText(resourceKeyOf(object)), digest]));
  return waitingFor.find((task) => task.digest !== undefined && wanted.get(keyText(task.key)) !== task.digest);
}
