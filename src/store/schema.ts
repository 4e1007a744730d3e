import type { Generated } from 'kysely';

export interface AuditEventRow {
  id: Generated<number>;
  /** Milliseconds since the Unix epoch. */
  at: number;
  kind: string;
  actor_kind: string;
  actor_name: string;
  cause: string;
  application: string | null;
  environment: string | null;
  service: string | null;
  repository: string | null;
  commit_sha: string | null;
  /** JSON array of strings. */
  images: string | null;
  message: string;
  duration_ms: number | null;
  /** JSON object. */
  detail: string | null;
}

export interface Tables {
  audit_events: AuditEventRow;
}
