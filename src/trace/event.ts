/** Who caused a change: a person, a token's name, or a controller of Slipway's. */
export interface Actor {
  kind: 'user' | 'controller' | 'workflow';
  name: string;
}

export type AuditKind =
  | 'sync-started'
  | 'sync-succeeded'
  | 'sync-failed'
  | 'drift-detected'
  | 'drift-healed'
  | 'manifest-commit'
  | 'rollback'
  | 'revision-observed'
  | 'health-changed'
  | 'application-created'
  | 'application-deleted'
  | 'webhook-received'
  | 'request'
  | 'approval';

/** One change, or one observation worth keeping, that Slipway can account for later. Never holds a secret's value. */
export interface AuditEvent {
  id: number;
  at: number;
  kind: AuditKind;
  actor: Actor;
  /** Why: the trigger, e.g. `webhook`, `poll`, `self-heal`, `slipway app sync`. */
  cause: string;
  application?: string | undefined;
  environment?: string | undefined;
  service?: string | undefined;
  repository?: string | undefined;
  commit?: string | undefined;
  images?: string[] | undefined;
  message: string;
  durationMs?: number | undefined;
  detail?: Record<string, unknown> | undefined;
}

export type NewAuditEvent = Omit<AuditEvent, 'id' | 'at'> & { at?: number };

export interface AuditQuery {
  application?: string | undefined;
  kind?: AuditKind | undefined;
  /** Only events with a greater id, oldest first. */
  after?: number | undefined;
  limit: number;
}

/** The history kept in the store. `record` is durable when it resolves. */
export interface AuditLog {
  record(event: NewAuditEvent): Promise<AuditEvent>;
  /** Newest first unless `after` is given. */
  query(query: AuditQuery): Promise<AuditEvent[]>;
  subscribe(listener: (event: AuditEvent) => void): () => void;
}
