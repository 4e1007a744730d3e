import { rootCertificates } from 'node:tls';
import { Agent, fetch } from 'undici';
import type { Clusters } from '#apps/clusters.ts';
import { configMapData, type Instance, secretData, secretsOfType } from '#apps/instance.ts';
import { repositoryKey } from '#apps/repository-key.ts';
import type { RepositoryWatch } from '#apps/repository-watch.ts';
import { ListingMemory } from '#appsets/listing-memory.ts';
import type { ClusterEntry, GeneratorSources } from '#appsets/port.ts';
import type { Clock, Entropy } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import { getString } from '#base/json.ts';
import { githubAppTokens } from '#git/github-app.ts';
import type { KubeClient } from '#kube/port.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';

export interface GeneratorSourcesDeps {
  kube: KubeClient;
  instance: Instance;
  repositories: RepositoryWatch;
  clusters: Clusters;
  settings: () => ArgoSettings;
  clock: Clock;
  entropy: Entropy;
}

function clusterEntries(instance: Instance): ClusterEntry[] {
  return secretsOfType(instance, 'cluster').map((secret) => {
    const { name = '', server = '', project = '' } = secretData(secret);
    const { labels = {}, annotations = {} } = secret.metadata;
    return { name, server, project, labels, annotations };
  });
}

/** What the generators of one look may ask. `used` collects the keys of the repositories they read. */
export function generatorSources(
  deps: GeneratorSourcesDeps,
  used: Set<string>,
  listings: ListingMemory = new ListingMemory(),
): GeneratorSources {
  const { kube, instance, repositories, settings, clock, entropy } = deps;
  const { applicationSets, params } = settings();
  return {
    clock,
    entropy,
    connect: ({ insecure, ca }) => {
      const plain = !insecure && ca === undefined;
      const trusted = ca === undefined ? {} : { ca: [...rootCertificates, ca] };
      const dispatcher = plain ? undefined : new Agent({ connect: { rejectUnauthorized: !insecure, ...trusted } });
      return {
        fetch: (url, init) => fetch(url, dispatcher ? { ...init, dispatcher } : init),
        [Symbol.asyncDispose]: async () => await dispatcher?.destroy(),
      };
    },
    async configMapEntry({ key, ...ref }, signal) {
      const resource = await kube.discovery.find({ group: '', version: 'v1', kind: 'ConfigMap' }, signal);
      return getString(resource && (await kube.get(resource, ref, signal)), 'data', key);
    },
    listings,
    async githubAppToken(app, about, signal) {
      await using tokens = githubAppTokens({ clock });
      return await tokens.get(app, about, signal);
    },
    instanceNamespace: instance.namespace,
    scm: {
      enabled: applicationSets.scmProviders,
      allowed: applicationSets.allowedScmProviders,
      strictTokenRef: params['applicationsetcontroller.enable.tokenref.strict.mode'] === 'true',
    },
    settings: {
      newGitFileGlobbing: applicationSets.newGitFileGlobbing,
      hiddenDirectories: params['reposerver.include.hidden.directories'] === 'true',
    },
    clusters: () => clusterEntries(instance),
    async repository(ref, signal) {
      used.add(repositoryKey(ref.url));
      return (await repositories.open(ref, signal)).mirror;
    },
    configMap: (name) =>
      instance.configMaps.get({ name, namespace: instance.namespace }) ? configMapData(instance, name) : undefined,
    async secret(ref, signal) {
      const resource = await kube.discovery.find({ group: '', version: 'v1', kind: 'Secret' }, signal);
      const secret = resource && (await kube.get(resource, ref, signal));
      return secret ? { data: secretData(secret), labels: secret.metadata.labels ?? {} } : undefined;
    },
    async listByPlural({ group, version, plural }, { labelSelector, name }, signal) {
      const served = await kube.discovery.all(signal);
      const resource = served.find(
        (one) => one.group === group && one.version === version && one.plural === plural.toLowerCase(),
      );
      if (!resource)
        throw new AppError('not-found', `${kube.server} does not serve ${plural} of ${group}/${version}`, {
          hint: 'kind in the ConfigMap is the plural, in small letters',
        });
      const fieldSelector = name === undefined ? undefined : `metadata.name=${name}`;
      return (await kube.list(resource, { namespace: instance.namespace, labelSelector, fieldSelector }, signal)).items;
    },
  };
}
