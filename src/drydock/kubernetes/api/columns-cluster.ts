import { getArray, getObject, getPath, getString } from '#base/json.ts';
import { integer, text } from './columns-core.ts';
import type { ApiObject } from './port.ts';
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

const webhooks: (TableColumn | 'age')[] = [integer('Webhooks', (object) => getArray(object, 'webhooks').length), 'age'];

export const clusterColumns: Record<string, (TableColumn | 'age')[]> = {
  'clusterrolebindings.rbac.authorization.k8s.io': bindingColumns,
  'rolebindings.rbac.authorization.k8s.io': bindingColumns,
  'storageclasses.storage.k8s.io': [
    text('Provisioner', (object) => getString(object, 'provisioner') ?? ''),
    text('ReclaimPolicy', (object) => getString(object, 'reclaimPolicy') ?? 'Delete'),
    text('VolumeBindingMode', (object) => getString(object, 'volumeBindingMode') ?? 'Immediate'),
    boolean('AllowVolumeExpansion', 'allowVolumeExpansion'),
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
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': webhooks,
  'validatingwebhookconfigurations.admissionregistration.k8s.io': webhooks,
};
