import { stat } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { messageOf } from '#base/errors.ts';
import { getArray, getNumber, getString, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import type { AgentDeps } from './agent-deps.ts';
import { defaultPath, type ResolvedCommand, resolveCommand } from './command.ts';
import { containerEnvironment, type EnvironmentSources, expand, MissingReference } from './environment.ts';
import type { PulledImage } from './image.ts';
import type { ContainerSpec, PodSpec } from './pod-spec.ts';
import { buildRootView, type Mount, realPath } from './root-view.ts';
import { serviceLinks } from './service-links.ts';
import { placeVolume, volumeContent } from './volume.ts';

export interface PreparedContainer extends ResolvedCommand {
  env: Record<string, string>;
  /** Root and PATH as the container sees them, for commands that are run in it later. */
  root: string;
  path: string;
  image: PulledImage;
}

/** Why a container cannot be started yet; `reason` is what its status shows. */
export class StartRefusal extends Error {
  override name = 'StartRefusal';
  readonly reason: 'CreateContainerConfigError' | 'StartError' | 'FailedMount';

  constructor(reason: StartRefusal['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface ContainerToPrepare {
  pod: ApiObject;
  podSpec: PodSpec;
  container: ContainerSpec;
  image: PulledImage;
  podIp: string;
  /** The loopback port allotted to it. */
  port: number;
}

/**
 * Everything up to the start of the process: volumes, root view, variables, program. Throws StartRefusal.
 *
 * Containers are plain processes of the user who runs Drydock: there is no isolation of files, network or users.
 * `securityContext`, `USER` of an image and resource limits have no effect.
 */
export async function prepareContainer(deps: AgentDeps, input: ContainerToPrepare): Promise<PreparedContainer> {
  const { pod, container, image } = input;
  const podDir = join(deps.node.podsDir, pod.metadata.uid ?? '');
  const sources = sourcesOf(deps, input);
  const mounts = await placeMounts(deps, input, { podDir, sources });
  let root = image.rootfs;
  if (mounts.length > 0) {
    root = join(podDir, 'roots', container.name);
    await buildRootView(image.rootfs, root, mounts);
  }
  let env: Record<string, string>;
  try {
    env = environment(deps, input, { root, sources });
  } catch (error) {
    if (error instanceof MissingReference) throw new StartRefusal('CreateContainerConfigError', error.message);
    throw error;
  }
  const path = env['PATH'] ?? defaultPath;
  const hostPath = deps.node.hostEnv['PATH'] ?? '';
  try {
    const command = await resolveCommand({
      command: container.command.map((word) => expand(word, env)),
      args: container.args.map((word) => expand(word, env)),
      workingDir: container.workingDir,
      config: image.config,
      root,
      path,
      hostPath,
    });
    if (!(await stat(command.cwd).catch(() => undefined)))
      throw new Error(`chdir to cwd ("${container.workingDir ?? image.config.WorkingDir}"): no such file or directory`);
    // Programs that are looked for by name at run time are found in the image first and on the machine second.
    const mapped = path
      .split(':')
      .filter(Boolean)
      .map((directory) => join(root, normalize(`/${directory}`)));
    for (const [name, value] of Object.entries(env)) env[name] = realPath(value, mounts);
    return { ...command, root, path, image, env: { ...env, PATH: [...mapped, hostPath].join(':') } };
  } catch (error) {
    throw new StartRefusal('StartError', messageOf(error));
  }
}

/** Brings the files of a running container's volumes up to date with their sources. Throws StartRefusal. */
export async function refreshVolumes(deps: AgentDeps, input: ContainerToPrepare): Promise<void> {
  const podDir = join(deps.node.podsDir, input.pod.metadata.uid ?? '');
  await placeMounts(deps, input, { podDir, sources: sourcesOf(deps, input) });
}

function sourcesOf(deps: AgentDeps, input: ContainerToPrepare): EnvironmentSources {
  const { namespace } = input.pod.metadata;
  return {
    // A new pod's stored status may not have its address yet.
    pod: { ...input.pod, status: { ...(input.pod['status'] ?? {}), podIP: input.podIp } },
    hostIp: deps.node.hostIp,
    configMap: (name) => deps.api.get('configmaps', namespace, name),
    secret: (name) => deps.api.get('secrets', namespace, name),
  };
}

async function placeMounts(
  deps: AgentDeps,
  input: ContainerToPrepare,
  place: { podDir: string; sources: EnvironmentSources },
): Promise<Mount[]> {
  const mounts: Mount[] = [];
  for (const mount of input.container.mounts) {
    const volume = input.podSpec.volumes.find((candidate) => getString(candidate, 'name') === mount.volume);
    // The token volume that every pod has elsewhere: no tokens are issued here.
    if (!volume || mount.path === '/var/run/secrets/kubernetes.io/serviceaccount') continue;
    try {
      const content = volumeContent(boundVolume(deps, input.pod, volume), place.sources);
      const placed = await placeVolume(content, join(place.podDir, 'volumes', mount.volume));
      mounts.push({ path: mount.path, source: join(placed, normalize(`/${mount.subPath ?? ''}`)).replace(/\/$/, '') });
    } catch (error) {
      const message = `MountVolume.SetUp failed for volume "${mount.volume}" : ${messageOf(error)}`;
      throw new StartRefusal('FailedMount', message);
    }
  }
  return mounts;
}

/** A claim's volume by the directory that its PersistentVolume names. */
function boundVolume(deps: AgentDeps, pod: ApiObject, volume: JsonObject): JsonObject {
  const claimName = getString(volume, 'persistentVolumeClaim', 'claimName');
  if (claimName === undefined) return volume;
  const claim = deps.api.get('persistentvolumeclaims', pod.metadata.namespace, claimName);
  const bound = deps.api.get('persistentvolumes', undefined, getString(claim, 'spec', 'volumeName') ?? '');
  const path = getString(bound, 'spec', 'hostPath', 'path') ?? getString(bound, 'spec', 'local', 'path');
  if (path === undefined) throw new Error(`persistentvolumeclaim "${claimName}" is not bound to a directory`);
  const type = getString(bound, 'spec', 'hostPath', 'type') ?? '';
  return { name: volume['name'], hostPath: { path, type } };
}

function environment(
  deps: AgentDeps,
  input: ContainerToPrepare,
  at: { root: string; sources: EnvironmentSources },
): Record<string, string> {
  const { pod, podSpec, container, image, port } = input;
  const { PATH: _hostPath, ...host } = deps.node.hostEnv;
  const namespace = pod.metadata.namespace ?? '';
  const links = podSpec.serviceLinks
    ? serviceLinks(deps.api.list('services', { namespace }), (service, servicePort) =>
        deps.serviceAddress(namespace, service.metadata.name, servicePort),
      )
    : {};
  const base: Record<string, string> = {
    ...host,
    ...links,
    ...imageEnvironment(image),
    HOSTNAME: podSpec.hostname,
    HOST: deps.node.hostIp,
    PORT: String(port),
    DRYDOCK_ROOT: at.root,
  };
  const env = containerEnvironment(base, container, at.sources);
  // `PORT: "8080"` beside `containerPort: 8080` says the same as no PORT at all: all replicas would want one port here.
  if (declaredPorts(container, image).includes(Number(env['PORT']))) env['PORT'] = String(port);
  return env;
}

function imageEnvironment(image: PulledImage): Record<string, string> {
  const env: Record<string, string> = {};
  for (const entry of image.config.Env ?? []) {
    const equals = entry.indexOf('=');
    if (equals > 0) env[entry.slice(0, equals)] = entry.slice(equals + 1);
  }
  return env;
}

/** The ports a container declares, or else those of its image. */
export function declaredPorts(container: ContainerSpec, image: PulledImage): number[] {
  if (container.ports.length > 0) return container.ports.map((port) => port.containerPort);
  return Object.keys(image.config.ExposedPorts ?? {}).map((port) => Number.parseInt(port, 10));
}

/** Names of the pull secrets of a pod. */
export function pullSecrets(pod: ApiObject): string[] {
  return getArray(pod, 'spec', 'imagePullSecrets')
    .map((secret) => getString(secret, 'name'))
    .filter((name): name is string => name !== undefined);
}

/** Of a pod that is being deleted. */
export function deletionGraceMs(pod: ApiObject): number {
  return (getNumber(pod, 'metadata', 'deletionGracePeriodSeconds') ?? 30) * 1000;
}
