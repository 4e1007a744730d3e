import { approvalAnnotation, approvalOf } from '../../api/definition/crd-approval.ts';
import type { ApiObject, FieldError } from '../../api/port.ts';
import { invalid, required } from './finding.ts';

/** Definitions in Kubernetes' own groups say that they are approved. One that was let in before may stay as it is. */
export function checkApproval(definition: ApiObject, old: ApiObject | undefined): FieldError[] {
  const approval = approvalOf(definition);
  if (approval === undefined) return [];
  if (old !== undefined && approvalOf(old)?.reason === approval.reason) return [];
  const path = `metadata.annotations[${approvalAnnotation}]`;
  if (approval.reason === 'MissingAnnotation') return [required(path, approval.message)];
  if (approval.reason !== 'InvalidAnnotation') return [];
  return [invalid(path, definition.metadata.annotations?.[approvalAnnotation], approval.message)];
}
