import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from '../health.ts';
import {
  always,
  at,
  behind,
  type Catalogue,
  field,
  firstOf,
  given,
  items,
  matches,
  present,
  textAt,
  whenTrue,
  without,
} from '../rules.ts';

function listed(what: string, names: readonly (string | undefined)[]): string {
  const told = names.filter((name) => name !== undefined);
  return told.length === 0 ? `All ${what} are compliant` : `NonCompliant ${what}: ${told.join(', ')}`;
}

function policy(object: KubeObject): Health {
  const waits = health('Progressing', 'Waiting for the status to be reported');
  const compliant = textAt(object, 'status.compliant');
  if (compliant === undefined) {
    const unplaced = !present(object, 'status.status') && items(object, 'status.placement').length > 0;
    return unplaced ? health('Healthy', 'No clusters match this policy') : waits;
  }
  const open = (path: string) => items(object, path).filter((entry) => textAt(entry, 'compliant') !== 'Compliant');
  const status = compliant === 'Compliant' ? 'Healthy' : 'Degraded';
  if (present(object, 'status.status'))
    return health(
      status,
      listed(
        'clusters',
        open('status.status').map((entry) => textAt(entry, 'clustername')),
      ),
    );
  if (present(object, 'status.details'))
    return health(
      status,
      listed(
        'templates',
        open('status.details').map((entry) => textAt(entry, 'templateMeta.name')),
      ),
    );
  return health(status);
}

function configurationPolicy(object: KubeObject): Health {
  if (at(object, 'status.lastEvaluatedGeneration') !== object.metadata.generation)
    return health('Progressing', 'Waiting for the status to be updated');
  if (!present(object, 'status.compliancyDetails')) return health('Progressing', 'Waiting for compliance');
  const said = items(object, 'status.compliancyDetails')
    .flatMap((detail) => items(detail, 'conditions'))
    .filter((condition) => present(condition, 'message') && present(condition, 'type'))
    .map((condition) => `${textAt(condition, 'type')} - ${textAt(condition, 'message')}`);
  return health(textAt(object, 'status.compliant') === 'Compliant' ? 'Healthy' : 'Degraded', said.join('; '));
}

function operatorPolicy(object: KubeObject): Health | undefined {
  const found = items(object, 'status.conditions').find((c) => textAt(c, 'type') === 'Compliant');
  if (found === undefined) return undefined;
  return health(textAt(found, 'status') === 'True' ? 'Healthy' : 'Degraded', textAt(found, 'message'));
}

/** Policies of Open Cluster Management and Kyverno. */
export const policyKinds: Catalogue = {
  'kyverno.io/Policy': firstOf(
    (object) =>
      items(object, 'status.conditions').some(
        (c) => matches('Ready=True/Succeeded')(c) && textAt(c, 'message') === 'Ready',
      )
        ? health('Healthy', 'Policy is ready')
        : undefined,
    always('Progressing', 'Waiting for Policy to be ready'),
  ),
  'policy.open-cluster-management.io/CertificatePolicy': firstOf(
    field('status.compliant', { Compliant: ['Healthy', 'All certificates found comply with the policy'] }, [
      'Degraded',
      'At least once certificate does not comply with the policy',
    ]),
    always('Progressing', 'Waiting for the status to be reported'),
  ),
  'policy.open-cluster-management.io/ConfigurationPolicy': firstOf(
    given('status.compliant', configurationPolicy),
    always('Progressing', 'Waiting for the status to be reported'),
  ),
  'policy.open-cluster-management.io/OperatorPolicy': firstOf(
    without('status.conditions', always('Progressing', 'Waiting for the status to be reported')),
    behind('Waiting for the status to be updated'),
    operatorPolicy,
    always('Progressing', 'Waiting for the compliance condition'),
  ),
  'policy.open-cluster-management.io/Policy': firstOf(
    whenTrue('spec.disabled', 'Healthy', 'Policy is disabled'),
    policy,
  ),
};
