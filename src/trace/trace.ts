import type { ApplicationEngine } from '#apps/port.ts';
import type { ForgeClient } from '#forge/port.ts';
import type { GitMirrors } from '#git/port.ts';
import type { KubeClient } from '#kube/port.ts';
import type { RegistryClient } from '#oci/port.ts';
import { assembleTrace } from './chain.ts';
import type { AuditLog } from './event.ts';
import { observeBuild } from './observe-build.ts';
import { observeStart } from './observe-container.ts';
import { observeDelivery } from './observe-delivery.ts';
import { subjectOf, type Tracer } from './report.ts';

export interface TracerDeps {
  kube: KubeClient;
  engine: ApplicationEngine;
  audit: AuditLog;
  git: GitMirrors;
  registry: RegistryClient;
  /** Undefined when none is configured: what only a forge knows is then not known. */
  forge: ForgeClient | undefined;
}

/** Answers "who shipped this": every link comes from a record of the system that keeps it. */
export function createTracer(deps: TracerDeps): Tracer {
  return {
    async trace(query, signal) {
      const { application, container, image } = await observeStart(deps, query, signal);
      const digest = container.known ? container.value.digest : undefined;
      const [build, delivery] = await Promise.all([
        observeBuild(deps, { image, digest }, signal),
        observeDelivery(deps, { application, image }, signal),
      ]);
      return assembleTrace({
        subject: subjectOf(query),
        application: application?.metadata.name,
        container,
        ...build,
        ...delivery,
      });
    },
  };
}
