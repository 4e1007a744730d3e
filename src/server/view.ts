import type { Application, RevisionHistory } from '#model/argocd/application.ts';
import { mainImage, parseImageName, versionOf } from '#trace/image-name.ts';
import { compareEnvironments, placeOf } from '#trace/place.ts';
import type { ApplicationView, Deployment, Hint, Matrix } from './contract.ts';

/** What the Application object does not say by itself. */
export interface Outlook {
  /** Images that Git wants, when they were looked up. */
  desiredImages: string[] | undefined;
  drift: boolean;
}

const historyShown = 20;

/** The whole of what a face shows of an application; pure. */
export function viewApplication(application: Application, outlook: Outlook): ApplicationView {
  const { metadata, spec, status = {} } = application;
  const { service, environment } = placeOf(application);
  const images = status.summary?.images ?? [];
  const image = mainImage(images, service);
  const version = image === undefined ? undefined : versionOf(image);
  const source = spec.sources?.find((candidate) => candidate.ref === undefined) ?? spec.sources?.[0] ?? spec.source;
  const history = (status.history ?? []).toReversed().slice(0, historyShown).map(viewDeployment);
  const resources = status.resources ?? [];
  const sync = status.sync?.status ?? 'Unknown';
  const desired = mainImage(outlook.desiredImages ?? [], service);
  const desiredVersion = desired === undefined ? undefined : versionOf(desired);
  const pendingVersion = sync === 'OutOfSync' && desiredVersion !== version ? desiredVersion : undefined;
  const drift = sync === 'OutOfSync' && pendingVersion === undefined && (outlook.drift || isDrift(application));
  return {
    name: metadata.name,
    namespace: spec.destination.namespace,
    project: spec.project,
    service,
    environment,
    appOfApps: status.summary?.isAppOfApps ?? resources.some((resource) => resource.kind === 'Application'),
    automated: isAutomated(application),
    sync,
    health: { status: status.health?.status ?? 'Unknown', message: status.health?.message },
    version,
    image,
    digest: image === undefined ? undefined : parseImageName(image).digest,
    images,
    pendingVersion,
    drift,
    revision: status.sync?.revision ?? status.sync?.revisions?.[0],
    source: source && {
      repository: source.repoURL,
      path: source.path ?? source.chart,
      targetRevision: source.targetRevision,
    },
    deployed: history[0],
    history,
    operation: viewOperation(application),
    conditions: (status.conditions ?? []).map(({ type, message }) => ({ type, message })),
    resources: {
      total: resources.length,
      outOfSync: resources.filter((resource) => resource.status === 'OutOfSync').length,
      unhealthy: resources.filter((resource) => resource.health && resource.health.status !== 'Healthy').length,
    },
    hint: decideHint(application, { pendingVersion, drift }),
  };
}

export function isAutomated(application: Application): boolean {
  const automated = application.spec.syncPolicy?.automated;
  return automated !== undefined && automated.enabled !== false;
}

function viewDeployment(entry: RevisionHistory): Deployment {
  const automated = entry.initiatedBy?.automated ?? false;
  return {
    id: entry.id,
    revision: entry.revision ?? entry.revisions?.[0],
    at: entry.deployedAt,
    by: entry.initiatedBy?.username ?? (automated ? 'auto-sync' : 'unknown'),
    automated,
  };
}

function viewOperation(application: Application): ApplicationView['operation'] {
  const state = application.status?.operationState;
  if (!state) return undefined;
  const { phase, message, startedAt, finishedAt, operation } = state;
  const by = operation.initiatedBy?.username ?? (operation.initiatedBy?.automated ? 'auto-sync' : 'unknown');
  return { phase, message, startedAt, finishedAt, by };
}

/** Out of sync at the very revision that was deployed last: Git did not move, so the cluster did. */
function isDrift(application: Application): boolean {
  const revision = application.status?.sync?.revision;
  const last = application.status?.history?.at(-1);
  return revision !== undefined && last?.revision === revision;
}

/** The one thing to say about an application that is not simply fine, the most urgent first. */
export function decideHint(
  application: Application,
  known: { pendingVersion: string | undefined; drift: boolean },
): Hint | undefined {
  const { status = {}, metadata } = application;
  const state = status.operationState;
  if (metadata.deletionTimestamp !== undefined) return { kind: 'working', text: 'being deleted' };
  if (state?.phase === 'Running' || application.operation) return { kind: 'working', text: 'syncing' };
  const broken = status.conditions?.find(({ type }) => type.endsWith('Error'));
  if (broken) return { kind: 'failed', text: firstLine(broken.message) };
  const outOfSync = status.sync?.status === 'OutOfSync';
  if (outOfSync && (state?.phase === 'Failed' || state?.phase === 'Error'))
    return { kind: 'failed', text: firstLine(state.message ?? 'the last sync failed') };
  if (outOfSync && known.drift) return { kind: 'drift', text: 'changed by hand in the cluster' };
  if (outOfSync && isAutomated(application)) return { kind: 'working', text: 'a sync is due' };
  if (outOfSync && known.pendingVersion !== undefined)
    return { kind: 'waiting', text: `${known.pendingVersion} waits for a sync` };
  if (outOfSync) return { kind: 'waiting', text: 'changes wait for a sync' };
  const health = status.health;
  if (health?.status === 'Degraded') return { kind: 'failed', text: firstLine(health.message ?? 'degraded') };
  if (health?.status === 'Progressing') return { kind: 'working', text: firstLine(health.message ?? 'rolling out') };
  return undefined;
}

function firstLine(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}

/** Services down, environments across in the order towards production. Applications without an image stay out. */
export function buildMatrix(applications: ApplicationView[]): Matrix {
  const shown = applications.filter((view) => !view.appOfApps);
  const environments = [...new Set(shown.map((view) => view.environment ?? '-'))].sort(compareEnvironments);
  const byService = Map.groupBy(shown, ({ service }) => service);
  const rows = [...byService].map(([service, views]) => ({
    service,
    cells: Object.fromEntries(Map.groupBy(views, ({ environment }) => environment ?? '-')),
  }));
  rows.sort((a, b) => (a.service < b.service ? -1 : 1));
  return { environments, rows };
}
