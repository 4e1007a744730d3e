import type { Application } from '#model/argocd/application.ts';
import type { RegistryPush } from './delivery.ts';

/** Whether an application takes a chart or artifact from the repository that was pushed to. The tag decides the render. */
export function isArtifactOf({ spec }: Application, { registry, repository }: RegistryPush): boolean {
  const sources = spec.sources && spec.sources.length > 0 ? spec.sources : spec.source ? [spec.source] : [];
  const pushed = `${registry}/${repository}`.toLowerCase();
  return sources.some(({ repoURL, chart }) => {
    const place = repoURL
      .replace(/^[a-z]+:\/\//i, '')
      .replace(/\/+$/, '')
      .toLowerCase();
    return place === pushed || (chart !== undefined && chart !== '' && `${place}/${chart.toLowerCase()}` === pushed);
  });
}
