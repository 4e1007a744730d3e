import { getArray, getNumber, getObject, getString, isObject } from '#base/json.ts';
import type { ApiObject } from '../port.ts';
import { ageOf } from './age.ts';
import type { TableColumn } from './table-columns.ts';

const wide = { priority: 1 };

export function text(name: string, cell: TableColumn['cell'], extra: Partial<TableColumn> = {}): TableColumn {
  return { name, type: 'string', ...extra, cell };
}

export function integer(name: string, cell: TableColumn['cell']): TableColumn {
  return { name, type: 'integer', cell };
}

export function orNone(value: string | undefined): string {
  return value === undefined || value === '' ? '<none>' : value;
}

function size(object: ApiObject, ...fields: string[]): number {
  return fields.reduce((sum, field) => sum + Object.keys(getObject(object, field)).length, 0);
}

const accessModes: Record<string, string> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

function modes(list: unknown[]): string {
  return list.map((mode) => accessModes[String(mode)] ?? String(mode)).join(',');
}

function storageClass(object: ApiObject): string {
  const annotated = object.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'];
  return annotated ?? getString(object, 'spec', 'storageClassName') ?? '';
}

function deletingOr(object: ApiObject, phase: string): string {
  return object.metadata.deletionTimestamp === undefined ? phase : 'Terminating';
}

function eventAge(event: ApiObject, now: number): string {
  const series = getNumber(event, 'series', 'count');
  const last = getString(event, 'series', 'lastObservedTime') ?? getString(event, 'lastTimestamp');
  const first = eventFirst(event, now);
  const count = series ?? getNumber(event, 'count') ?? 1;
  const shown = last === undefined ? first : ageOf(last, now);
  return count > 1 ? `${shown} (x${count} over ${first})` : shown;
}

function eventFirst(event: ApiObject, now: number): string {
  return ageOf(getString(event, 'firstTimestamp') ?? getString(event, 'eventTime'), now);
}

function eventSource(event: ApiObject): string {
  const component = getString(event, 'source', 'component') ?? getString(event, 'reportingComponent') ?? '';
  const host = getString(event, 'source', 'host') ?? '';
  return host === '' ? component : `${component}, ${host}`;
}

function nodeStatus(node: ApiObject): string {
  const ready = getArray(node, 'status', 'conditions').find((item) => getString(item, 'type') === 'Ready');
  const words = [ready === undefined ? 'Unknown' : getString(ready, 'status') === 'True' ? 'Ready' : 'NotReady'];
  if (getObject(node, 'spec')['unschedulable'] === true) words.push('SchedulingDisabled');
  return words.join(',');
}

function nodeRoles(node: ApiObject): string {
  const prefix = 'node-role.kubernetes.io/';
  const roles = Object.keys(node.metadata.labels ?? {})
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length));
  return orNone(roles.sort().join(','));
}

function nodeAddress(node: ApiObject, type: string): string {
  const found = getArray(node, 'status', 'addresses').find((item) => getString(item, 'type') === type);
  return orNone(getString(found, 'address'));
}

function endpointList(endpoints: ApiObject): string {
  const all = getArray(endpoints, 'subsets')
    .filter(isObject)
    .flatMap((subset) => {
      const ports = getArray(subset, 'ports').map((port) => getNumber(port, 'port'));
      const addresses = getArray(subset, 'addresses').map((address) => getString(address, 'ip') ?? '');
      if (ports.length === 0) return addresses;
      return ports.flatMap((port) => addresses.map((address) => `${address}:${port}`));
    });
  const more = all.length > 3 ? ` + ${all.length - 3} more...` : '';
  return orNone(all.slice(0, 3).join(',') + more);
}

