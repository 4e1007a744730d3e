import { isObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from '../health.ts';
import {
  always,
  at,
  type Catalogue,
  type Check,
  conditions,
  conditionsAt,
  firstOf,
  generationOf,
  items,
  kinds,
  matches,
  present,
  textAt,
} from '../rules.ts';

const failed = matches('LastAsyncOperation,Synced=False');
const upToDate = 'Resource is up-to-date.';

/** Crossplane's own kinds and managed resources: what failed wins where it stands first, else any proof of readiness. */
function crossplane(statusless: readonly string[], proofs: string): Check {
  const proof = matches(`${proofs}=True`);
  return (object) => {
    const status = at(object, 'status');
    const empty = !isObject(status) || Object.keys(status).length === 0;
    if (status === undefined || status === null || (empty && statusless.includes(object.kind)))
      return health('Healthy', upToDate);
    const found = at(object, 'status.conditions');
    if (empty || found === undefined || found === null) {
      const used = object.kind.endsWith('ProviderConfig') && present(object, 'status.users');
      return used ? health('Healthy', 'Resource is in use.') : health('Progressing', 'Provisioning ...');
    }
    const list = items(object, 'status.conditions');
    const failure = list.find(failed);
    if (failure !== undefined) return health('Degraded', textAt(failure, 'message'));
    return list.some(proof) ? health('Healthy', upToDate) : health('Progressing', 'Provisioning ...');
  };
}

/** Crossplane's first AWS provider: Ready and Synced together, with its own words for each kind. */
function classicAws(what: string): Check {
  return firstOf(
    (object) => {
      if (!Array.isArray(at(object, 'status.conditions'))) return undefined;
      const find = (type: string) => items(object, 'status.conditions').findLast((c) => textAt(c, 'type') === type);
      const ready = find('Ready');
      const synced = find('Synced');
      const reason = textAt(synced, 'reason');
      const isReady = textAt(ready, 'status') === 'True';
      const isSynced = textAt(synced, 'status') === 'True';
      const paused = reason === 'ReconcilePaused';
      if (isReady && isSynced) return health('Healthy', textAt(ready, 'reason'));
      if (!isSynced && paused) return health('Suspended', reason);
      if (!isReady && isSynced && !paused) return health('Progressing', `Waiting for ${what} to be available`);
      return health('Degraded', reason === 'ReconcileError' ? textAt(synced, 'message') : '');
    },
    always('Progressing', `Waiting for ${what} to be created`),
  );
}

function configConnector(object: KubeObject): Health {
  const observed = at(object, 'status.observedGeneration');
  const seen = observed === undefined || observed === null || observed === generationOf(object);
  const healthy = at(object, 'status.healthy');
  if (seen && object.kind.startsWith('ConfigConnector') && healthy !== undefined && healthy !== null)
    return healthy === true
      ? health('Healthy', `${object.kind} is healthy`)
      : health('Degraded', `${object.kind} is not healthy`);
  return (seen ? connectorConditions(object) : undefined) ?? health('Progressing', 'Update in progress');
}

const connectorConditions = conditions(
  ['*=True/UpToDate', 'Healthy'],
  ['*/UpdateFailed,DependencyNotFound', 'Degraded'],
  ['*/DependencyNotReady', 'Suspended'],
);

/** A provider package: both halves must be True, and both reasons are said. */
function provider(object: KubeObject): Health | undefined {
  if (!Array.isArray(at(object, 'status.conditions'))) return undefined;
  const find = (type: string) => items(object, 'status.conditions').findLast((c) => textAt(c, 'type') === type);
  const halves = [find('Installed'), find('Healthy')];
  const good = halves.every((half) => textAt(half, 'status') === 'True');
  return health(good ? 'Healthy' : 'Degraded', halves.map((half) => textAt(half, 'reason') ?? '').join(' '));
}

/** Clouds as Kubernetes objects: Crossplane and Upbound, AWS controllers, Google's Config Connector, Pulumi. */
export const cloudKinds: Catalogue = {
  'pkg.crossplane.io/Provider': firstOf(provider, always('Progressing', 'Waiting for provider to be installed')),
  'cloudfront.aws.crossplane.io/Distribution': classicAws('distribution'),
  'route53.aws.crossplane.io/ResourceRecordSet': classicAws('resourcrecordset'),
  's3.aws.crossplane.io/Bucket': classicAws('Bucket'),
  ...kinds('iam.aws.crossplane.io', ['Policy', 'Role', 'RolePolicyAttachment'], classicAws),
  ...kinds('rds.aws.crossplane.io', ['DBCluster', 'DBInstance'], classicAws),
  'stacks.crossplane.io/ClusterStackInstall': firstOf(
    conditionsAt('status.conditionedStatus.conditions', [['Ready=True', 'Healthy', '{reason}']]),
    conditionsAt('status.conditionedStatus.conditions', [['Ready', 'Progressing', '{reason}']]),
    always('Progressing', 'Waiting for stack to be installed'),
  ),
  'pulumi.com/Stack': (object) =>
    at(object, 'status.observedGeneration') === generationOf(object) && present(object, 'status')
      ? stackConditions(object)
      : health('Progressing', 'Waiting for the operator to observe the latest spec change'),
};

const stackConditions = firstOf(
  conditions(['Stalled=True', 'Degraded'], ['Reconciling=True', 'Progressing'], ['Ready=True', 'Healthy']),
  always('Progressing', 'Waiting for the stack to be reconciled'),
);

/** By pattern, for groups that have hundreds of kinds. */
export const cloudPatterns: Catalogue = {
  '*.cnrm.cloud.google.com/*': configConnector,
  '*.crossplane.io/*': crossplane(
    [
      'Composition',
      'CompositionRevision',
      'DeploymentRuntimeConfig',
      'ClusterProviderConfig',
      'ProviderConfig',
      'ProviderConfigUsage',
      'ControllerConfig',
    ],
    'Ready,Healthy,Offered,Established,ValidPipeline,RevisionHealthy',
  ),
  '*.services.k8s.aws/*': firstOf(
    conditions(['ACK.Terminal=True', 'Degraded'], ['Ready=False', 'Progressing'], ['Ready=True', 'Healthy', '']),
    always('Progressing', 'Waiting for resource to be ready'),
  ),
  '*.upbound.io/*': crossplane(['ClusterProviderConfig', 'ProviderConfig', 'ProviderConfigUsage'], 'Ready'),
};
