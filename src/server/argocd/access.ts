import type { Context } from 'hono';
import type { ApplicationEngine, ApplicationResources, InstanceSight, InstanceStore } from '#apps/port.ts';
import { AppError, isAppError } from '#base/errors.ts';
import type { Application } from '#model/argocd/application.ts';
import { accessName, type Guard, projectNameOf } from '../access/guard.ts';
import type { ServerEnv } from '../auth.ts';
import { HiddenError } from '../problem.ts';

/** What the routes of Argo CD's API stand on. */
export interface ArgocdDeps {
  engine: ApplicationEngine;
  resources: ApplicationResources;
  instance: InstanceStore;
  sight: InstanceSight;
  guard: Guard;
}

type Asked = Context<ServerEnv>;

export interface AskedApplication {
  name: string;
  namespace?: string | undefined;
  project?: string | undefined;
}

/** `name` in the instance's own namespace, else `namespace/name`. */
export function qualifiedName(instance: { namespace: string }, name: string, namespace: string | undefined): string {
  return namespace === undefined || namespace === '' || namespace === instance.namespace
    ? name
    : `${namespace}/${name}`;
}

/** The application that path and query name, with `appNamespace` and `project`. */
export function askedApplication(c: Asked, name: string): AskedApplication {
  return { name, namespace: c.req.query('appNamespace') || undefined, project: c.req.query('project') || undefined };
}

/**
 * An application that the caller may do `action` with. Without a project in the request, one that is not there looks
 * like one that may not be seen; with a project, one of another project looks like one that is not there.
 */
export function findApplication(
  { engine, guard, instance }: Pick<ArgocdDeps, 'engine' | 'guard' | 'instance'>,
  c: Asked,
  asked: AskedApplication,
  action: string,
): { application: Application; id: string } {
  const who = c.get('principal');
  const { name, namespace, project } = asked;
  const id = qualifiedName(instance, name, namespace);
  if (project !== undefined)
    guard.demand(who, 'applications', action, accessName(instance, { project, namespace, name }));
  const missing = () => new AppError('not-found', `applications.argoproj.io "${name}" not found`);
  let application: Application;
  try {
    application = engine.get(id);
  } catch (error) {
    if (!isAppError(error, 'not-found')) throw error;
    if (project !== undefined) throw missing();
    const mayKnow = guard.allows(who, 'applications', 'get', `*/${name}`);
    throw new HiddenError(error.message, { mayKnow, hint: error.hint });
  }
  if (!guard.may(who, action, application)) {
    if (project !== undefined) throw missing();
    // Not a word more than for one that is not there, unless it may be seen.
    if (guard.may(who, 'get', application)) guard.demand(who, 'applications', action, guard.nameOf(application));
    throw new HiddenError(`permission denied: applications, ${action}, ${guard.nameOf(application)}`, {
      mayKnow: false,
    });
  }
  if (project !== undefined && projectNameOf(application) !== project) throw missing();
  return { application, id };
}

/** Only where the query gives it: a number, a truth value. */
export function queryFlag(c: Asked, name: string): boolean | undefined {
  const text = c.req.query(name);
  if (text === undefined || text === '') return undefined;
  if (/^(?:1|t|true)$/i.test(text)) return true;
  if (/^(?:0|f|false)$/i.test(text)) return false;
  throw new AppError('bad-input', `?${name}=${text} is neither true nor false`);
}

export function queryInteger(c: Asked, name: string): number | undefined {
  const text = c.req.query(name);
  if (text === undefined || text === '') return undefined;
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw new AppError('bad-input', `?${name}=${text} is no whole number`);
}
