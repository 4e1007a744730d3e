/** One thing that was asked of the registry's keepers: granted or refused, to whom, and why in full. */
export interface RegistryAuditRecord {
  /** RFC 3339. */
  at: string;
  action: 'assume-role' | 'authorization-token' | 'push-manifest' | 'delete-manifest';
  outcome: 'granted' | 'refused';
  actor: string;
  role?: string;
  repository?: string;
  reference?: string;
  digest?: string;
  reason?: string;
}

export type RegistryAudit = (record: RegistryAuditRecord) => void;
