import type { CommitInfo, CommitSha, GitMirror, GitMirrors } from '#git/port.ts';
import { parseCommitSha } from '#git/port.ts';
import type { Application, ApplicationSource, RevisionHistory } from '#model/argocd/application.ts';
import { type Known, known, type SyncFact, unknown } from './chain.ts';
import type { AuditLog } from './event.ts';
import { parseImageName } from './image-name.ts';
import { attempt } from './observe-build.ts';

export interface DeliveryDeps {
  git: GitMirrors;
  audit: AuditLog;
}

export interface DeliveryFacts {
  manifestCommit: Known<CommitInfo>;
  sync: Known<SyncFact>;
}

const commitsMax = 300;
const filesMax = 200;
const eventsMax = 500;

/** How the image came into the cluster: the commit that wrote its version, and the sync that brought that commit. */
export async function observeDelivery(
  deps: DeliveryDeps,
  asked: { application: Application | undefined; image: string | undefined },
  signal: AbortSignal,
): Promise<DeliveryFacts> {
  const { application, image } = asked;
  if (!application) {
    const without = unknown('it belongs to no application');
    return { manifestCommit: without, sync: without };
  }
  const named = image === undefined ? undefined : parseImageName(image);
  const version = named?.tag ?? named?.digest;
  if (version === undefined) {
    const without = unknown('the image is named without tag and digest');
    return { manifestCommit: without, sync: without };
  }
  const source = gitSourceOf(application);
  if (!source) {
    const without = unknown('the application is not rendered from Git');
    return { manifestCommit: without, sync: without };
  }
  const opened = await attempt(signal, async () => known(await deps.git.open(source.repoURL, signal)));
  if (!opened.known) return { manifestCommit: opened, sync: opened };
  const reader: VersionReader = { mirror: opened.value, paths: inputPaths(source), version };
  const entry = await attempt(signal, () => findDeployment(reader, application.status?.history ?? [], signal));
  const manifestCommit = await attempt(signal, async () => {
    if (!entry.known) return entry;
    return findWriter(reader, entry.value.sha, signal);
  });
  const sync = await attempt(signal, async () => {
    if (!entry.known) return entry;
    return known(await syncFact(deps.audit, application.metadata.name, entry.value));
  });
  return { manifestCommit, sync };
}

interface VersionReader {
  mirror: GitMirror;
  paths: string[];
  version: string;
}

function gitSourceOf({ spec }: Application): ApplicationSource | undefined {
  const sources = spec.sources ?? (spec.source ? [spec.source] : []);
  return sources.find(({ chart, path, ref }) => chart === undefined && (path !== undefined || ref === undefined));
}

/** Where the version of this environment can be written: its value files when it has some, else all of its folder. */
export function inputPaths({ path = '', helm }: ApplicationSource): string[] {
  const folder = path.replace(/^\.?\/+|\/+$/g, '').replace(/^\.$/, '');
  const files = (helm?.valueFiles ?? []).filter((file) => !file.startsWith('$') && !/^[a-z]+:\/\//.test(file));
  if (files.length === 0) return [folder];
  return files.map((file) => {
    const parts: string[] = file.startsWith('/') || folder === '' ? [] : folder.split('/');
    for (const part of file.split('/')) {
      if (part === '..') parts.pop();
      else if (part !== '' && part !== '.') parts.push(part);
    }
    return parts.join('/');
  });
}

/** The version as a word of its own: `1.4` is not found in `1.4.2`. */
export function mentions(content: string, version: string): boolean {
  const escaped = version.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?:^|[\\s"'=:@/])${escaped}(?=$|[\\s"',;}\\]])`, 'm').test(content);
}

interface Deployed {
  entry: RevisionHistory;
  sha: CommitSha;
}

/**
 * The sync that brought the version: of the newest run of history entries at which Git had it, the oldest one. An entry
 * after which Git had another version ends the run, so a version that came back counts from its return.
 */
async function findDeployment(
  reader: VersionReader,
  history: RevisionHistory[],
  signal: AbortSignal,
): Promise<Known<Deployed>> {
  let found: Deployed | undefined;
  for (const entry of history.toReversed()) {
    const sha = parseCommitSha(entry.revision ?? entry.revisions?.[0] ?? '');
    const has = sha !== undefined && (await hasVersion(reader, sha, signal));
    if (has && sha !== undefined) found = { entry, sha };
    else if (found) break;
  }
  if (found) return known(found);
  return unknown(
    history.length === 0
      ? 'the application was never synced'
      : `${reader.version} is not written in ${reader.paths.join(', ')} at any revision of its history`,
  );
}

async function hasVersion(
  { mirror, paths, version }: VersionReader,
  sha: CommitSha,
  signal: AbortSignal,
): Promise<boolean> {
  for (const path of paths) {
    if ((await mirror.objectId(sha, path, signal)) === undefined) continue;
    const files = (await mirror.listFiles(sha, path, signal)).filter(({ type }) => type === 'blob');
    for (const { oid } of files.slice(0, filesMax))
      if (mentions((await mirror.readBlob(oid, signal)).toString('utf8'), version)) return true;
  }
  return false;
}

/** The newest commit that has the version where its first parent has not. */
async function findWriter(reader: VersionReader, from: CommitSha, signal: AbortSignal): Promise<Known<CommitInfo>> {
  const { mirror, paths, version } = reader;
  const commits = await mirror.log({ from, paths: paths.filter((path) => path !== ''), limit: commitsMax }, signal);
  for (const commit of commits) {
    if (!(await hasVersion(reader, commit.sha, signal))) continue;
    const [parent] = commit.parents;
    if (parent === undefined || !(await hasVersion(reader, parent, signal))) return known(commit);
  }
  return unknown(`none of the last ${commitsMax} commits to ${paths.join(', ')} wrote ${version}`);
}

async function syncFact(audit: AuditLog, application: string, { entry, sha }: Deployed): Promise<SyncFact> {
  const events = await audit.query({ application, kind: 'sync-succeeded', limit: eventsMax });
  const deployedAt = Date.parse(entry.deployedAt);
  // Times in the history have whole seconds, and the event is noted just after.
  const event = events
    .filter(({ commit }) => commit === sha)
    .toSorted((a, b) => Math.abs(a.at - deployedAt) - Math.abs(b.at - deployedAt))[0];
  const by = entry.initiatedBy;
  return {
    id: entry.id,
    revision: sha,
    deployedAt: Number.isNaN(deployedAt) ? undefined : deployedAt,
    by: by?.username ?? (by?.automated ? 'automated sync' : (event?.actor.name ?? 'unknown')),
    durationMs: event?.durationMs,
    cause: event?.cause,
  };
}
