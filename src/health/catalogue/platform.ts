import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from '../health.ts';
import {
  always,
  at,
  type Catalogue,
  type Check,
  conditions,
  field,
  firstOf,
  items,
  kinds,
  matches,
  present,
  textAt,
} from '../rules.ts';
import { ancestors } from './kubernetes.ts';

const glooStates = field('state', {
  Accepted: ['Healthy', 'The resource has been validated'],
  1: ['Healthy', 'The resource has been validated'],
  Warning: ['Degraded', '{.reason}'],
  3: ['Degraded', '{.reason}'],
  Pending: ['Suspended', 'The resource has not yet been validated'],
  0: ['Suspended', 'The resource has not yet been validated'],
  Rejected: ['Degraded', '{.reason}'],
  2: ['Degraded', '{.reason}'],
});

/** Gloo: one status for each namespace that watches, or one alone; numbers in old releases. */
function gloo(object: KubeObject): Health {
  const statuses = [...items(object, 'status.statuses'), at(object, 'status')];
  for (const status of statuses) {
    const found = glooStates({ ...object, state: at(status, 'state'), reason: at(status, 'reason') });
    if (found !== undefined) return found;
  }
  return health('Progressing', 'Update in progress');
}

const istio = firstOf(
  field('status.status', {
    0: ['Unknown', 'Component is not present.'],
    NONE: ['Unknown', 'Component is not present.'],
    1: ['Progressing', 'Component is being updated to a different version.'],
    UPDATING: ['Progressing', 'Component is being updated to a different version.'],
    2: ['Progressing', 'Controller has started but not yet completed reconciliation loop for the component.'],
    RECONCILING: ['Progressing', 'Controller has started but not yet completed reconciliation loop for the component.'],
    3: ['Healthy', 'Component is healthy.'],
    HEALTHY: ['Healthy', 'Component is healthy.'],
    4: ['Degraded', 'Component is in an error state.'],
    ERROR: ['Degraded', 'Component is in an error state.'],
  }),
  always('Progressing', 'Waiting for Istio Control Plane'),
);

const positive = (object: KubeObject, path: string) => {
  const value = at(object, path);
  return typeof value === 'number' && value > 0;
};

function role(object: KubeObject): Health {
  const [name, arn, id] = ['roleName', 'roleARN', 'roleID'].map((key) => textAt(object, `status.${key}`) ?? '<none>');
  const state = textAt(object, 'status.state') ?? '';
  if (state === 'Ready') return health('Healthy', `Role '${name}' exists with ARN '${arn}' and ID '${id}'.`);
  if (!['Error', 'RolesMaxLimitReached', 'PolicyNotAllowed', 'RoleNameNotAvailable'].includes(state))
    return health('Progressing', 'Waiting for Iamrole to be reconciled');
  const retries = positive(object, 'status.retryCount') ? `(retry ${textAt(object, 'status.retryCount')}) ` : '';
  const error = textAt(object, 'status.errorDescription');
  const why = error === undefined ? '' : ` Reconciliation error was: ${error}`;
  return health(
    'Degraded',
    `Failed to reconcile the Iamrole ${retries}for role '${name}' with ARN '${arn}' and ID '${id}'.${why}`,
  );
}

/** Keycloak: the oldest condition that says something counts. */
function keycloak(object: KubeObject): Health {
  if (!present(object, 'status.conditions'))
    return health('Progressing', 'Waiting for Keycloak status conditions to exist');
  const sorted = items(object, 'status.conditions').toSorted((a, b) => {
    const [x, y] = [textAt(a, 'lastTransitionTime'), textAt(b, 'lastTransitionTime')];
    if (x === y) return 0;
    return x !== undefined && (y === undefined || x < y) ? -1 : 1;
  });
  const telling = sorted.find((c) => ['Ready', 'HasErrors'].some((type) => matches(`${type}=True`)(c)));
  if (telling === undefined) return health('Progressing');
  return textAt(telling, 'type') === 'Ready'
    ? health('Healthy')
    : health('Degraded', `Has Errors: ${textAt(telling, 'message') ?? ''}`);
}

const minioFailures = [
  'Statefulset not controlled by operator',
  'Another MinIO Tenant already exists in the namespace',
  'Tenant credentials are not set properly',
  'Different versions across MinIO Pools',
  'Pool Decommissioning Not Allowed',
];

const seen = (object: KubeObject) => (condition: unknown) =>
  at(condition, 'observedGeneration') === object.metadata.generation;

