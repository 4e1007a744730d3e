import type { ResourceKey } from '#model/argocd/application.ts';

/** What kind of thing holds an application back: stable words, for programs that read the answer. */
export type ReasonCode =
  | 'deleting'
  | 'invalid-spec'
  | 'project'
  | 'values-path'
  | 'path'
  | 'revision'
  | 'template'
  | 'credentials'
  | 'unreachable'
  | 'missing-tool'
  | 'limit'
  | 'comparison'
  | 'window'
  | 'waiting-wave'
  | 'waiting-hook'
  | 'waiting-deletion'
  | 'waiting-approval'
  | 'retrying'
  | 'running'
  | 'failed-hook'
  | 'immutable-field'
  | 'field-owner'
  | 'missing-kind'
  | 'missing-namespace'
  | 'quota'
  | 'admission'
  | 'permission'
  | 'refused'
  | 'sync-failed'
  | 'contested'
  | 'manual'
  | 'prune-off'
  | 'self-heal-off'
  | 'pending-sync'
  | 'image-pull'
  | 'crash-loop'
  | 'out-of-memory'
  | 'container-config'
  | 'unschedulable'
  | 'not-ready'
  | 'volume'
  | 'job-failed'
  | 'child-application'
  | 'missing-resource'
  | 'progressing'
  | 'suspended'
  | 'health-check'
  | 'unhealthy'
  | 'warning';

/** One thing that holds an application back, and the next step. */
export interface Reason {
  code: ReasonCode;
  /** One sentence that names the object, file or address. */
  problem: string;
  /** One sentence in the imperative. */
  next: string;
  /** The words of the tool, server or container, when there are some beyond `problem`. */
  detail?: string;
  /** The object it is about. */
  object?: ResourceKey;
  /** RFC 3339. */
  since?: string;
}
