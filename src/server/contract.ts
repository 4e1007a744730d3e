/** What the server tells the page, as JSON; the page imports these types. */
import type { HealthStatus, OperationPhase, SyncStatusCode } from '#model/argocd/application.ts';

/** Why a cell is not simply fine, in a few words. */
export interface Hint {
  kind: 'waiting' | 'drift' | 'failed' | 'working';
  text: string;
}

export interface Deployment {
  id: number;
  revision: string | undefined;
  at: string;
  by: string;
  automated: boolean;
}

export interface ApplicationView {
  name: string;
  namespace: string | undefined;
  project: string;
  service: string;
  environment: string | undefined;
  appOfApps: boolean;
  automated: boolean;
  sync: SyncStatusCode;
  health: { status: HealthStatus; message: string | undefined };
  /** Of the running image. */
  version: string | undefined;
  image: string | undefined;
  digest: string | undefined;
  images: string[];
  /** What Git wants instead of `version`, when that is known and differs. */
  pendingVersion: string | undefined;
  /** Live state was changed by hand and Git was not. */
  drift: boolean;
  revision: string | undefined;
  source: { repository: string; path: string | undefined; targetRevision: string | undefined } | undefined;
  deployed: Deployment | undefined;
  history: Deployment[];
  operation:
    | {
        phase: OperationPhase;
        message: string | undefined;
        startedAt: string;
        finishedAt: string | undefined;
        by: string;
      }
    | undefined;
  conditions: { type: string; message: string }[];
  resources: { total: number; outOfSync: number; unhealthy: number };
  hint: Hint | undefined;
}

export interface MatrixRow {
  service: string;
  /** Environment to the applications there: one, or several for several clusters. */
  cells: Record<string, ApplicationView[]>;
}

export interface Matrix {
  environments: string[];
  rows: MatrixRow[];
}

/** What the live stream starts with; `cursor` resumes it. */
export interface Snapshot {
  cursor: string;
  version: string;
  canWrite: boolean;
  applications: ApplicationView[];
}

export interface ErrorBody {
  code: string;
  message: string;
  hint?: string | undefined;
}
