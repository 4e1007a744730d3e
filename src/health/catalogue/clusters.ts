import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from '../health.ts';
import {
  always,
  at,
  behind,
  type Catalogue,
  conditions,
  field,
  firstOf,
  given,
  items,
  kinds,
  present,
  textAt,
  whenTrue,
  without,
} from '../rules.ts';

const notReady = (object: KubeObject) =>
  items(object, 'status.conditions').find((c) => textAt(c, 'type') === 'Ready' && textAt(c, 'status') === 'False');

function machine(object: KubeObject): Health {
  const phase = textAt(object, 'status.phase');
  if (phase === 'Running') return health('Healthy', 'Machine is running');
  const open = notReady(object);
  const said = open === undefined ? 'Condition is unknown' : textAt(open, 'message');
  return health(phase === 'Failed' ? 'Degraded' : 'Progressing', said);
}

function machinePool(object: KubeObject): Health {
  const phase = textAt(object, 'status.phase');
  const status = ['Running', 'Scaling'].includes(phase ?? '')
    ? 'Healthy'
    : ['Failed', 'Unknown'].includes(phase ?? '')
      ? 'Degraded'
      : 'Progressing';
  const open = items(object, 'status.conditions')
    .filter((c) => present(c, 'type') && textAt(c, 'status') === 'False')
    .map((c) => `Not ${textAt(c, 'type')}${present(c, 'reason') ? ` (${textAt(c, 'reason')})` : ''}`);
  const first = phase === undefined ? '' : `MachinePool is ${phase}`;
  return health(status, open.length === 0 ? first : `${first}: ${open.join(', ')}`);
}

function awsControlPlane(object: KubeObject): Health {
  const list = items(object, 'status.conditions');
  const is = (type: string) => list.some((c) => textAt(c, 'type') === type && textAt(c, 'status') === 'True');
  if (is('EKSControlPlaneUpdating')) return health('Progressing', 'EKS control plane is updating');
  if (is('Ready')) return health('Healthy', 'Control plane is ready');
  const errors = list.filter((c) => textAt(c, 'status') === 'False' && textAt(c, 'severity') === 'Error');
  if (errors.length > 0) return health('Degraded', errors.map((c) => `${textAt(c, 'message') ?? ''} `).join(''));
  return at(object, 'status.ready') === false
    ? health('Progressing', 'Control plane is not ready (.status.ready is false)')
    : health('Progressing', 'Control plane is not ready');
}

function ceph(object: KubeObject): Health {
  const cephHealth = textAt(object, 'status.ceph.health');
  const state = textAt(object, 'status.state');
  const said: string[] = [];
  let status: Health['status'] = 'Progressing';
  if (cephHealth !== undefined) {
    if (cephHealth === 'HEALTH_ERR' || cephHealth === 'HEALTH_WARN') status = 'Degraded';
    else if (cephHealth === 'HEALTH_OK') status = 'Healthy';
    const details = Object.entries(at(object, 'status.ceph.details') ?? {})
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, detail]) => textAt(detail, 'message'))
      .filter((message) => message !== undefined);
    said.push(`Ceph health is ${cephHealth}${details.length > 0 ? ` (${details.join('; ')})` : ''}`);
  }
  if (state !== undefined && status === 'Healthy') {
    said.push(`Ceph cluster state is ${state}`);
    if (state === 'Error') status = 'Degraded';
    else if (state !== 'Created' && state !== 'Connected') status = 'Progressing';
  }
  said.push(textAt(object, 'status.message') ?? '');
  return health(status, said.filter((part) => part !== '').join(' - '));
}

function cephObjectStore(object: KubeObject): Health {
  const phase = textAt(object, 'status.phase');
  const endpoint = textAt(object, 'status.info.endpoint') ?? '';
  const said = phase === undefined ? 'Waiting for status to be reported' : `Ceph object store phase is ${phase}`;
  const status = phase === 'Ready' ? 'Healthy' : phase === 'Failure' ? 'Degraded' : 'Progressing';
  return health(status, endpoint === '' ? said : `${said} - endpoint: ${endpoint}`);
}

const dataVolume = firstOf(
  field('status.phase', {
    Succeeded: ['Healthy', '{.status.phase}'],
    Paused: ['Suspended', '{.status.phase}'],
  }),
  conditions(['Running=False/Error', 'Degraded']),
  field('status.phase', { Failed: ['Degraded', '{.status.phase}'], Unknown: ['Degraded', '{.status.phase}'] }, [
    'Progressing',
    '{.status.phase}',
  ]),
  always('Progressing', 'No status available'),
);

function virtualMachine(object: KubeObject): Health {
  let found = health('Progressing', 'No status available');
  for (const condition of items(object, 'status.conditions')) {
    const type = textAt(condition, 'type');
    const isTrue = textAt(condition, 'status') === 'True';
    if (type === 'Paused' && isTrue) return health('Suspended', 'Paused');
    if (type !== 'Ready') continue;
    if (isTrue) found = health('Healthy', 'Running');
    else if (at(object, 'status.created') === true) found = health(found.status, 'Starting');
    else found = health('Suspended', 'Stopped');
  }
  return health(found.status, textAt(object, 'status.printableStatus') ?? found.message);
}

