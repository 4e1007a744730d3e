import type { InstanceStore } from '#apps/port.ts';
import type { JsonObject } from '#base/json.ts';
import type { Application } from '#model/argocd/application.ts';
import type { ArgocdDeps } from './access.ts';
import { clusterShape, ownClusterData } from './cluster-document.ts';
import { type DeclaredSecret, listDeclared } from './declared-secrets.ts';
import { repositoryShape } from './repository-document.ts';

const unknownState = { status: 'Unknown', message: '', attemptedAt: null };

/** The repositories that belong to a project. */
export async function projectRepositories(
  instance: InstanceStore,
  project: string,
  signal: AbortSignal,
): Promise<JsonObject[]> {
  const all = await listDeclared(instance, 'repository', signal);
  return all.filter(({ data }) => data['project'] === project).map(({ data }) => repositoryShape(data, unknownState));
}

export interface ListedCluster {
  secret: DeclaredSecret | undefined;
  server: string;
  name: string;
  project: string;
  shape: JsonObject;
}

function goesTo(application: Application, of: { server: string; name: string }): boolean {
  const { server, name } = application.spec.destination;
  return server ? server.replace(/\/+$/, '') === of.server : name === of.name;
}

/** All clusters that are declared, and the instance's own. */
export async function listClusters(
  { engine, instance, sight }: Pick<ArgocdDeps, 'engine' | 'instance' | 'sight'>,
  signal: AbortSignal,
): Promise<ListedCluster[]> {
  const declared: (DeclaredSecret | undefined)[] = await listDeclared(instance, 'cluster', signal);
  const states = sight.clusters();
  const own = ownClusterData['server'];
  const hasOwn = declared.some((secret) => secret?.data['server'] === own);
  const disabled = /^false$/i.test(instance.config('argocd-cm')['cluster.inClusterEnabled'] ?? '');
  if (!hasOwn && !disabled) declared.unshift(undefined);
  const applications = engine.list();
  return declared.map((secret) => {
    const data = secret?.data ?? ownClusterData;
    const server = (data['server'] ?? '').replace(/\/+$/, '');
    const name = data['name'] || server;
    const state =
      states.find((candidate) => candidate.server === server && candidate.name === name) ??
      states.find((candidate) => candidate.server === server);
    const count = applications.filter((application) => goesTo(application, { server, name })).length;
    return {
      secret,
      server,
      name,
      project: data['project'] ?? '',
      shape: clusterShape(secret, { state, applications: count }),
    };
  });
}

export async function projectClusters(
  deps: Pick<ArgocdDeps, 'engine' | 'instance' | 'sight'>,
  project: string,
  signal: AbortSignal,
): Promise<JsonObject[]> {
  const all = await listClusters(deps, signal);
  return all.filter((cluster) => cluster.project === project).map(({ shape }) => shape);
}
