import { ApiError, type ApiObject } from '../port.ts';
import { invalid } from '../protocol/status-error.ts';
import type { ServedResource } from '../served.ts';

/** Kinds of which a replacement that finds nothing is a creation. */
export const createdByReplace = new Set([
  'clusterrolebindings.rbac.authorization.k8s.io',
  'clusterroles.rbac.authorization.k8s.io',
  'endpoints',
  'events',
  'events.events.k8s.io',
  'leases.coordination.k8s.io',
  'limitranges',
  'rolebindings.rbac.authorization.k8s.io',
  'roles.rbac.authorization.k8s.io',
  'services',
]);

/** Built-in kinds that, as custom resources, are replaced only by who says which version it read. */
const replacedByVersion = new Set([
  'csidrivers.storage.k8s.io',
  'csinodes.storage.k8s.io',
  'customresourcedefinitions.apiextensions.k8s.io',
  'leases.coordination.k8s.io',
  'mutatingwebhookconfigurations.admissionregistration.k8s.io',
  'poddisruptionbudgets.policy',
  'runtimeclasses.node.k8s.io',
  'validatingwebhookconfigurations.admissionregistration.k8s.io',
  'volumeattachments.storage.k8s.io',
]);

/** Throws 500 when the version is no number, and 422 when it is none where one is needed. */
export function requireVersion(resource: ServedResource, { metadata }: ApiObject): void {
  const version = metadata.resourceVersion ?? '';
  if (!/^\d*$/.test(version))
    throw new ApiError(500, '', `strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`);
  if (Number(version) > 0 || !(resource.custom || replacedByVersion.has(resource.groupResource))) return;
  throw invalid({ group: resource.group, kind: resource.plural }, metadata.name, [
    {
      field: 'metadata.resourceVersion',
      reason: 'FieldValueInvalid',
      message: 'Invalid value: 0x0: must be specified for an update',
    },
  ]);
}