export const coreColumns: Record<string, (TableColumn | 'age')[]> = {
  configmaps: [text('Data', (object) => size(object, 'data', 'binaryData')), 'age'],
  endpoints: [text('Endpoints', endpointList), 'age'],
  events: [
    text('Last Seen', eventAge),
    text('Type', (event) => getString(event, 'type') ?? ''),
    text('Reason', (event) => getString(event, 'reason') ?? ''),
    text('Object', (event) => {
      const about = getObject(event, 'involvedObject');
      return `${String(about['kind'] ?? '').toLowerCase()}/${String(about['name'] ?? '')}`;
    }),
    text('Subobject', (event) => getString(event, 'involvedObject', 'fieldPath') ?? '', wide),
    text('Source', eventSource, wide),
    text('Message', (event) => (getString(event, 'message') ?? '').trim()),
    text('First Seen', eventFirst, wide),
    text('Count', (event) => String(getNumber(event, 'series', 'count') ?? getNumber(event, 'count') ?? 1), wide),
  ],
  namespaces: [text('Status', (object) => getString(object, 'status', 'phase') ?? ''), 'age'],
  nodes: [
    text('Status', nodeStatus),
    text('Roles', nodeRoles),
    'age',
    text('Version', (node) => getString(node, 'status', 'nodeInfo', 'kubeletVersion') ?? ''),
    text('Internal-IP', (node) => nodeAddress(node, 'InternalIP'), wide),
    text('External-IP', (node) => nodeAddress(node, 'ExternalIP'), wide),
    text('OS-Image', (node) => getString(node, 'status', 'nodeInfo', 'osImage') ?? '<unknown>', wide),
    text('Kernel-Version', (node) => getString(node, 'status', 'nodeInfo', 'kernelVersion') ?? '<unknown>', wide),
    text(
      'Container-Runtime',
      (node) => getString(node, 'status', 'nodeInfo', 'containerRuntimeVersion') ?? '<unknown>',
      wide,
    ),
  ],
  persistentvolumeclaims: [
    text('Status', (claim) => deletingOr(claim, getString(claim, 'status', 'phase') ?? '')),
    text('Volume', (claim) => getString(claim, 'spec', 'volumeName') ?? ''),
    text('Capacity', (claim) => getString(claim, 'status', 'capacity', 'storage') ?? ''),
    text('Access Modes', (claim) => modes(getArray(claim, 'status', 'accessModes'))),
    text('StorageClass', storageClass),
    text('VolumeAttributesClass', () => '<unset>'),
    'age',
    text('VolumeMode', (claim) => getString(claim, 'spec', 'volumeMode') ?? '<unset>', wide),
  ],
  persistentvolumes: [
    text('Capacity', (volume) => getString(volume, 'spec', 'capacity', 'storage') ?? ''),
    text('Access Modes', (volume) => modes(getArray(volume, 'spec', 'accessModes'))),
    text('Reclaim Policy', (volume) => getString(volume, 'spec', 'persistentVolumeReclaimPolicy') ?? ''),
    text('Status', (volume) => deletingOr(volume, getString(volume, 'status', 'phase') ?? '')),
    text('Claim', (volume) => {
      const claim = getObject(volume, 'spec', 'claimRef');
      return claim['name'] === undefined ? '' : `${String(claim['namespace'])}/${String(claim['name'])}`;
    }),
    text('StorageClass', storageClass),
    text('VolumeAttributesClass', () => '<unset>'),
    text('Reason', (volume) => getString(volume, 'status', 'reason') ?? ''),
    'age',
    text('VolumeMode', (volume) => getString(volume, 'spec', 'volumeMode') ?? '<unset>', wide),
  ],
  secrets: [
    text('Type', (secret) => getString(secret, 'type') ?? ''),
    text('Data', (secret) => size(secret, 'data')),
    'age',
  ],
  serviceaccounts: [text('Secrets', (account) => getArray(account, 'secrets').length), 'age'],
  resourcequotas: [
    text('Request', (quota) => quotaText(quota, false)),
    text('Limit', (quota) => quotaText(quota, true)),
    'age',
  ],
};

function quotaText(quota: ApiObject, limits: boolean): string {
  const used = getObject(quota, 'status', 'used');
  return Object.entries(getObject(quota, 'status', 'hard'))
    .filter(([name]) => name.startsWith('limits.') === limits)
    .map(([name, hard]) => `${name}: ${String(used[name] ?? 0)}/${String(hard)}`)
    .join(', ');
}