/** Contour: a proxy that includes others cannot be judged by itself, unless a later condition does. */
function httpProxy(object: KubeObject): Health {
  const description = textAt(object, 'status.description');
  let found = health('Progressing', 'Waiting for status');
  if (!present(object, 'status.conditions'))
    return present(object, 'status.currentStatus') ? health('Progressing', description) : found;
  for (const condition of items(object, 'status.conditions').filter(seen(object))) {
    const isValid = textAt(condition, 'type') === 'Valid';
    const status = textAt(condition, 'status');
    if (isValid && status === 'True') return health('Healthy', description);
    if (present(object, 'spec.includes') && status === 'False')
      found = health('Healthy', 'HTTPProxy inclusions cannot be health checked');
    else if (isValid && status === 'False') return health('Degraded', description);
  }
  return found;
}

function extensionService(object: KubeObject): Health {
  const valid = items(object, 'status.conditions')
    .filter(seen(object))
    .find((c) => textAt(c, 'type') === 'Valid' && ['True', 'False'].includes(textAt(c, 'status') ?? ''));
  if (valid === undefined) return health('Progressing', 'Waiting for status');
  return health(textAt(valid, 'status') === 'True' ? 'Healthy' : 'Degraded', textAt(valid, 'message'));
}

function sapService(object: KubeObject): Health {
  if (!Array.isArray(at(object, 'status.conditions'))) return health('Progressing', 'Waiting for status');
  const { generation } = object.metadata;
  const isFailed = ['Succeeded=False', 'Failed=True'].map(matches);
  for (const condition of items(object, 'status.conditions')) {
    const observed = at(condition, 'observedGeneration') ?? generation;
    if (generation !== undefined && observed !== generation)
      return health('Progressing', 'Waiting for spec update to be observed');
    if (isFailed.some((is) => is(condition))) return health('Degraded', textAt(condition, 'message'));
  }
  return health('Healthy', 'Ready to use');
}

/** Karmada: every cluster that was asked must answer; `named` bindings must ask some. */
function binding(named: boolean): Check {
  return (object) => {
    const statuses = items(object, 'status.aggregatedStatus');
    const asked = present(object, 'spec.clusters') ? items(object, 'spec.clusters').length : undefined;
    const complete = asked === undefined ? !named && statuses.length > 0 : asked > 0 && asked === statuses.length;
    if (!present(object, 'status') || !complete)
      return health('Progressing', 'Current resource status is insufficient');
    const failed = statuses.some((status) => {
      const said = textAt(status, 'health');
      return said === 'Unhealthy' || (said === 'Unknown' && at(status, 'applied') !== true);
    });
    return failed ? health('Degraded', 'Current resource status is unhealthy') : health('Healthy');
  };
}

const jobSays = '{.status.ansibleJobResult.status} job - {.status.ansibleJobResult.url}';

function route(object: KubeObject): Health {
  const rules = items(object, 'status.ingress');
  const all = rules.flatMap((rule) => items(rule, 'conditions'));
  const waits = health('Progressing', 'Route is still getting admitted');
  if (!present(object, 'status.ingress')) return waits;
  if (all.filter(matches('Admitted=True')).length === rules.length) return health('Healthy', 'Route is healthy');
  return all.some(matches('Admitted=False')) ? health('Degraded', 'Route is degraded') : waits;
}

function installPlan(object: KubeObject): Health | undefined {
  if (!present(object, 'status.conditions')) return undefined;
  const list = items(object, 'status.conditions');
  const approval = matches('InstallPlanPending=True/RequiresApproval');
  const manual =
    textAt(object, 'spec.installPlanApproval') === 'Manual' &&
    present(object, 'status.installedCSV') &&
    list.some(approval);
  const told = list
    .map((condition, place) => ({ condition, place: place + 1 }))
    .filter(({ condition }) => !(manual && textAt(condition, 'type') === 'InstallPlanPending'));
  const faults = [
    'InstallPlanMissing/!ReferencedInstallPlanNotFound',
    'CatalogSourcesUnhealthy,InstallPlanFailed,ResolutionFailed=True',
  ].map(matches);
  const state = textAt(object, 'status.state');
  const degraded = told.some(({ condition }) => faults.some((is) => is(condition))) || state === 'UpgradeFailed';
  const awaited = state === 'UpgradePending' && !manual;
  const pending =
    told.some(({ condition }) => matches('InstallPlanPending=True')(condition)) ||
    state === undefined ||
    ['', 'UpgradeAvailable'].includes(state) ||
    awaited;
  const lines = told.map(
    ({ condition, place }) => `${place}: ${textAt(condition, 'type')} | ${textAt(condition, 'status')}\n`,
  );
  const excuse =
    manual && state === 'UpgradePending' ? ' (manual InstallPlan approval pending; treated as healthy)' : '';
  lines.push(state === undefined ? '.status.state not yet known\n' : `.status.state is '${state}'${excuse}\n`);
  return health(degraded ? 'Degraded' : pending ? 'Progressing' : 'Healthy', lines.join(''));
}