function virtualMachineInstance(object: KubeObject): Health {
  const phase = textAt(object, 'status.phase');
  const known = field('status.phase', {
    Failed: ['Degraded', 'Failed'],
    Pending: ['Progressing', 'Pending'],
    Scheduling: ['Progressing', 'Scheduling'],
    Scheduled: ['Progressing', 'Scheduled'],
    Succeeded: ['Suspended', 'Succeeded'],
    Unknown: ['Unknown', 'Unknown'],
  })(object);
  if (known !== undefined) return known;
  let found = health('Progressing', phase ?? 'No status available');
  for (const condition of items(object, 'status.conditions')) {
    const isTrue = textAt(condition, 'status') === 'True';
    const message = textAt(condition, 'message');
    if (textAt(condition, 'type') === 'Ready')
      found = isTrue ? health('Healthy', 'Running') : health('Degraded', message);
    else if (textAt(condition, 'type') === 'Paused' && isTrue) return health('Suspended', message);
  }
  return found;
}

const astraRuns = firstOf(
  field('status.state', { Completed: ['Healthy', '{.kind} Completed'], Running: ['Progressing', '{.kind} Running'] }, [
    'Degraded',
    '{.status.state}',
  ]),
  always('Progressing', 'No status available'),
);

function shoot(object: KubeObject): Health {
  switch (object.metadata.labels?.['shoot.gardener.cloud/status']) {
    case 'healthy':
      return health('Healthy', 'Component state: Healthy');
    case 'progressing':
      return health('Progressing', 'Component state: Update in progress');
    case 'unhealthy':
      return health('Degraded', 'Component state: Unhealthy');
    case 'unknown':
      return health('Unknown', 'Component state: Unknown');
    default:
      return health('Progressing', 'Update in progress');
  }
}

