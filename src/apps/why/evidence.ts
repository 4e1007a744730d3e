import type { ErrorCode } from '#base/errors.ts';
import type { KubeObject } from '#kube/port.ts';
import type { Application, HealthStatus, ResourceKey, SyncStatusCode } from '#model/argocd/application.ts';

/** One managed object as it was last compared. */
export interface EvidenceResource {
  key: ResourceKey;
  wave: number;
  hook: boolean;
  sync: SyncStatusCode | undefined;
  health: { status: HealthStatus; message?: string } | undefined;
  live: KubeObject | undefined;
  /** The server's words, when it refuses what Git wants. */
  rejected?: string | undefined;
  requiresPruning: boolean;
}

/** Everything that the answer is drawn from. Collected when somebody asks, never kept. */
export interface Evidence {
  application: Application;
  /** As commands take it: `name`, or `namespace/name`. */
  name: string;
  /** What stopped the last look at it; undefined when it went through, or nobody has looked yet. */
  trouble: { code: ErrorCode; message: string; hint: string | undefined } | undefined;
  /** Whether the project's windows let an automated sync, and one by hand, begin now. */
  windows: { automated: boolean; manual: boolean; description: string | undefined };
  resources: readonly EvidenceResource[];
  /** What stands below the resources: ReplicaSets, Pods, claims. */
  owned: readonly KubeObject[];
  /** Warnings of the cluster about any of them, newest last. */
  events: readonly KubeObject[];
}
