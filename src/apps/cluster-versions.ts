import type { Clock } from '#base/clock.ts';
import type { KubeClient } from '#kube/port.ts';

export interface ClusterVersions {
  kubeVersion: string;
  apiVersions: string[];
  /** Changes when either does. */
  id: number;
}

export interface ClusterVersionSource {
  get(signal: AbortSignal): Promise<ClusterVersions>;
  /** After a CustomResourceDefinition was applied. */
  forget(): void;
}

const keptMs = 30_000;

/** What charts may ask of the cluster: its version as X.Y.Z, and every `group/version` and `group/version/Kind` it serves. */
export function clusterVersions(kube: Pick<KubeClient, 'version' | 'discovery'>, clock: Clock): ClusterVersionSource {
  let kept: (ClusterVersions & { at: number }) | undefined;
  return {
    async get(signal) {
      if (kept && clock.now() - kept.at < keptMs) return kept;
      const [{ gitVersion }, resources] = await Promise.all([kube.version(signal), kube.discovery.all(signal)]);
      const kubeVersion = /\d+\.\d+\.\d+/.exec(gitVersion)?.[0] ?? gitVersion;
      const names = new Set<string>();
      for (const { group, version, kind } of resources) {
        const groupVersion = group === '' ? version : `${group}/${version}`;
        names.add(groupVersion).add(`${groupVersion}/${kind}`);
      }
      const apiVersions = [...names].sort();
      const same = kept?.kubeVersion === kubeVersion && kept.apiVersions.join() === apiVersions.join();
      kept = { kubeVersion, apiVersions, id: kept ? (same ? kept.id : kept.id + 1) : 0, at: clock.now() };
      return kept;
    },
    forget() {
      if (kept) kept = { ...kept, at: Number.NEGATIVE_INFINITY };
    },
  };
}
