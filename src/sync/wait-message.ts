import type { SyncTask } from './task.ts';

/** How operation messages name an object: `apps/Deployment/web`, and `/Pod/web` for the core group. */
function named(task: SyncTask): string {
  return `${task.key.group}/${task.key.kind}/${task.key.name}`;
}

function andMore(first: string, tasks: readonly SyncTask[]): string {
  if (tasks.length <= 1) return first;
  const allHooks = tasks.every((task) => task.hook);
  return `${first} and ${tasks.length - 1} more ${allHooks ? 'hooks' : 'resources'}`;
}

function firstOf(tasks: readonly SyncTask[]): SyncTask | undefined {
  return tasks.find((task) => task.hook) ?? tasks[0];
}

/** What a running sync waits for, in Argo CD's words; a hook is named before anything else. */
export function waitMessage(tasks: readonly SyncTask[]): string {
  const first = firstOf(tasks);
  if (!first) return '';
  return `waiting for ${first.hook ? 'completion of hook' : 'healthy state of'} ${andMore(named(first), tasks)}`;
}

export function deletionMessage(tasks: readonly SyncTask[]): string {
  const first = firstOf(tasks);
  if (!first) return '';
  return `waiting for deletion of${first.hook ? ' hook' : ''} ${andMore(named(first), tasks)}`;
}

export function confirmationMessage(tasks: readonly SyncTask[]): string {
  const [first] = tasks;
  return first ? `waiting for pruning confirmation of ${andMore(named(first), tasks)}` : '';
}

export function missingMessage(task: SyncTask): string {
  return `Resource ${named(task)} is missing, it might have been deleted`;
}
