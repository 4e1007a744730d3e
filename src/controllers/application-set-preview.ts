import { generateApplications } from '#appsets/generate.ts';
import { AppError } from '#base/errors.ts';
import type { KubeObject } from '#kube/port.ts';
import type { Application } from '#model/argocd/application.ts';
import { parseApplication } from '#model/argocd/application-schema.ts';
import { parseApplicationSet } from '#model/argocd/application-set.ts';
import { type GeneratorSourcesDeps, generatorSources } from './application-set-sources.ts';

/** The Applications that a set makes now; nothing is written. Throws AppError for what is wrong with it. */
export async function previewApplications(
  deps: GeneratorSourcesDeps,
  object: KubeObject,
  signal: AbortSignal,
): Promise<Application[]> {
  const { name, namespace = deps.instance.namespace } = object.metadata;
  const { set, problems } = parseApplicationSet({ ...object, metadata: { ...object.metadata, namespace } });
  if (problems.length > 0) throw new AppError('bad-input', `ApplicationSet ${name}: ${problems.join('; ')}`);
  const { applications, error } = await generateApplications(set, generatorSources(deps, new Set()), signal);
  if (error) throw error.cause;
  return applications.map((application) => {
    const metadata = { name: '', ...(application['metadata'] as object | undefined) };
    return parseApplication({ ...application, metadata }).application;
  });
}
