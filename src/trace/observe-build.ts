import { parseDigest } from '#base/digest.ts';
import { AppError, isAppError, messageOf } from '#base/errors.ts';
import type { ForgeClient, ForgeRepository, PullRequest, RunApproval, WorkflowRun } from '#forge/port.ts';
import { type GitMirrors, parseCommitSha } from '#git/port.ts';
import type { RegistryClient } from '#oci/port.ts';
import { parseReference } from '#oci/reference.ts';
import { type CommitFact, type ImageFact, type Known, known, unknown } from './chain.ts';

export interface BuildDeps {
  registry: RegistryClient;
  forge: ForgeClient | undefined;
  git: GitMirrors;
}

export interface BuildFacts {
  image: Known<ImageFact>;
  run: Known<WorkflowRun>;
  commit: Known<CommitFact>;
  pullRequest: Known<PullRequest>;
  tags: Known<string[]>;
  approvals: Known<RunApproval[]>;
}

/** From an image back to what was built, by whom. A link that fails leaves its reason and does not end the trace. */
export async function observeBuild(
  deps: BuildDeps,
  asked: { image: string | undefined; digest: string | undefined },
  signal: AbortSignal,
): Promise<BuildFacts> {
  const image = await observeImage(deps.registry, asked, signal);
  if (!image.known) {
    const without = unknown('the image could not be read');
    return { image, run: without, commit: without, pullRequest: without, tags: without, approvals: without };
  }
  const { revision, source, runUrl } = image.value;
  const repository = source === undefined ? undefined : deps.forge?.repositoryOf(source);
  const [run, commit, pullRequest, tags, approvals] = await Promise.all([
    observeRun(deps.forge, runUrl, signal),
    observeCommit(deps, { revision, source, repository }, signal),
    observePullRequest(deps.forge, { repository, revision }, signal),
    observeTags(deps.forge, { repository, revision }, signal),
    observeApprovals(deps.forge, runUrl, signal),
  ]);
  return { image, run, commit, pullRequest, tags, approvals };
}

/** Runs one observation; what goes wrong becomes the reason. Only the end of the whole request is passed on. */
export async function attempt<T>(signal: AbortSignal, observe: () => Promise<Known<T>>): Promise<Known<T>> {
  try {
    return await observe();
  } catch (error) {
    if (signal.aborted) throw error;
    if (!(error instanceof AppError)) throw error;
    return unknown(messageOf(error));
  }
}

function observeImage(
  registry: RegistryClient,
  asked: { image: string | undefined; digest: string | undefined },
  signal: AbortSignal,
): Promise<Known<ImageFact>> {
  return attempt(signal, async () => {
    if (asked.image === undefined) return unknown('the application runs no image');
    const reference = parseReference(asked.image);
    const digest = parseDigest(asked.digest ?? '') ?? reference.digest;
    const pinned = { ...reference, ...(digest === undefined ? {} : { digest }) };
    const found = await registry.image(pinned, signal).catch((error: unknown) => {
      // Some runtimes report the digest of the image's configuration, which no registry knows as a manifest.
      if (digest !== undefined && reference.tag !== undefined && isAppError(error, 'not-found'))
        return registry.image(reference, signal);
      throw error;
    });
    const labels = found.config.config.Labels ?? {};
    const createdAt = Date.parse(found.config.created ?? '');
    return known({
      reference: asked.image,
      digest: found.digest,
      createdAt: Number.isNaN(createdAt) || createdAt <= 0 ? undefined : createdAt,
      revision: labels['org.opencontainers.image.revision'],
      source: labels['org.opencontainers.image.source'],
      version: labels['org.opencontainers.image.version'],
      runUrl: labels['io.slipway.workflow-run'],
    });
  });
}

const noRevision = unknown('the image has no label org.opencontainers.image.revision');
const noForge = unknown('the repository that the image names is not on a forge that Slipway knows');
const noRunLabel = unknown('the image has no label io.slipway.workflow-run');

function observeRun(
  forge: ForgeClient | undefined,
  runUrl: string | undefined,
  signal: AbortSignal,
): Promise<Known<WorkflowRun>> {
  return attempt(signal, async () => {
    if (runUrl === undefined) return noRunLabel;
    const run = forge?.runOf(runUrl);
    return forge && run ? known(await forge.workflowRun(run.repository, run.id, signal)) : noForge;
  });
}

function observeCommit(
  { forge, git }: BuildDeps,
  named: { revision: string | undefined; source: string | undefined; repository: ForgeRepository | undefined },
  signal: AbortSignal,
): Promise<Known<CommitFact>> {
  return attempt(signal, async () => {
    const { revision, source, repository } = named;
    if (revision === undefined) return noRevision;
    if (forge && repository) {
      const { sha, message, authorName, authoredAt, url } = await forge.commit(repository, revision, signal);
      return known({ sha, subject: message.split('\n', 1)[0] ?? '', author: authorName, at: authoredAt, url });
    }
    const sha = parseCommitSha(revision);
    if (source === undefined || sha === undefined) return unknown('the image does not name its repository and commit');
    const mirror = await git.open(source, signal);
    await mirror.fetch(signal);
    const { subject, author, authoredAt } = await mirror.commitInfo(sha, signal);
    return known({ sha, subject, author: author.name, at: authoredAt, url: undefined });
  });
}

interface NamedCommit {
  repository: ForgeRepository | undefined;
  revision: string | undefined;
}

function observePullRequest(
  forge: ForgeClient | undefined,
  { repository, revision }: NamedCommit,
  signal: AbortSignal,
): Promise<Known<PullRequest>> {
  return attempt(signal, async () => {
    if (revision === undefined) return noRevision;
    if (!forge || !repository) return noForge;
    const found = await forge.pullRequestsOfCommit(repository, revision, signal).catch((error: unknown) => {
      if (isAppError(error, 'not-found')) return undefined;
      throw error;
    });
    if (found === undefined) return unknown('the forge does not tell which pull request a commit came by');
    const merged = found.find(({ mergedAt }) => mergedAt !== undefined) ?? found[0];
    return merged ? known(merged) : unknown('the commit was pushed without a pull request');
  });
}

function observeTags(
  forge: ForgeClient | undefined,
  { repository, revision }: NamedCommit,
  signal: AbortSignal,
): Promise<Known<string[]>> {
  return attempt(signal, async () => {
    if (revision === undefined) return noRevision;
    if (!forge || !repository) return noForge;
    const tags = (await forge.tags(repository, signal)).filter(({ sha }) => sha === revision);
    return tags.length > 0 ? known(tags.map(({ name }) => name)) : unknown('no tag points to this commit');
  });
}

function observeApprovals(
  forge: ForgeClient | undefined,
  runUrl: string | undefined,
  signal: AbortSignal,
): Promise<Known<RunApproval[]>> {
  return attempt(signal, async () => {
    if (runUrl === undefined) return noRunLabel;
    const run = forge?.runOf(runUrl);
    if (!forge || !run) return noForge;
    const approvals = await forge.runApprovals(run.repository, run.id, signal);
    return approvals.length > 0 ? known(approvals) : unknown('the workflow run waited for nobody');
  });
}