/** Machines, nodes, disks and whole clusters. */
export const clusterKinds: Catalogue = {
  'addons.cluster.x-k8s.io/ClusterResourceSet': firstOf(
    conditions(
      ['ResourcesApplied=True', 'Healthy', 'cluster resource set is applied'],
      ['ResourcesApplied=False', 'Degraded'],
    ),
    always('Progressing', 'Initializing cluster resource set'),
  ),
  'cluster.x-k8s.io/Cluster': firstOf(
    whenTrue('spec.paused', 'Suspended', 'Cluster is paused'),
    (object) => {
      const fault = items(object, 'status.conditions').find(
        (c) => textAt(c, 'type') === 'Ready' && textAt(c, 'status') === 'False' && textAt(c, 'severity') !== 'Info',
      );
      return fault === undefined ? undefined : health('Degraded', textAt(fault, 'message'));
    },
    field('status.phase', { Provisioned: ['Healthy', 'Cluster is running'], Failed: ['Degraded'] }),
    always('Progressing', 'Waiting for clusters'),
  ),
  'cluster.x-k8s.io/Machine': machine,
  'cluster.x-k8s.io/MachineDeployment': firstOf(
    whenTrue('spec.paused', 'Suspended', 'MachineDeployment is paused'),
    field('status.phase', {
      Running: ['Healthy', 'Machines are running under this deployment'],
      ScalingUp: ['Progressing', 'Cluster is spawning machines'],
      ScalingDown: ['Progressing', 'Cluster is stopping machines'],
      Failed: ['Degraded', 'MachineDeployment is failed'],
    }),
    always('Progressing', 'Waiting for machines'),
  ),
  'cluster.x-k8s.io/MachineHealthCheck': firstOf(
    given('status.currentHealthy', (object) =>
      health(at(object, 'status.expectedMachines') === at(object, 'status.currentHealthy') ? 'Healthy' : 'Degraded'),
    ),
    always('Progressing'),
  ),
  'cluster.x-k8s.io/MachinePool': machinePool,
  'controlplane.cluster.x-k8s.io/AWSManagedControlPlane': firstOf(
    behind('Waiting for the control plane spec to be reconciled'),
    (object) => {
      const failure = textAt(object, 'status.failureMessage') ?? '';
      return failure === '' ? undefined : health('Degraded', failure);
    },
    given('status.conditions', awsControlPlane),
    always('Progressing', 'Provisioning...'),
  ),
  'core.gardener.cloud/Shoot': shoot,
  'karpenter.k8s.aws/EC2NodeClass': firstOf(
    conditions(['Ready=False', 'Degraded'], ['Ready=True', 'Healthy', 'EC2NodeClass is ready']),
    always('Progressing', 'Waiting for EC2NodeClass to be ready'),
  ),
  'karpenter.sh/NodeClaim': firstOf(
    behind('Waiting for NodeClaim spec to be reconciled'),
    conditions(['Disrupting=True', 'Suspended']),
    conditions(['Ready=True', 'Healthy'], ['Ready=False', 'Degraded']),
    conditions(['Initialized=True', 'Progressing', 'Node initialized, waiting for Ready']),
    conditions(['Registered=True', 'Progressing', 'Node registered, waiting for initialization']),
    conditions(['Launched=True', 'Progressing', 'Node launched, waiting for registration']),
    always('Progressing', 'Waiting for NodeClaim to be launched'),
  ),
  'karpenter.sh/NodePool': firstOf(
    conditions(['Ready=False', 'Degraded'], ['Ready=True', 'Healthy']),
    always('Progressing', 'Waiting for NodePool to be ready'),
  ),
  'ceph.rook.io/CephCluster': firstOf(
    without('status', always('Progressing', 'Waiting for status to be reported')),
    ceph,
  ),
  'ceph.rook.io/CephObjectStore': cephObjectStore,
  'objectbucket.io/ObjectBucketClaim': firstOf(
    field(
      'status.phase',
      {
        Bound: ['Healthy', 'Object bucket claim phase is Bound'],
        Failed: ['Degraded', 'Object bucket claim phase is Failed'],
      },
      ['Progressing', 'Object bucket claim phase is {.status.phase}'],
    ),
    given('status', always('Progressing', 'Waiting for phase to be reported')),
    always('Progressing', 'Waiting for status to be reported'),
  ),
  'ocs.openshift.io/StorageCluster': firstOf(
    conditions(['Degraded=True', 'Degraded']),
    conditions(['Progressing=True', 'Progressing']),
    conditions(['Available=True', 'Healthy']),
    always('Unknown', 'StorageCluster is in an unknown state.'),
  ),
  'cdi.kubevirt.io/DataVolume': dataVolume,
  'kubevirt.io/VirtualMachine': virtualMachine,
  'kubevirt.io/VirtualMachineInstance': virtualMachineInstance,
  'nmstate.io/NodeNetworkConfigurationPolicy': firstOf(
    (object) => {
      for (const condition of items(object, 'status.conditions')) {
        const statuses = {
          Available: 'Healthy',
          Degraded: 'Degraded',
          Progressing: 'Progressing',
          Ignored: 'Suspended',
        } as const;
        const type = textAt(condition, 'type') ?? '';
        const status = Object.entries(statuses).find(([name]) => name === type)?.[1];
        if (status === undefined || textAt(condition, 'status') !== 'True') continue;
        const parts = [textAt(condition, 'reason'), textAt(condition, 'message')];
        return health(status, parts.filter((part) => part !== undefined && part !== '').join(': '));
      }
      return undefined;
    },
    always('Progressing', 'Waiting for policy to be applied'),
  ),
  'astra.netapp.io/AppVault': firstOf(
    field('status.state', {
      available: ['Healthy', '{.kind} Available'],
      Available: ['Healthy', '{.kind} Available'],
      failed: ['Degraded', '{.kind} Failed'],
      Failed: ['Degraded', '{.kind} Failed'],
    }),
    always('Progressing', 'No status available'),
  ),
  'astra.netapp.io/Application': firstOf(
    conditions(
      ['Ready=True', 'Healthy', 'Astra Application Ready, protectionState: {.status.protectionState}'],
      ['Ready=False', 'Degraded', 'Astra Application Degraded, message: {message}'],
    ),
    always('Progressing', 'No status available'),
  ),
  'astra.netapp.io/ExecHook': firstOf(
    field('spec.enabled', { true: ['Healthy', '{.kind} enabled'], false: ['Suspended', '{.kind} disabled'] }),
    always('Progressing', 'No status available'),
  ),
  ...kinds(
    'astra.netapp.io',
    ['Backup', 'ExecHooksRun', 'ResourceBackup', 'ResticVolumeBackup', 'Snapshot'],
    () => astraRuns,
  ),
  'astra.netapp.io/Schedule': firstOf(
    given(
      'status.lastScheduleTime',
      always('Healthy', 'Protection policy lastScheduleTime: {.status.lastScheduleTime}'),
    ),
    always('Healthy', 'Protection policy not yet executed'),
  ),
  'trident.netapp.io/TridentBackendConfig': firstOf(
    (object) =>
      textAt(object, 'status.phase') === 'Bound' && textAt(object, 'status.lastOperationStatus') === 'Success'
        ? health('Healthy', textAt(object, 'status.message'))
        : undefined,
    field('status.lastOperationStatus', { Failed: ['Degraded', '{.status.message}'] }),
    always('Progressing', 'Waiting for backend creation'),
  ),
  'trident.netapp.io/TridentOrchestrator': firstOf(
    field('status.status', {
      Installed: ['Healthy', '{.status.message}'],
      Failed: ['Degraded', '{.status.message}'],
      Error: ['Degraded', '{.status.message}'],
    }),
    always('Progressing', 'Waiting for trident installation'),
  ),
};