function dnsService(object: KubeObject): Health {
  const find = (type: string) => items(object, 'status.conditions').findLast((c) => textAt(c, 'type') === type);
  const [adopted, advertised, discovered] = [find('Adopted'), find('Advertised'), find('Discoverable')];
  const said = textAt(discovered, 'message');
  if (textAt(adopted, 'status') === 'False') return health('Degraded', textAt(adopted, 'message'));
  if (['AdvertiseError', 'UnadvertiseError'].includes(textAt(advertised, 'reason') ?? ''))
    return health('Degraded', textAt(advertised, 'message'));
  if (textAt(discovered, 'reason') === 'DiscoveryError') return health('Unknown', said);
  return health(textAt(discovered, 'status') === 'True' ? 'Healthy' : 'Progressing', said);
}

/** API gateways, policies, operators and other platforms. */
export const platformKinds: Catalogue = {
  ...kinds(
    'gateway.solo.io',
    ['Gateway', 'MatchableHttpGateway', 'RouteOption', 'RouteTable', 'VirtualHostOption', 'VirtualService'],
    () => gloo,
  ),
  ...kinds('gloo.solo.io', ['Proxy', 'Settings', 'Upstream', 'UpstreamGroup'], () => gloo),
  'iammanager.keikoproj.io/Iamrole': role,
  'install.istio.io/IstioOperator': istio,
  'k8s.keycloak.org/Keycloak': keycloak,
  'minio.min.io/Tenant': firstOf(
    field(
      'status.currentState',
      {
        Initialized: ['Healthy', '{.status.currentState}'],
        ...Object.fromEntries(minioFailures.map((state) => [state, ['Degraded', state] as const])),
      },
      ['Progressing', '{.status.currentState}'],
    ),
    always('Progressing', 'No status info available'),
  ),
  'operator.openshift.io/IngressController': firstOf(
    conditions(
      ['Degraded=True', 'Degraded'],
      ['DeploymentReplicasAllAvailable=False', 'Progressing'],
      ['Progressing=True', 'Progressing', '{reason}'],
      ['Available=True', 'Healthy', 'IngressController is available'],
    ),
    always('Progressing', 'Status of IngressController is not known yet'),
  ),
  'operators.coreos.com/Subscription': firstOf(
    installPlan,
    always('Progressing', 'An install plan for a subscription is pending installation'),
  ),
  'proclaim.dogmatiq.io/DNSSDServiceInstance': dnsService,
  'projectcontour.io/ExtensionService': extensionService,
  'projectcontour.io/HTTPProxy': httpProxy,
  'route.openshift.io/Route': route,
  ...kinds('services.cloud.sap.com', ['ServiceBinding', 'ServiceInstance'], () => sapService),
  'tower.ansible.com/AnsibleJob': firstOf(
    field('status.ansibleJobResult.status', {
      successful: ['Healthy', jobSays],
      failed: ['Degraded', jobSays],
      error: ['Degraded', jobSays],
      canceled: ['Degraded', jobSays],
      new: ['Progressing', jobSays],
      pending: ['Progressing', jobSays],
      waiting: ['Progressing', jobSays],
      running: ['Progressing', jobSays],
    }),
    always('Progressing', 'Waiting for AnsibleJob'),
  ),
  'work.karmada.io/ClusterResourceBinding': binding(true),
  'work.karmada.io/ResourceBinding': binding(false),
};

function airlock(object: KubeObject): Health {
  const { kind } = object;
  return kind.endsWith('Policy')
    ? ancestors(object, { kind, strict: true, needsAccepted: true })
    : health('Healthy', `${kind} is healthy`);
}

export const platformPatterns: Catalogue = { 'microgateway.airlock.com/*': airlock };
