import { getArray, jsonEqual } from '#base/json.ts';
import type { Outcome } from '#base/outcome.ts';
import type { ApiObject } from '../api/port.ts';
import {
  endpointSubsets,
  endpointsOf,
  isManagedSlice,
  planSlices,
  serviceNameLabel,
  serviceSelector,
} from './endpoint-plan.ts';
import { keyOf, splitKey } from './key.ts';
import { type Controller, type ControllerDeps, deleteIfPresent } from './loop.ts';
import { ownerReferenceTo } from './ownership.ts';
import { nameSuffix } from './pod-template.ts';
import { matchesSelector } from './selector.ts';

const manager = 'endpoint-controller';

/** Keeps EndpointSlices and Endpoints of services that select pods. */
export function endpointController(deps: ControllerDeps): Controller {
  return {
    name: 'endpoint',
    watches: [
      { resource: 'services', names: (service) => [keyOf(service)] },
      { resource: 'pods', names: (pod) => servicesOf(deps, pod) },
      { resource: 'endpointslices.discovery.k8s.io', names: serviceOfSlice },
    ],
    tick: (name) => tick(deps, name),
  };
}

function servicesOf(deps: ControllerDeps, pod: ApiObject): string[] {
  const { namespace, labels } = pod.metadata;
  if (namespace === undefined) return [];
  return deps.api
    .list('services', { namespace })
    .filter((service) => {
      const selector = serviceSelector(service);
      return selector !== undefined && matchesSelector({ matchLabels: selector, matchExpressions: [] }, labels);
    })
    .map(keyOf);
}

function serviceOfSlice(slice: ApiObject): string[] {
  const name = slice.metadata.labels?.[serviceNameLabel];
  return name !== undefined && isManagedSlice(slice) ? [`${slice.metadata.namespace ?? ''}/${name}`] : [];
}

async function tick(deps: ControllerDeps, key: string): Promise<Outcome> {
  const { api, entropy } = deps;
  const { namespace, name } = splitKey(key);
  const service = api.get('services', namespace, name);
  if (!service || namespace === undefined || service.metadata.deletionTimestamp !== undefined) return { kind: 'done' };
  if (!serviceSelector(service)) return { kind: 'done' };
  const endpoints = endpointsOf(service, api.list('pods', { namespace }));
  const slices = api
    .list('endpointslices.discovery.k8s.io', { namespace, labels: { [serviceNameLabel]: name } })
    .filter(isManagedSlice);
  const plan = planSlices(service, endpoints, slices);
  for (const slice of plan.create) {
    const named = { ...slice, metadata: { ...slice.metadata, name: `${name}-${nameSuffix(entropy)}` } };
    await api.create(named, manager);
  }
  for (const slice of plan.update) await api.update(slice, manager);
  for (const slice of plan.remove) await deleteIfPresent(api, 'endpointslices.discovery.k8s.io', slice);
  await writeEndpoints(deps, service, endpointSubsets(endpoints));
  return { kind: 'done' };
}

async function writeEndpoints(deps: ControllerDeps, service: ApiObject, subsets: object[]): Promise<void> {
  const { api } = deps;
  const { name, namespace, labels } = service.metadata;
  const stored = api.get('endpoints', namespace, name);
  if (stored) {
    if (!jsonEqual(getArray(stored, 'subsets'), subsets)) await api.update({ ...stored, subsets }, manager);
    return;
  }
  await api.create(
    {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        labels: { ...labels, 'endpoints.kubernetes.io/managed-by': manager },
        ownerReferences: [ownerReferenceTo(service)],
      },
      subsets,
    },
    manager,
  );
}
