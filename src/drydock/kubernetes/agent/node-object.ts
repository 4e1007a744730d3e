import { type Clock, timestamp } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { isObject, jsonEqual } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import type { ApiObject, ApiServer } from '../api/port.ts';
import { parseConditions, withCondition } from '../controllers/condition.ts';
import { isConflict } from '../controllers/loop.ts';
import { requestsAnnotation } from '../controllers/node-view.ts';

export interface NodeCapacity {
  cpus: number;
  memoryBytes: number;
  architecture: string;
  operatingSystem: string;
  /** Of the program that runs the pods. */
  version: string;
}

const leaseSeconds = 40;
const leaseNamespace = 'kube-node-lease';

/** Registers the node, keeps it Ready and its Lease renewed every `heartbeatMs`, until disposed. */
export async function registerNode(
  deps: { api: ApiServer; clock: Clock; logger: Logger },
  node: { name: string; hostIp: string; capacity: NodeCapacity; heartbeatMs: number },
): Promise<Disposable> {
  const { api, clock, logger } = deps;
  const desired = nodeObject(node, clock.now());
  const stored = api.get('nodes', undefined, node.name);
  if (!stored) await api.create(desired, 'kubelet');
  else if (stored.metadata.annotations?.[requestsAnnotation] === undefined)
    await api.mergePatch('nodes', undefined, node.name, { metadata: { annotations } }, { manager: 'kubelet' });
  const beat = async (): Promise<void> => {
    try {
      await writeNodeStatus(deps, node, desired);
      await renewLease(deps, node.name);
    } catch (error) {
      if (!isConflict(error)) logger.warn({ node: node.name }, `the node did not report: ${messageOf(error)}`);
    }
  };
  await beat();
  const stop = new AbortController();
  void beatUntil(stop.signal, () => clock.sleep(node.heartbeatMs, stop.signal).then(beat));
  return { [Symbol.dispose]: () => stop.abort() };
}

async function beatUntil(signal: AbortSignal, next: () => Promise<void>): Promise<void> {
  while (!signal.aborted)
    await next().catch((error: unknown) => {
      // The sleep rejects when it is over; a beat never does.
      if (!signal.aborted) throw error;
    });
}

/** What its processes request is not counted: they share this machine with everything else. */
const annotations = { [requestsAnnotation]: 'ignored' };

async function writeNodeStatus(
  deps: { api: ApiServer; clock: Clock },
  node: { name: string },
  desired: ApiObject,
): Promise<void> {
  const stored = deps.api.get('nodes', undefined, node.name);
  if (!stored) return;
  const before = isObject(stored['status']) ? stored['status'] : {};
  const conditions = withCondition(
    parseConditions(before),
    { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' },
    { now: deps.clock.now() },
  );
  const status = { ...before, ...(isObject(desired['status']) ? desired['status'] : {}), conditions };
  if (!jsonEqual(before, status)) await deps.api.updateStatus({ ...stored, status }, 'kubelet');
}

function nodeObject(node: { name: string; hostIp: string; capacity: NodeCapacity }, now: number): ApiObject {
  const { capacity, name, hostIp } = node;
  const amounts = {
    cpu: String(capacity.cpus),
    memory: `${Math.floor(capacity.memoryBytes / 1024)}Ki`,
    pods: '110',
    'ephemeral-storage': '100Gi',
  };
  const labels = {
    'kubernetes.io/hostname': name,
    'kubernetes.io/arch': capacity.architecture,
    'kubernetes.io/os': capacity.operatingSystem,
    'node-role.kubernetes.io/control-plane': '',
  };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels, annotations },
    spec: {},
    status: {
      capacity: amounts,
      allocatable: amounts,
      addresses: [
        { type: 'InternalIP', address: hostIp },
        { type: 'Hostname', address: name },
      ],
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'KubeletReady',
          message: 'kubelet is posting ready status',
          lastHeartbeatTime: timestamp(now),
          lastTransitionTime: timestamp(now),
        },
      ],
      nodeInfo: {
        machineID: name,
        systemUUID: name,
        bootID: name,
        kernelVersion: '',
        osImage: 'processes of this machine, without isolation',
        containerRuntimeVersion: `process://${capacity.version}`,
        kubeletVersion: 'v1.33.0',
        kubeProxyVersion: '',
        operatingSystem: capacity.operatingSystem,
        architecture: capacity.architecture,
      },
    },
  };
}

/** Says that the node is alive. */
export async function renewLease(deps: { api: ApiServer; clock: Clock }, name: string): Promise<void> {
  const { api, clock } = deps;
  const renewTime = `${new Date(clock.now()).toISOString().slice(0, -1)}000Z`;
  if (!api.get('namespaces', undefined, leaseNamespace)) return;
  const stored = api.get('leases.coordination.k8s.io', leaseNamespace, name);
  const spec = { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime };
  if (stored) {
    await api.update({ ...stored, spec }, 'kubelet');
    return;
  }
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace: leaseNamespace },
    spec,
  };
  await api.create(lease, 'kubelet');
}
