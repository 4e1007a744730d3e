import type { AuditKind } from './event.ts';

/** Every kind of event; the record makes the compiler miss one that was forgotten. */
const known: Record<AuditKind, true> = {
  'sync-started': true,
  'sync-succeeded': true,
  'sync-failed': true,
  'drift-detected': true,
  'drift-healed': true,
  'manifest-commit': true,
  rollback: true,
  'revision-observed': true,
  'health-changed': true,
  'application-created': true,
  'application-deleted': true,
  'webhook-received': true,
  request: true,
  approval: true,
};

export const auditKinds: string[] = Object.keys(known);

export function isAuditKind(text: string): text is AuditKind {
  return Object.hasOwn(known, text);
}
