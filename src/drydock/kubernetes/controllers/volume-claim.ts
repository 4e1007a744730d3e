import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { timestamp } from '#base/clock.ts';
import { getArray, getObject, getString, jsonEqual } from '#base/json.ts';
import type { Outcome } from '#base/outcome.ts';
import type { ApiObject } from '../api/port.ts';
import { keyOf, splitKey } from './key.ts';
import { type Controller, type ControllerDeps, deleteIfPresent, isAlreadyExists } from './loop.ts';
import { podPhase } from './pod-state.ts';

const manager = 'persistentvolume-binder';
const provisioner = 'drydock.slipway.dev/directory';
const claimFinalizer = 'kubernetes.io/pvc-protection';
const volumeFinalizer = 'kubernetes.io/pv-protection';

/** Makes a directory volume for each claim, of whatever class, and takes it away as its reclaim policy says. */
export function volumeClaimController(deps: ControllerDeps, volumesDir: string): Controller {
  return {
    name: 'volume-claim',
    watches: [
      { resource: 'persistentvolumeclaims', names: (claim) => [`claim:${keyOf(claim)}`] },
      { resource: 'persistentvolumes', names: (volume) => volumeNames(volume) },
      { resource: 'pods', names: (pod) => claimsOfPod(pod) },
    ],
    tick: (name) =>
      name.startsWith('claim:')
        ? tickClaim(deps, name.slice(6), volumesDir)
        : tickVolume(deps, name.slice(7), volumesDir),
  };
}

function volumeNames(volume: ApiObject): string[] {
  const claim = getString(volume, 'spec', 'claimRef', 'name');
  const namespace = getString(volume, 'spec', 'claimRef', 'namespace');
  const own = `volume:${volume.metadata.name}`;
  return claim === undefined ? [own] : [own, `claim:${namespace}/${claim}`];
}

function claimsOfPod(pod: ApiObject): string[] {
  return getArray(pod, 'spec', 'volumes')
    .map((volume) => getString(volume, 'persistentVolumeClaim', 'claimName'))
    .filter((name) => name !== undefined)
    .map((name) => `claim:${pod.metadata.namespace ?? ''}/${name}`);
}

async function tickClaim(deps: ControllerDeps, key: string, volumesDir: string): Promise<Outcome> {
  const { api, events } = deps;
  const { namespace, name } = splitKey(key);
  const claim = api.get('persistentvolumeclaims', namespace, name);
  if (!claim) return volumesOfLostClaim(deps, key, volumesDir);
  if (claim.metadata.deletionTimestamp !== undefined) {
    const used = api
      .list('pods', namespace === undefined ? {} : { namespace })
      .some((pod) => isUsing(pod) && claimsOfPod(pod).includes(`claim:${key}`));
    if (!used) await dropFinalizer(deps, 'persistentvolumeclaims', claim, claimFinalizer);
    return { kind: 'done' };
  }
  if (getString(claim, 'status', 'phase') === 'Bound') return { kind: 'done' };
  const volumeName = getString(claim, 'spec', 'volumeName') || `pvc-${claim.metadata.uid}`;
  let volume = api.get('persistentvolumes', undefined, volumeName);
  if (!volume) {
    if (getString(claim, 'spec', 'volumeName')) return { kind: 'done' };
    try {
      volume = await api.create(directoryVolume(claim, volumeName, volumesDir), manager);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      return { kind: 'waiting', reason: 'Conflict', message: '', retryAfterMs: 20 };
    }
    const message = `Successfully provisioned volume ${volumeName}`;
    events.record(manager, claim, { type: 'Normal', reason: 'ProvisioningSucceeded', message });
  }
  await setStatus(deps, volume, { phase: 'Bound' });
  const annotations = { 'pv.kubernetes.io/bind-completed': 'yes', 'pv.kubernetes.io/bound-by-controller': 'yes' };
  const patch = { metadata: { annotations }, spec: { volumeName } };
  const bound = await api.mergePatch('persistentvolumeclaims', namespace, name, patch, { manager });
  await setStatus(deps, bound, {
    phase: 'Bound',
    accessModes: getArray(claim, 'spec', 'accessModes'),
    capacity: getObject(volume, 'spec', 'capacity'),
  });
  return { kind: 'done' };
}

