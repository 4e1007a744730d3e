import { getArray, getNumber, getObject, getPath, getString } from '#base/json.ts';
import type { ApiObject } from '../port.ts';
import { humanDuration } from './age.ts';
import { integer, text } from './columns-core.ts';
import type { TableColumn } from './table-columns.ts';

const wide = { priority: 1 };

function subjects(binding: ApiObject, kind: string): string {
  return getArray(binding, 'subjects')
    .filter((subject) => getString(subject, 'kind') === kind)
    .map((subject) => {
      const name = getString(subject, 'name') ?? '';
      const namespace = getString(subject, 'namespace');
      return kind === 'ServiceAccount' && namespace !== undefined ? `${namespace}/${name}` : name;
    })
    .join(', ');
}

const bindingColumns: (TableColumn | 'age')[] = [
  text('Role', (binding) => {
    const role = getObject(binding, 'roleRef');
    return `${String(role['kind'] ?? '')}/${String(role['name'] ?? '')}`;
  }),
  'age',
  text('Users', (binding) => subjects(binding, 'User'), wide),
  text('Groups', (binding) => subjects(binding, 'Group'), wide),
  text('ServiceAccounts', (binding) => subjects(binding, 'ServiceAccount'), wide),
];

function boolean(name: string, ...path: string[]): TableColumn {
  return { name, type: 'boolean', cell: (object) => getPath(object, ...path) === true };
}

function csrCondition(csr: ApiObject): string {
  const types = getArray(csr, 'status', 'conditions').map((condition) => getString(condition, 'type'));
  const decided = types.includes('Denied') ? 'Denied' : types.includes('Approved') ? 'Approved' : 'Pending';
  const words = [decided];
  if (types.includes('Failed')) words.push('Failed');
  if ((getString(csr, 'status', 'certificate') ?? '') !== '') words.push('Issued');
  return words.join(',');
}

/** `services/default/kubernetes`. */
function parentOf(address: ApiObject): string {
  const { group = '', resource = '', namespace = '', name = '' } = getObject(address, 'spec', 'parentRef');
  const kind = group === '' ? String(resource) : `${String(resource)}.${String(group)}`;
  return kind === '' ? '<none>' : [kind, namespace, name].filter((part) => part !== '').join('/');
}

function limited(level: ApiObject, ...path: string[]): string {
  const value = getNumber(level, 'spec', 'limited', ...path);
  return value === undefined ? '<none>' : String(value);
}

const webhooks: (TableColumn | 'age')[] = [integer('Webhooks', (object) => getArray(object, 'webhooks').length), 'age'];

