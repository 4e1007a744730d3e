import { getString } from '#base/json.ts';
import type { ApiObject } from '../port.ts';

export const approvalAnnotation = 'api-approved.kubernetes.io';

export interface Approval {
  reason: 'MissingAnnotation' | 'UnapprovedAnnotation' | 'ApprovedAnnotation' | 'InvalidAnnotation';
  message: string;
}

/** Whether a definition in one of Kubernetes' own groups is approved; undefined for other groups. */
export function approvalOf(definition: ApiObject): Approval | undefined {
  const group = getString(definition, 'spec', 'group') ?? '';
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group)) return undefined;
  const value = definition.metadata.annotations?.[approvalAnnotation] ?? '';
  const see = 'see https://github.com/kubernetes/enhancements/pull/1111';
  const need = `protected groups must have approval annotation ${JSON.stringify(approvalAnnotation)}`;
  if (value === '') return { reason: 'MissingAnnotation', message: `${need}, ${see}` };
  if (value.startsWith('unapproved'))
    return { reason: 'UnapprovedAnnotation', message: `not approved: ${JSON.stringify(value)}` };
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/\s?#]+(?:[/?]\S*)?$/.test(value))
    return { reason: 'ApprovedAnnotation', message: `approved in ${value}` };
  const how = 'with either a URL or a reason starting with "unapproved"';
  return { reason: 'InvalidAnnotation', message: `${need} ${how}, ${see}` };
}

/** As in a condition; empty for groups that need no approval. */
export function approvalConditions(
  definition: ApiObject,
): { type: string; status: 'True' | 'False'; reason: string; message: string }[] {
  const approval = approvalOf(definition);
  if (approval === undefined) return [];
  const status = approval.reason === 'ApprovedAnnotation' ? 'True' : 'False';
  return [{ type: 'KubernetesAPIApprovalPolicyConformant', status, ...approval }];
}
