import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from '../health.ts';
import {
  always,
  at,
  type Catalogue,
  type Check,
  type ConditionRule,
  conditions,
  field,
  firstOf,
  items,
  matches,
  present,
  textAt,
} from '../rules.ts';

function threescale(kind: string, rules: readonly ConditionRule[]): Check {
  const named = rules.map(
    ([selector, status, say = '']): ConditionRule => [selector, status, say.replace('KIND', kind)],
  );
  return firstOf(conditions(...named), always('Progressing', `Waiting for 3scale ${kind} status...`));
}

const isReady: ConditionRule = ['Ready=True', 'Healthy', '3scale KIND is ready'];
const isSynced: ConditionRule = ['Synced=True', 'Healthy', '3scale KIND is synced'];
const isInvalid: ConditionRule = ['Invalid=True', 'Degraded', '{message|3scale KIND configuration is invalid}'];
const isOrphan: ConditionRule = ['Orphan=True', 'Degraded', '{message|3scale KIND references non-existing resources}'];
const hasFailed: ConditionRule = ['Failed=True', 'Degraded', '{message|3scale KIND synchronization failed}'];
const failedWith = (what: string): ConditionRule => ['Failed=True', 'Degraded', `{message|${what}}`];

const positive = (object: KubeObject, path: string) => {
  const value = at(object, path);
  return typeof value === 'number' && value > 0;
};

function tenant(object: KubeObject): Health {
  const list = items(object, 'status.conditions');
  const complete = positive(object, 'status.tenantId') && positive(object, 'status.adminId');
  if (complete && list.some(matches('Ready=True'))) return health('Healthy', '3scale Tenant is ready');
  const open = list.find(matches('Ready!=True'));
  return open === undefined
    ? health('Progressing', 'Waiting for 3scale Tenant status...')
    : health('Degraded', textAt(open, 'message') ?? '3scale Tenant is degraded');
}

function apiManager(object: KubeObject): Health {
  const deployments = at(object, 'status.deployments');
  const only = present(deployments, 'ready') && !present(deployments, 'starting') && !present(deployments, 'stopped');
  const available = health('Healthy', '3scale APIManager is available');
  if (only) return available;
  for (const condition of items(object, 'status.conditions')) {
    if (textAt(condition, 'type') !== 'Available') continue;
    const reason = textAt(condition, 'reason') ?? '';
    if (textAt(condition, 'status') === 'True') return available;
    if (reason !== '') return health('Degraded', `3scale APIManager is degraded: ${reason}`);
  }
  return health('Progressing', 'Waiting for 3scale APIManager status...');
}

/** Red Hat 3scale. */
export const threescaleKinds: Catalogue = {
  'apps.3scale.net/APIManager': apiManager,
  'capabilities.3scale.net/ActiveDoc': threescale('ActiveDoc', [isReady, isInvalid, isOrphan, hasFailed]),
  'capabilities.3scale.net/Application': firstOf(
    field('status.state', { suspended: ['Suspended', '3scale Application is suspended'] }),
    (object) =>
      positive(object, 'status.adminId')
        ? threescale('Application', [isReady])(object)
        : threescale('Application', [isReady, ['Ready', 'Degraded', '{message|3scale KIND is not ready}']])(object),
  ),
  'capabilities.3scale.net/ApplicationAuth': threescale('ApplicationAuth', [
    isReady,
    failedWith('3scale ApplicationAuth failed'),
  ]),
  'capabilities.3scale.net/Backend': threescale('Backend', [isSynced, isInvalid, hasFailed]),
  'capabilities.3scale.net/CustomPolicyDefinition': threescale('CustomPolicyDefinition', [
    isReady,
    isInvalid,
    hasFailed,
  ]),
  'capabilities.3scale.net/DeveloperAccount': threescale('DeveloperAccount', [
    isReady,
    isInvalid,
    hasFailed,
    ['Waiting=True', 'Suspended', '{message|3scale DeveloperAccount is waiting for approval}'],
  ]),
  'capabilities.3scale.net/DeveloperUser': firstOf(
    field('status.developerUserState', {
      suspended: ['Suspended', '3scale Developer user is waiting for admin approval'],
    }),
    threescale('DeveloperUser', [isReady, isInvalid, isOrphan, hasFailed]),
  ),
  'capabilities.3scale.net/OpenAPI': threescale('OpenAPI', [
    isReady,
    isInvalid,
    failedWith('3scale OpenAPI reconciliation failed'),
  ]),
  'capabilities.3scale.net/Product': threescale('Product', [isSynced, isInvalid, isOrphan, hasFailed]),
  'capabilities.3scale.net/ProxyConfigPromote': threescale('ProxyConfigPromote', [
    isReady,
    ['In-progress=True', 'Progressing', '{message|3scale ProxyConfigPromote is in progress}'],
    failedWith('3cale ProxyConfigPromote failed'),
  ]),
  'capabilities.3scale.net/Tenant': tenant,
};
