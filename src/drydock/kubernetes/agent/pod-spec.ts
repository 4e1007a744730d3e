import { getArray, getNumber, getObject, getPath, getString, isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';

export interface ContainerPort {
  name: string | undefined;
  containerPort: number;
}

export interface ContainerSpec {
  name: string;
  image: string;
  pullPolicy: string;
  command: string[];
  args: string[];
  workingDir: string | undefined;
  env: JsonObject[];
  envFrom: JsonObject[];
  ports: ContainerPort[];
  mounts: VolumeMount[];
  probes: { startup?: ProbeSpec; liveness?: ProbeSpec; readiness?: ProbeSpec };
  preStop: JsonObject | undefined;
  /** An init container that keeps running beside the others. */
  sidecar: boolean;
}

export interface VolumeMount {
  volume: string;
  path: string;
  subPath: string | undefined;
}

export type ProbeAction =
  | { kind: 'http'; path: string; port: number | string; scheme: 'HTTP' | 'HTTPS'; headers: [string, string][] }
  | { kind: 'tcp'; port: number | string }
  | { kind: 'exec'; command: string[] }
  | { kind: 'unsupported'; what: string };

export interface ProbeSpec {
  action: ProbeAction;
  initialDelayMs: number;
  periodMs: number;
  timeoutMs: number;
  successThreshold: number;
  failureThreshold: number;
}

/** A pod as the node agent reads it. */
export interface PodSpec {
  restartPolicy: RestartPolicy;
  initContainers: ContainerSpec[];
  containers: ContainerSpec[];
  volumes: JsonObject[];
  graceSeconds: number;
  activeDeadlineSeconds: number | undefined;
  serviceLinks: boolean;
  hostname: string;
}

export function readPodSpec(pod: ApiObject): PodSpec {
  const policy = getString(pod, 'spec', 'restartPolicy');
  return {
    restartPolicy: policy === 'Never' || policy === 'OnFailure' ? policy : 'Always',
    initContainers: getArray(pod, 'spec', 'initContainers').map(readContainer),
    containers: getArray(pod, 'spec', 'containers').map(readContainer),
    volumes: getArray(pod, 'spec', 'volumes').filter(isObject),
    graceSeconds: getNumber(pod, 'spec', 'terminationGracePeriodSeconds') ?? 30,
    activeDeadlineSeconds: getNumber(pod, 'spec', 'activeDeadlineSeconds'),
    serviceLinks: getPath(pod, 'spec', 'enableServiceLinks') !== false,
    hostname: getString(pod, 'spec', 'hostname') ?? pod.metadata.name,
  };
}

export function readContainer(container: unknown): ContainerSpec {
  const startup = readProbe(getPath(container, 'startupProbe'));
  const liveness = readProbe(getPath(container, 'livenessProbe'));
  const readiness = readProbe(getPath(container, 'readinessProbe'));
  const preStop = getPath(container, 'lifecycle', 'preStop');
  return {
    name: getString(container, 'name') ?? '',
    image: getString(container, 'image') ?? '',
    pullPolicy: getString(container, 'imagePullPolicy') ?? 'IfNotPresent',
    command: strings(getArray(container, 'command')),
    args: strings(getArray(container, 'args')),
    workingDir: getString(container, 'workingDir'),
    env: getArray(container, 'env').filter(isObject),
    envFrom: getArray(container, 'envFrom').filter(isObject),
    ports: getArray(container, 'ports').map((port) => ({
      name: getString(port, 'name'),
      containerPort: getNumber(port, 'containerPort') ?? 0,
    })),
    mounts: getArray(container, 'volumeMounts').map((mount) => ({
      volume: getString(mount, 'name') ?? '',
      path: getString(mount, 'mountPath') ?? '',
      subPath: getString(mount, 'subPath'),
    })),
    probes: {
      ...(startup === undefined ? {} : { startup }),
      ...(liveness === undefined ? {} : { liveness }),
      ...(readiness === undefined ? {} : { readiness }),
    },
    preStop: isObject(preStop) ? preStop : undefined,
    sidecar: getString(container, 'restartPolicy') === 'Always',
  };
}

function readProbe(probe: unknown): ProbeSpec | undefined {
  if (!isObject(probe)) return undefined;
  return {
    action: readAction(probe),
    initialDelayMs: (getNumber(probe, 'initialDelaySeconds') ?? 0) * 1000,
    periodMs: (getNumber(probe, 'periodSeconds') ?? 10) * 1000,
    timeoutMs: (getNumber(probe, 'timeoutSeconds') ?? 1) * 1000,
    successThreshold: getNumber(probe, 'successThreshold') ?? 1,
    failureThreshold: getNumber(probe, 'failureThreshold') ?? 3,
  };
}

/** Of a probe or a lifecycle handler. */
export function readAction(handler: JsonObject): ProbeAction {
  if (isObject(handler['httpGet'])) {
    const get = handler['httpGet'];
    const port = get['port'];
    return {
      kind: 'http',
      path: getString(get, 'path') ?? '/',
      port: typeof port === 'number' ? port : String(port),
      scheme: getString(get, 'scheme') === 'HTTPS' ? 'HTTPS' : 'HTTP',
      headers: getArray(get, 'httpHeaders').map((header) => [
        getString(header, 'name') ?? '',
        getString(header, 'value') ?? '',
      ]),
    };
  }
  if (isObject(handler['tcpSocket'])) {
    const port = handler['tcpSocket']['port'];
    return { kind: 'tcp', port: typeof port === 'number' ? port : String(port) };
  }
  if (isObject(handler['exec']))
    return { kind: 'exec', command: strings(getArray(getObject(handler, 'exec'), 'command')) };
  return { kind: 'unsupported', what: Object.keys(handler).find((key) => isObject(handler[key])) ?? 'empty' };
}

function strings(values: unknown[]): string[] {
  return values.filter((value): value is string => typeof value === 'string');
}
