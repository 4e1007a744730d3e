import { parseClusterSecret } from '#apps/cluster-declaration.ts';
import type { ApplicationEngine, ApplicationResources, InstanceSight, InstanceStore } from '#apps/port.ts';
import { isDestinationPermitted, isKindPermitted } from '#apps/project.ts';
import { globalProjectsOf } from '#apps/projects.ts';
import type { Entropy } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { githubAppTokens } from '#git/github-app.ts';
import { createKubeClient } from '#kube/client.ts';
import { clusterTarget } from '#kube/cluster-config.ts';
import { type Informer, parseApiVersion } from '#kube/port.ts';
import type { ChartLibrary } from '#render/charts/port.ts';
import { previewApplications } from '../application-set-preview.ts';
import { EngineFace, type EngineFaceDeps } from './engine-face.ts';
import { FaceInstanceStore } from './instance-store.ts';
import { probeRepository } from './probe.ts';
import { FaceResources } from './resources.ts';
import { FaceSight } from './sight.ts';
import { FaceWhy } from './why.ts';

/** What the server, the command line and the page ask of a running engine, by subject. */
export interface EngineFaces {
  engine: ApplicationEngine;
  resources: ApplicationResources;
  instance: InstanceStore;
  sight: InstanceSight;
}

export interface FacesDeps extends EngineFaceDeps {
  entropy: Entropy;
  projects: Informer;
  library: ChartLibrary;
  logger: Logger;
}

export function startFaces(deps: FacesDeps): EngineFaces {
  const { home, applications, projects, clusters, repositories, controller, access, settings, clock, logger } = deps;
  const { kube } = home;
  const { namespace } = deps;
  const projectNamed = (name: string) => projects.get({ name, namespace });
  const engine = new EngineFace(deps);
  const instance = new FaceInstanceStore({ kube, instance: deps.instance, projects, applications });
  const why = new FaceWhy({
    get: (name) => engine.get(name),
    clusterOf: (application, signal) => engine.clusterOf(application, signal),
    observation: deps.observation,
    projectOf: (application) => controller.projectOf(application),
    clock,
  });
  const resources = new FaceResources({
    engine,
    home: kube,
    clusterOf: (application, signal) => engine.clusterOf(application, signal),
    settings,
    why: (name, signal) => why.why(name, signal),
    orphans: (name, signal) => engine.orphans(name, signal),
    assertPermitted(application, object) {
      const project = controller.projectOf(application);
      const cluster = clusters.resolve(application.spec.destination);
      if (Array.isArray(project) || 'problem' in cluster)
        throw new AppError('bad-input', Array.isArray(project) ? project.join('; ') : 'the destination is not known');
      const { group } = parseApiVersion(object.apiVersion);
      const { kind, metadata } = object;
      const { name, namespace: place } = metadata;
      if (
        isKindPermitted(project, { group, kind, name, namespaced: place !== undefined }) &&
        (place === undefined || isDestinationPermitted(project, cluster.declaration, place))
      )
        return;
      throw new AppError('forbidden', `${kind} ${name} is not permitted in project ${project.name}`);
    },
    clock,
  });
  const sight = new FaceSight({
    clusters,
    repositories,
    applications: () => engine.list(),
    projects: () => instance.projects(),
    problemsOf: (application) => controller.problemsOf(application),
    projectOf: (application) => controller.projectOf(application),
    globalProjectsOf: (name) => globalProjectsOf({ find: projectNamed, settings, namespace }, name),
    settings,
    namespace,
    library: deps.library,
    generate: (applicationSet, signal) => previewApplications({ ...deps, kube }, applicationSet, signal),
    accessTo: (url, project, signal) => access.find(url, project, signal),
    async probeRepository(asked, signal) {
      await using tokens = githubAppTokens({ clock });
      await probeRepository(tokens, asked, signal);
    },
    async probeCluster(data, signal) {
      const metadata = { name: 'of the request' };
      const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata, data: Object.fromEntries(encoded) };
      await using client = createKubeClient({ target: await clusterTarget(parseClusterSecret(secret)), clock, logger });
      return (await client.version(signal)).gitVersion;
    },
    clock,
  });
  return { engine, resources, instance, sight };
}
