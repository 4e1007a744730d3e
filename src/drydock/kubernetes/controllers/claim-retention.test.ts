import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiObject, ApiOwnerReference } from '../api/port.ts';
import { claimNames, planClaimOwners } from './claim-retention.ts';

function setWith(whenDeleted: string, whenScaled: string): ApiObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 's', uid: 'set' },
    spec: {
      persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled },
      volumeClaimTemplates: [{ metadata: { name: 'data' } }],
    },
  };
}

const pod: ApiObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 's-1', uid: 'pod' } };
const other: ApiOwnerReference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'c', uid: 'c' };
const ofSet: ApiOwnerReference = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  name: 's',
  uid: 'set',
  controller: true,
  blockOwnerDeletion: true,
};
const ofPod: ApiOwnerReference = { ...ofSet, apiVersion: 'v1', kind: 'Pod', name: 's-1', uid: 'pod' };

const rows: { policy: [string, string]; condemned?: true; before?: ApiOwnerReference[]; want?: string[] }[] = [
  { policy: ['Retain', 'Retain'] },
  { policy: ['Retain', 'Retain'], before: [ofSet, other], want: ['c'] },
  { policy: ['Delete', 'Retain'], want: ['set'] },
  { policy: ['Delete', 'Retain'], before: [ofSet] },
  { policy: ['Delete', 'Retain'], condemned: true, before: [ofSet] },
  { policy: ['Retain', 'Delete'] },
  { policy: ['Retain', 'Delete'], condemned: true, before: [other], want: ['c', 'pod'] },
  { policy: ['Delete', 'Delete'], condemned: true, before: [ofSet], want: ['pod'] },
  { policy: ['Delete', 'Delete'], before: [ofPod], want: ['set'] },
];

for (const { policy, condemned, before = [], want } of rows) {
  const owners = before.map(({ uid }) => uid).join();
  test(`claim kept ${policy.join('/')}, ${condemned ? 'its pod goes' : 'its pod stays'}, of ${owners || 'nobody'}`, () => {
    const set = setWith(...policy);
    const [name = ''] = claimNames(set, 's-1');
    const metadata = { name, ...(before.length > 0 ? { ownerReferences: before } : {}) };
    const claim: ApiObject = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata };
    const plan = planClaimOwners(set, [claim], new Map(condemned ? [['data-s-1', pod]] : []));
    assert.deepEqual(
      plan.map((step) => step.owners.map(({ uid }) => uid)),
      want ? [want] : [],
    );
  });
}