function isUsing(pod: ApiObject): boolean {
  const phase = podPhase(pod);
  return phase !== 'Succeeded' && phase !== 'Failed';
}

function directoryVolume(claim: ApiObject, name: string, volumesDir: string): ApiObject {
  const storageClassName = getString(claim, 'spec', 'storageClassName');
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, annotations: { 'pv.kubernetes.io/provisioned-by': provisioner } },
    spec: {
      capacity: getObject(claim, 'spec', 'resources', 'requests'),
      accessModes: getArray(claim, 'spec', 'accessModes'),
      persistentVolumeReclaimPolicy: 'Delete',
      ...(storageClassName === undefined ? {} : { storageClassName }),
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        namespace: claim.metadata.namespace,
        name: claim.metadata.name,
        uid: claim.metadata.uid,
      },
      hostPath: { path: join(volumesDir, name), type: 'DirectoryOrCreate' },
    },
  };
}

async function volumesOfLostClaim(deps: ControllerDeps, key: string, volumesDir: string): Promise<Outcome> {
  for (const volume of deps.api.list('persistentvolumes'))
    if (volumeNames(volume).includes(`claim:${key}`)) await tickVolume(deps, volume.metadata.name, volumesDir);
  return { kind: 'done' };
}

async function tickVolume(deps: ControllerDeps, name: string, volumesDir: string): Promise<Outcome> {
  const { api } = deps;
  const volume = api.get('persistentvolumes', undefined, name);
  if (!volume) return { kind: 'done' };
  const claimName = getString(volume, 'spec', 'claimRef', 'name');
  const claim =
    claimName === undefined
      ? undefined
      : api.get('persistentvolumeclaims', getString(volume, 'spec', 'claimRef', 'namespace'), claimName);
  const lost =
    claimName !== undefined && (!claim || claim.metadata.uid !== getString(volume, 'spec', 'claimRef', 'uid'));
  const ours = volume.metadata.annotations?.['pv.kubernetes.io/provisioned-by'] === provisioner;
  const reclaim = getString(volume, 'spec', 'persistentVolumeReclaimPolicy');
  if (volume.metadata.deletionTimestamp !== undefined) {
    if (claim && !lost) return { kind: 'done' };
    if (ours && reclaim === 'Delete') await rm(join(volumesDir, name), { recursive: true, force: true });
    await dropFinalizer(deps, 'persistentvolumes', volume, volumeFinalizer);
    return { kind: 'done' };
  }
  if (claimName === undefined) await setStatus(deps, volume, { phase: 'Available' });
  else if (lost && reclaim === 'Delete' && ours) await deleteIfPresent(api, 'persistentvolumes', volume);
  else if (lost) await setStatus(deps, volume, { phase: 'Released' });
  return { kind: 'done' };
}

async function setStatus(deps: ControllerDeps, object: ApiObject, wanted: Record<string, unknown>): Promise<void> {
  const before = getObject(object, 'status');
  const status = { ...before, ...wanted };
  if (jsonEqual(before, status)) return;
  const moved =
    object.kind === 'PersistentVolume' && before['phase'] !== wanted['phase']
      ? { lastPhaseTransitionTime: timestamp(deps.clock.now()) }
      : {};
  await deps.api.updateStatus({ ...object, status: { ...status, ...moved } }, manager);
}

async function dropFinalizer(
  deps: ControllerDeps,
  resource: string,
  object: ApiObject,
  finalizer: string,
): Promise<void> {
  const { namespace, name, resourceVersion, finalizers = [] } = object.metadata;
  if (!finalizers.includes(finalizer)) return;
  const left = finalizers.filter((other) => other !== finalizer);
  const patch = { metadata: { resourceVersion, finalizers: left.length > 0 ? left : null } };
  await deps.api.mergePatch(resource, namespace, name, patch, { manager });
}
