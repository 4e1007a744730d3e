import type { Context } from 'hono';
import { AppError, isAppError } from '#base/errors.ts';
import { cloneJson, isObject, type JsonObject, jsonEqual } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import type { Application } from '#model/argocd/application.ts';
import { parseApplication } from '#model/argocd/application-schema.ts';
import { qualifiedName } from '#model/argocd/names.ts';
import { accessName, projectNameOf } from '../access/guard.ts';
import type { ServerEnv } from '../auth.ts';
import { type Change, noteChange } from '../changes.ts';
import type { ArgocdDeps } from './access.ts';

type Asked = Context<ServerEnv>;
type Deps = Pick<ArgocdDeps, 'guard' | 'instance' | 'sight'>;

const conflictsMax = 10;

/** An Application from a request; what is wrong with it is named, and an operation in it is left out. */
export function applicationOf(body: unknown, instance: { namespace: string }): Application {
  const metadata = isObject(body) && isObject(body['metadata']) ? body['metadata'] : {};
  const name = metadata['name'];
  if (typeof name !== 'string' || name === '') throw new AppError('bad-input', 'resource name may not be empty');
  const { operation: _, status: __, ...given } = isObject(body) ? body : {};
  const namespace = typeof metadata['namespace'] === 'string' ? metadata['namespace'] : '';
  const object = {
    ...given,
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { ...metadata, name, namespace: namespace || instance.namespace },
  };
  const { application, problems } = parseApplication(object);
  if (problems.length > 0)
    throw new AppError('bad-input', `application spec for ${name} is invalid: ${problems.join('; ')}`);
  return { ...application, spec: normalSpec(application.spec) };
}

/** One project, and one of `source` and `sources`. */
function normalSpec(spec: Application['spec']): Application['spec'] {
  const { source, ...rest } = spec;
  const several = spec.sources !== undefined && spec.sources.length > 0;
  return { ...rest, project: spec.project || 'default', ...(source && !several ? { source } : {}) };
}

function assertSourceNames(application: Application): void {
  const names = (application.spec.sources ?? []).flatMap(({ name }) => (name ? [name] : []));
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return;
  throw new AppError('bad-input', `application ${application.metadata.name} has duplicate source name: ${twice}`);
}

/** Throws `bad-input` with everything that keeps the specification from working. */
async function assertValid(
  { sight, instance }: Deps,
  application: Application,
  sources: boolean,
  signal: AbortSignal,
): Promise<void> {
  assertSourceNames(application);
  const project = projectNameOf(application);
  const known = instance.projects().some(({ metadata }) => metadata.name === project);
  if (!known && project !== 'default')
    throw new AppError('bad-input', `app is not allowed in project "${project}", or the project does not exist`);
  const problems = await sight.validate(application, { sources }, signal);
  if (problems.length > 0)
    throw new AppError(
      'bad-input',
      `application spec for ${application.metadata.name} is invalid: ${problems.map((text) => `InvalidSpecError: ${text}`).join('; ')}`,
    );
}

function objectOf(application: Application): KubeObject {
  return cloneJson(application) as unknown as KubeObject;
}

const sameOf = ({ spec, metadata: { labels, annotations, finalizers } }: Application): JsonObject => ({
  spec,
  labels: labels ?? {},
  annotations: annotations ?? {},
  finalizers: finalizers ?? [],
});

/** Creates an Application; one that is there already and says the same is answered, another only with `upsert`. */
export async function createApplication(
  deps: Deps,
  c: Asked,
  application: Application,
  options: { upsert: boolean; validate: boolean },
): Promise<Application> {
  const { guard, instance } = deps;
  const who = c.get('principal');
  const { signal } = c.req.raw;
  guard.demand(who, 'applications', 'create', guard.nameOf(application));
  await assertValid(deps, application, options.validate, signal);
  const { resourceVersion: _, uid: __, ...metadata } = application.metadata;
  try {
    const made = await instance.create(objectOf({ ...application, metadata }), signal);
    noteChange(c, {
      ...about(deps, made),
      reason: 'ResourceCreated',
      action: `created application ${made.metadata.name}`,
    });
    return parseApplication(made).application;
  } catch (error) {
    if (!isAppError(error, 'conflict')) throw error;
  }
  const current = await readApplication(deps, application.metadata, signal);
  if (jsonEqual(sameOf(current), sameOf(application))) return current;
  if (!options.upsert)
    throw new AppError('bad-input', 'existing application spec is different, use upsert flag to force update');
  guard.demand(who, 'applications', 'update', guard.nameOf(application));
  return await updateApplication(deps, c, application, { validate: options.validate, merge: true });
}

