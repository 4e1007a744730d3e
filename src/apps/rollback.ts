import { AppError } from '#base/errors.ts';
import type { CommitInfo, CommitSha, FileChanges, GitMirror } from '#git/port.ts';
import { parseCommitSha } from '#git/port.ts';
import type { Application } from '#model/argocd/application.ts';
import { isInput, type RenderInputs } from '#render/port.ts';
import type { Actor } from '#trace/event.ts';
import type { RollbackResult } from './port.ts';

export interface RollbackRequest {
  application: Application;
  mirror: GitMirror;
  /** Branch that the application follows; undefined when it follows a tag or a commit. */
  targetRevision: string;
  /** The files that it is rendered from. */
  inputs: Pick<RenderInputs, 'paths' | 'unread'>;
  /** History id to go back to; undefined for the newest change alone. */
  to: number | undefined;
  actor: Actor;
}

const maxCommits = 500;
const identity = { name: 'Slipway', email: 'slipway@localhost' };

function trailer(request: RollbackRequest): string {
  return `Rolled-back-application: ${request.application.metadata.name}\nRolled-back-by: ${request.actor.name}`;
}

async function branchOf(request: RollbackRequest, signal: AbortSignal): Promise<string> {
  const { mirror, targetRevision } = request;
  const name = targetRevision.replace(/^refs\/heads\//, '');
  if (name === '' || name === 'HEAD') return await mirror.defaultBranch(signal);
  if (parseCommitSha(name) || name.startsWith('refs/'))
    throw new AppError(
      'unsupported',
      `application ${request.application.metadata.name} follows ${name}, which is no branch: there is nothing to revert on`,
      {
        hint: 'set spec.source.targetRevision to the earlier commit or tag',
      },
    );
  return name;
}

/** Files of the application that a commit changed. */
async function ownChanges(request: RollbackRequest, commit: CommitInfo, signal: AbortSignal): Promise<string[]> {
  const [parent] = commit.parents;
  if (!parent) return [];
  const changed = await request.mirror.changedPaths(parent, commit.sha, signal);
  return changed.filter((path) => isInput(request.inputs, path));
}

async function revertNewest(request: RollbackRequest, branch: string, signal: AbortSignal): Promise<RollbackResult> {
  const { mirror, inputs, application, actor } = request;
  const head = await mirror.resolve(branch, signal);
  for (const commit of await mirror.log({ from: head, paths: inputs.paths, limit: maxCommits }, signal)) {
    const paths = await ownChanges(request, commit, signal);
    if (paths.length === 0) continue;
    const author = { ...identity, name: actor.name };
    const revert = { branch, commit: commit.sha, paths, author, trailer: trailer(request) };
    return { commit: await mirror.revert(revert, signal), reverted: commit.sha, message: `Revert "${commit.subject}"` };
  }
  throw new AppError('not-found', `no commit on ${branch} changed what ${application.metadata.name} is rendered from`, {
    hint: 'there is no earlier state to go back to',
  });
}

/** What turns the application's files of `from` into those of `to`. */
async function restoring(
  request: RollbackRequest,
  from: CommitSha,
  to: CommitSha,
  signal: AbortSignal,
): Promise<FileChanges> {
  const { mirror, inputs } = request;
  const changes: FileChanges = new Map();
  for (const path of await mirror.changedPaths(from, to, signal))
    if (isInput(inputs, path)) changes.set(path, (await mirror.readFile(to, path, signal)) ?? null);
  return changes;
}

async function restore(
  request: RollbackRequest,
  branch: string,
  id: number,
  signal: AbortSignal,
): Promise<RollbackResult> {
  const { mirror, application, actor } = request;
  const history = application.status?.history ?? [];
  const entry = history.find((item) => item.id === id);
  const wanted = parseCommitSha(entry?.revision ?? entry?.revisions?.[0] ?? '');
  if (!wanted)
    throw new AppError('not-found', `application ${application.metadata.name} has no history entry ${id}`, {
      hint: `it has ${history.map((item) => item.id).join(', ') || 'none'}`,
    });
  const head = await mirror.resolve(branch, signal);
  const since = { from: head, paths: request.inputs.paths, limit: maxCommits, notReachableFrom: wanted };
  const undone: CommitInfo[] = [];
  for (const commit of await mirror.log(since, signal))
    if ((await ownChanges(request, commit, signal)).length > 0) undone.push(commit);
  const subject = `Roll back ${application.metadata.name} to ${wanted.slice(0, 7)}`;
  const list = undone.map((commit) => `This reverts commit ${commit.sha}.`).join('\n');
  const commit = await mirror.commit(
    {
      branch,
      message: `${subject}\n\n${list}\n\n${trailer(request)}\n`,
      author: { ...identity, name: actor.name },
      change: async (parent) => await restoring(request, parent, wanted, signal),
    },
    signal,
  );
  if (!commit)
    throw new AppError(
      'bad-input',
      `application ${application.metadata.name} is at the state of history entry ${id} already`,
      { hint: 'choose an earlier entry' },
    );
  return { commit, reverted: undone.map(({ sha }) => sha).join(','), message: subject };
}

/**
 * Undoes, in Git and only in the application's own files, its newest change or all changes since a history entry. The
 * commit names who asked for it.
 */
export async function rollBack(request: RollbackRequest, signal: AbortSignal): Promise<RollbackResult> {
  await request.mirror.fetch(signal);
  const branch = await branchOf(request, signal);
  return request.to === undefined
    ? await revertNewest(request, branch, signal)
    : await restore(request, branch, request.to, signal);
}
