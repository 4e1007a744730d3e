import type { Cluster } from './cluster.ts';

/**
 * What a case cannot do without and some clusters lack. Looked for once at the start; a case without it is skipped, and
 * counted as such.
 */
export type Need =
  | 'controllers'
  | 'garbage-collector'
  | 'default-tolerations'
  | 'watch-list'
  | 'default-storage-class'
  | 'impersonation'
  | 'rbac'
  | 'kubectl'
  | 'helm'
  | 'drydock';

/** A known difference, as data: on Drydock the case must fail as long as it is written down. */
export interface Difference {
  real: string;
  drydock: string;
  why: string;
}

export interface Case {
  /** Unique in its area; `area/id` names the case. */
  id: string;
  title: string;
  /** Where the requirement is written, or how the upstream server was seen to behave. */
  source: string;
  needs?: readonly Need[];
  run(cluster: Cluster): Promise<void>;
}

export interface Area {
  name: string;
  title: string;
  cases: readonly Case[];
}

/** Something the real server has and this one answers with a plain error: checked on Drydock, listed in the document. */
export interface LeftOut {
  id: string;
  what: string;
  answer: string;
  run(cluster: Cluster): Promise<void>;
}