/** What a change of an application is about. */
export function about(
  { instance }: { instance: { namespace: string } },
  { metadata }: { metadata: { name: string; namespace?: string; uid?: string; resourceVersion?: string } },
): Pick<Change, 'application' | 'object'> {
  const application = qualifiedName(metadata, instance.namespace);
  return { application, object: { kind: 'Application', metadata } };
}

async function readApplication(
  { instance }: Deps,
  ref: { name: string; namespace?: string },
  signal: AbortSignal,
): Promise<Application> {
  const object = await instance.get('Application', ref, signal);
  if (!object) throw new AppError('not-found', `applications.argoproj.io "${ref.name}" not found`);
  return parseApplication(object).application;
}

/**
 * Gives an Application the specification, labels, annotations and finalizers of `wanted`; status and operation stay.
 * Moving to another project needs `create` there.
 */
export async function updateApplication(
  deps: Deps,
  c: Asked,
  wanted: Application,
  options: { validate: boolean; merge?: boolean },
): Promise<Application> {
  const { guard, instance } = deps;
  const { signal } = c.req.raw;
  const who = c.get('principal');
  let current = await readApplication(deps, wanted.metadata, signal);
  guard.demand(who, 'applications', 'update', guard.nameOf(current));
  if (projectNameOf(current) !== projectNameOf(wanted)) {
    const { name, namespace } = wanted.metadata;
    const target = accessName(instance, { project: projectNameOf(wanted), namespace, name });
    guard.demand(who, 'applications', 'create', target);
    guard.demand(who, 'applications', 'update', target);
  }
  await assertValid(deps, wanted, options.validate, signal);
  for (let attempt = 1; ; attempt += 1) {
    const object = objectOf(changed(current, wanted, options.merge ?? false));
    try {
      const written = await instance.replace(object, signal);
      const action = `updated application ${written.metadata.name}`;
      noteChange(c, { ...about(deps, written), reason: 'ResourceUpdated', action });
      return parseApplication(written).application;
    } catch (error) {
      if (!isAppError(error, 'conflict') || attempt >= conflictsMax) throw error;
      current = await readApplication(deps, wanted.metadata, signal);
    }
  }
}

function changed(current: Application, wanted: Application, merge: boolean): Application {
  const { labels, annotations, finalizers, ...metadata } = current.metadata;
  const of = wanted.metadata;
  const newLabels = merge ? { ...labels, ...of.labels } : of.labels;
  const newAnnotations = merge ? { ...annotations, ...of.annotations } : of.annotations;
  return {
    ...current,
    metadata: {
      ...metadata,
      ...(newLabels ? { labels: newLabels } : {}),
      ...(newAnnotations ? { annotations: newAnnotations } : {}),
      ...(of.finalizers ? { finalizers: of.finalizers } : {}),
    },
    spec: wanted.spec,
  };
}

const resources = 'resources-finalizer.argocd.argoproj.io';
const cascading =
  /^(?:resources-finalizer\.argocd\.argoproj\.io(?:\/.*)?|(?:foreground|background)-finalizer\.argocd\.argoproj\.io)$/;

/** The finalizers with which a deletion takes an application's objects along, or leaves them. Throws `bad-input`. */
export function finalizersForDeletion(
  present: readonly string[],
  options: { cascade: boolean | undefined; policy: string | undefined },
): string[] {
  const { cascade, policy = '' } = options;
  if (cascade === false && policy !== '')
    throw new AppError('bad-input', 'cannot set propagation policy when cascading is disabled');
  if (cascade === false) return present.filter((finalizer) => !cascading.test(finalizer));
  const wanted = {
    '': resources,
    foreground: `${resources}/foreground`,
    background: `${resources}/background`,
  }[policy.toLowerCase()];
  if (wanted === undefined) throw new AppError('bad-input', `invalid propagation policy: ${policy}`);
  return present.includes(wanted)
    ? [...present]
    : [...present.filter((finalizer) => !cascading.test(finalizer)), wanted];
}
