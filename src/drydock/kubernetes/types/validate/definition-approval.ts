import { getPath, getString } from '#base/json.ts';
import type { ApiObject, FieldError } from '../../api/port.ts';
import { parseRequestUrl } from '../cel/functions/url.ts';
import { invalid, required } from './finding.ts';

const annotation = 'api-approved.kubernetes.io';

export interface Approval {
  reason: 'MissingAnnotation' | 'UnapprovedAnnotation' | 'ApprovedAnnotation' | 'InvalidAnnotation';
  message: string;
}

/** Whether a definition in one of Kubernetes' own groups is approved; undefined for other groups. */
export function approvalOf(definition: ApiObject): Approval | undefined {
  const group = getString(definition, 'spec', 'group') ?? '';
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group)) return undefined;
  const value = definition.metadata.annotations?.[annotation] ?? '';
  const see = 'see https://github.com/kubernetes/enhancements/pull/1111';
  const need = `protected groups must have approval annotation ${JSON.stringify(annotation)}`;
  if (value === '') return { reason: 'MissingAnnotation', message: `${need}, ${see}` };
  if (value.startsWith('unapproved'))
    return { reason: 'UnapprovedAnnotation', message: `not approved: ${JSON.stringify(value)}` };
  const url = parseRequestUrl(value);
  if (typeof url !== 'string' && url.host !== '' && url.scheme !== '')
    return { reason: 'ApprovedAnnotation', message: `approved in ${value}` };
  const how = 'with either a URL or a reason starting with "unapproved"';
  return { reason: 'InvalidAnnotation', message: `${need} ${how}, ${see}` };
}

/** A definition that was let in before may stay as it is. */
export function checkApproval(definition: ApiObject, old: ApiObject | undefined): FieldError[] {
  const approval = approvalOf(definition);
  if (approval === undefined) return [];
  if (old !== undefined && approvalOf(old)?.reason === approval.reason) return [];
  const path = `metadata.annotations[${annotation}]`;
  if (approval.reason === 'MissingAnnotation') return [required(path, approval.message)];
  if (approval.reason !== 'InvalidAnnotation') return [];
  return [invalid(path, getPath(definition.metadata.annotations, annotation), approval.message)];
}
