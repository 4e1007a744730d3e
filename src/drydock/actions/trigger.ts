import { matchesPatterns } from './filter-pattern.ts';
import type { EventFilter } from './workflow.ts';

/** An event of the forge as triggers look at it. */
export interface TriggerEvent {
  name: string;
  /** Activity type, such as `opened`, or the event type of a repository_dispatch. */
  action: string | undefined;
  /** `refs/heads/x` or `refs/tags/x` of a push; `refs/heads/<base>` of a pull request. */
  ref: string | undefined;
  /** Files the push or pull request changed; undefined when there is no base to compare with. */
  changedPaths: string[] | undefined;
}

const defaultTypes: Record<string, string[]> = {
  pull_request: ['opened', 'synchronize', 'reopened'],
  pull_request_target: ['opened', 'synchronize', 'reopened'],
};

/** Whether a workflow with these triggers starts for the event. */
export function isTriggered(on: Record<string, EventFilter>, event: TriggerEvent): boolean {
  const filter = on[event.name];
  if (filter === undefined) return false;
  const types = filter.types ?? defaultTypes[event.name];
  if (types !== undefined && (event.action === undefined || !types.includes(event.action))) return false;
  return refMatches(filter, event.ref) && pathsMatch(filter, event.changedPaths);
}

function refMatches(filter: EventFilter, ref: string | undefined): boolean {
  const { branches, tags } = filter;
  const branchesIgnore = filter['branches-ignore'];
  const tagsIgnore = filter['tags-ignore'];
  const namesBranches = branches !== undefined || branchesIgnore !== undefined;
  const namesTags = tags !== undefined || tagsIgnore !== undefined;
  if (!namesBranches && !namesTags) return true;
  if (ref?.startsWith('refs/heads/')) {
    if (!namesBranches) return false;
    const name = ref.slice('refs/heads/'.length);
    return branches !== undefined ? matchesPatterns(branches, name) : !matchesPatterns(branchesIgnore ?? [], name);
  }
  if (ref?.startsWith('refs/tags/')) {
    if (!namesTags) return false;
    const name = ref.slice('refs/tags/'.length);
    return tags !== undefined ? matchesPatterns(tags, name) : !matchesPatterns(tagsIgnore ?? [], name);
  }
  return true;
}

/** Path filters are not evaluated for pushes of tags, nor when the changes are unknown. */
function pathsMatch(filter: EventFilter, changed: string[] | undefined): boolean {
  const ignored = filter['paths-ignore'];
  if (changed === undefined || (filter.paths === undefined && ignored === undefined)) return true;
  if (filter.paths !== undefined) return changed.some((path) => matchesPatterns(filter.paths ?? [], path));
  return changed.some((path) => !matchesPatterns(ignored ?? [], path));
}

const skipMarks = ['[skip ci]', '[ci skip]', '[no ci]', '[skip actions]', '[actions skip]'];

/** Whether a head commit's message asks for no push and pull_request workflows. */
export function asksToSkip(message: string): boolean {
  return skipMarks.some((mark) => message.includes(mark)) || /\n\nskip-checks:\s*true\s*$/.test(message);
}
