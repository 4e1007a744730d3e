import type { PullRequest, RunApproval, WorkflowRun } from '#forge/port.ts';
import type { CommitInfo } from '#git/port.ts';
import type { TraceLink, TraceReport, TraceStep } from './report.ts';

/** What was found out, or why it was not. */
export type Known<T> = { known: true; value: T } | { known: false; reason: string };

export interface ContainerFact {
  pod: string;
  namespace: string;
  container: string;
  image: string;
  digest: string | undefined;
  startedAt: number | undefined;
  node: string | undefined;
}

export interface ImageFact {
  reference: string;
  digest: string;
  createdAt: number | undefined;
  revision: string | undefined;
  source: string | undefined;
  version: string | undefined;
  runUrl: string | undefined;
}

export interface CommitFact {
  sha: string;
  subject: string;
  author: string;
  at: number | undefined;
  url: string | undefined;
}

export interface SyncFact {
  id: number;
  revision: string;
  deployedAt: number | undefined;
  by: string;
  durationMs: number | undefined;
  cause: string | undefined;
}

/** Everything the report is made of. */
export interface Chain {
  subject: string;
  application: string | undefined;
  container: Known<ContainerFact>;
  image: Known<ImageFact>;
  run: Known<WorkflowRun>;
  commit: Known<CommitFact>;
  pullRequest: Known<PullRequest>;
  tags: Known<string[]>;
  approvals: Known<RunApproval[]>;
  manifestCommit: Known<CommitInfo>;
  sync: Known<SyncFact>;
}

export function known<T>(value: T): Known<T> {
  return { known: true, value };
}

export function unknown(reason: string): { known: false; reason: string } {
  return { known: false, reason };
}

/** The report in the order a person reads it: from what runs, back to who wrote it, forward to who let it in. */
export function assembleTrace(chain: Chain): TraceReport {
  const steps: TraceStep[] = [
    step('container', chain.container, containerStep),
    step('image', chain.image, imageStep),
    step('workflow-run', chain.run, runStep),
    step('commit', chain.commit, commitStep),
    step('pull-request', chain.pullRequest, pullRequestStep),
    step('tag', chain.tags, (tags) => ({ title: tags.join(', '), facts: {} })),
    ...approvalSteps(chain.approvals),
    step('manifest-commit', chain.manifestCommit, manifestStep),
    step('sync', chain.sync, syncStep),
  ];
  return { subject: chain.subject, application: chain.application, steps };
}

type Found = Omit<Extract<TraceStep, { found: true }>, 'link' | 'found'>;

function step<T>(link: TraceLink, fact: Known<T>, show: (value: T) => Found): TraceStep {
  return fact.known ? { link, found: true, ...show(fact.value) } : { link, found: false, reason: fact.reason };
}

/** Facts without those that are not known. */
function facts(given: Record<string, string | number | undefined>): Record<string, string> {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(entries.map(([key, value]) => [key, String(value)]));
}

function containerStep({ pod, namespace, container, image, digest, startedAt, node }: ContainerFact): Found {
  return { title: image, at: startedAt, facts: facts({ pod: `${namespace}/${pod}`, container, digest, node }) };
}

function imageStep({ reference, digest, createdAt, revision, source, version }: ImageFact): Found {
  return { title: digest, at: createdAt, facts: facts({ reference, revision, source, version }) };
}

function runStep(run: WorkflowRun): Found {
  const { name, number, attempt, event, ref, conclusion, status, actor, createdAt, startedAt, updatedAt, url } = run;
  const over = status === 'completed' && startedAt !== undefined && updatedAt !== undefined;
  return {
    title: `${name} #${number}${attempt > 1 ? `, attempt ${attempt}` : ''}${ref === undefined ? '' : ` for ${ref}`}`,
    at: startedAt ?? createdAt,
    by: actor,
    url,
    facts: facts({ event, ref, result: conclusion ?? status, took: over ? seconds(updatedAt - startedAt) : undefined }),
  };
}

function commitStep({ sha, subject, author, at, url }: CommitFact): Found {
  return { title: `${sha.slice(0, 7)} ${subject}`, at, by: author, url, facts: facts({ sha }) };
}

function pullRequestStep({ number, title, author, mergedAt, url }: PullRequest): Found {
  return { title: `#${number} ${title}`, at: mergedAt, by: author, url, facts: {} };
}

function approvalSteps(approvals: Known<RunApproval[]>): TraceStep[] {
  if (!approvals.known) return [{ link: 'approval', found: false, reason: approvals.reason }];
  return approvals.value.map(({ user, environments, comment, at, state }) => ({
    link: 'approval',
    found: true,
    title: `${state === 'approved' ? 'environment' : `${state} for`} ${environments.join(', ') || 'unnamed'}`,
    at,
    by: user,
    facts: facts({ comment, time: at === undefined ? 'not told by the forge' : undefined }),
  }));
}

function manifestStep({ sha, subject, author, authoredAt, body }: CommitInfo): Found {
  return {
    title: `${sha.slice(0, 7)} ${subject}`,
    at: authoredAt,
    by: author.name,
    facts: facts({ sha, email: author.email, ...trailersOf(body) }),
  };
}

function syncStep({ id, revision, deployedAt, by, durationMs, cause }: SyncFact): Found {
  return {
    title: `revision ${revision.slice(0, 7)}, history ${id}`,
    at: deployedAt,
    by,
    facts: facts({ revision, took: durationMs === undefined ? undefined : seconds(durationMs), cause }),
  };
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1).replace(/\.0$/, '')} s`;
}

/** `Key: value` lines of the last paragraph, as git-interpret-trailers reads them; at most ten. */
export function trailersOf(body: string): Record<string, string> {
  const last =
    body
      .trim()
      .split(/\n\s*\n/)
      .at(-1) ?? '';
  const lines = last.split('\n').map((line) => /^([A-Za-z][A-Za-z0-9-]*): (.+)$/.exec(line));
  if (lines.length === 0 || lines.some((match) => match === null)) return {};
  return Object.fromEntries(lines.slice(0, 10).map((match) => [match?.[1] ?? '', match?.[2] ?? '']));
}
