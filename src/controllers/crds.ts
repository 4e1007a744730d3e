import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from 'js-yaml';
import type { Clock } from '#base/clock.ts';
import { canonicalJson, sha256Hex } from '#base/digest.ts';
import { AppError, isAppError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import { ensureCrds } from '#kube/crds.ts';
import type { KubeClient, KubeObject } from '#kube/port.ts';
import { fieldManager } from '#model/argocd/names.ts';

export interface InstallCrdsDeps {
  kube: KubeClient;
  clock: Clock;
  logger: Logger;
}

const folder = join(import.meta.dirname, '..', '..', 'deploy', 'crds');
const files = ['application.yaml', 'appproject.yaml', 'applicationset.yaml'];
const ownLabel = 'slipway.dev/installed';
const digestNote = 'slipway.dev/digest';

async function readCrds(): Promise<KubeObject[]> {
  return await Promise.all(
    files.map(async (file) => {
      const parsed = load(await readFile(join(folder, file), 'utf8'));
      if (!isObject(parsed)) throw new AppError('corrupt-data', `${join(folder, file)} is damaged`);
      const crd = parsed as unknown as KubeObject;
      const annotations = { ...crd.metadata.annotations, [digestNote]: sha256Hex(canonicalJson(parsed)) };
      return { ...crd, metadata: { ...crd.metadata, annotations } };
    }),
  );
}

/** Installs the CustomResourceDefinitions that are absent or our own; those of an installed Argo CD stay as they are. */
export async function installCrds(deps: InstallCrdsDeps, namespace: string, signal: AbortSignal): Promise<void> {
  const { kube, clock } = deps;
  const kind = { group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' };
  const resource = await kube.discovery.find(kind, signal);
  if (!resource) throw new AppError('not-found', `${kube.server} does not serve CustomResourceDefinition`);
  const wanted: KubeObject[] = [];
  for (const crd of await readCrds()) {
    const live = await kube.get(resource, { name: crd.metadata.name }, signal);
    const own = live?.metadata.labels?.[ownLabel] !== undefined;
    const same = live?.metadata.annotations?.[digestNote] === crd.metadata.annotations?.[digestNote];
    if (!live || (own && !same)) wanted.push(crd);
    else if (!own) deps.logger.info({ crd: crd.metadata.name }, 'is installed by somebody else and stays as it is');
  }
  await ensureCrds(kube, wanted, signal, { clock });
  const namespaces = await kube.discovery.find({ group: '', version: 'v1', kind: 'Namespace' }, signal);
  if (!namespaces || (await kube.get(namespaces, { name: namespace }, signal))) return;
  try {
    await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, { fieldManager }, signal);
  } catch (error) {
    if (!isAppError(error, 'conflict')) throw error;
  }
}