export const clusterColumns: Record<string, (TableColumn | 'age')[]> = {
  'clusterrolebindings.rbac.authorization.k8s.io': bindingColumns,
  'rolebindings.rbac.authorization.k8s.io': bindingColumns,
  'storageclasses.storage.k8s.io': [
    text('Provisioner', (object) => getString(object, 'provisioner') ?? ''),
    text('ReclaimPolicy', (object) => getString(object, 'reclaimPolicy') ?? 'Delete'),
    text('VolumeBindingMode', (object) => getString(object, 'volumeBindingMode') ?? 'Immediate'),
    text('AllowVolumeExpansion', (object) => String(getPath(object, 'allowVolumeExpansion') === true)),
    'age',
  ],
  'csidrivers.storage.k8s.io': [
    boolean('AttachRequired', 'spec', 'attachRequired'),
    boolean('PodInfoOnMount', 'spec', 'podInfoOnMount'),
    boolean('StorageCapacity', 'spec', 'storageCapacity'),
    text(
      'TokenRequests',
      (object) =>
        getArray(object, 'spec', 'tokenRequests')
          .map((request) => getString(request, 'audience') ?? '')
          .join(',') || '<unset>',
    ),
    boolean('RequiresRepublish', 'spec', 'requiresRepublish'),
    text('Modes', (object) => getArray(object, 'spec', 'volumeLifecycleModes').map(String).join(',')),
    'age',
  ],
  'csinodes.storage.k8s.io': [integer('Drivers', (object) => getArray(object, 'spec', 'drivers').length), 'age'],
  'volumeattachments.storage.k8s.io': [
    text('Attacher', (object) => getString(object, 'spec', 'attacher') ?? '', { format: 'name' }),
    text('PV', (object) => getString(object, 'spec', 'source', 'persistentVolumeName') ?? ''),
    text('Node', (object) => getString(object, 'spec', 'nodeName') ?? ''),
    boolean('Attached', 'status', 'attached'),
    'age',
  ],
  'priorityclasses.scheduling.k8s.io': [
    integer('Value', (object) => Number(getPath(object, 'value') ?? 0)),
    boolean('Global-Default', 'globalDefault'),
    'age',
    text('PreemptionPolicy', (object) => getString(object, 'preemptionPolicy') ?? 'PreemptLowerPriority'),
  ],
  'leases.coordination.k8s.io': [text('Holder', (object) => getString(object, 'spec', 'holderIdentity') ?? ''), 'age'],
  'runtimeclasses.node.k8s.io': [text('Handler', (object) => getString(object, 'handler') ?? ''), 'age'],
  'certificatesigningrequests.certificates.k8s.io': [
    'age',
    text('SignerName', (object) => getString(object, 'spec', 'signerName') ?? '<none>'),
    text('Requestor', (object) => getString(object, 'spec', 'username') ?? ''),
    text('RequestedDuration', (object) => {
      const seconds = getNumber(object, 'spec', 'expirationSeconds');
      return seconds === undefined ? '<none>' : humanDuration(seconds * 1000);
    }),
    text('Condition', csrCondition),
  ],
  'ipaddresses.networking.k8s.io': [text('ParentRef', parentOf)],
  'servicecidrs.networking.k8s.io': [
    text('CIDRs', (object) => getArray(object, 'spec', 'cidrs').map(String).join(',')),
    'age',
  ],
  'validatingadmissionpolicies.admissionregistration.k8s.io': [
    integer('Validations', (object) => getArray(object, 'spec', 'validations').length),
    text('ParamKind', (object) => {
      const { apiVersion, kind } = getObject(object, 'spec', 'paramKind');
      return kind === undefined ? '<unset>' : `${String(apiVersion)}/${String(kind)}`;
    }),
    'age',
  ],
  'validatingadmissionpolicybindings.admissionregistration.k8s.io': [
    text('PolicyName', (object) => getString(object, 'spec', 'policyName') ?? ''),
    text('ParamRef', (object) => {
      const { namespace, name } = getObject(object, 'spec', 'paramRef');
      if (name === undefined) return '<unset>';
      return namespace === undefined ? String(name) : `${String(namespace)}/${String(name)}`;
    }),
    'age',
  ],
  'flowschemas.flowcontrol.apiserver.k8s.io': [
    text('PriorityLevel', (object) => getString(object, 'spec', 'priorityLevelConfiguration', 'name') ?? ''),
    text('MatchingPrecedence', (object) => String(getNumber(object, 'spec', 'matchingPrecedence') ?? 0)),
    text('DistinguisherMethod', (object) => getString(object, 'spec', 'distinguisherMethod', 'type') ?? '<none>'),
    'age',
    text('MissingPL', (object) => {
      const dangling = getArray(object, 'status', 'conditions').find((item) => getString(item, 'type') === 'Dangling');
      return getString(dangling, 'status') ?? '?';
    }),
  ],
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io': [
    text('Type', (object) => getString(object, 'spec', 'type') ?? ''),
    text('NominalConcurrencyShares', (object) => limited(object, 'nominalConcurrencyShares')),
    text('Queues', (object) => limited(object, 'limitResponse', 'queuing', 'queues')),
    text('HandSize', (object) => limited(object, 'limitResponse', 'queuing', 'handSize')),
    text('QueueLengthLimit', (object) => limited(object, 'limitResponse', 'queuing', 'queueLengthLimit')),
    'age',
  ],
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': webhooks,
  'validatingwebhookconfigurations.admissionregistration.k8s.io': webhooks,
};
