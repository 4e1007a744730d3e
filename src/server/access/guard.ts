import type { InstanceStore } from '#apps/port.ts';
import { AppError } from '#base/errors.ts';
import { getArray, getString } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import type { Application } from '#model/argocd/application.ts';
import { qualifiedName } from '#model/argocd/names.ts';
import type { RbacResource } from '../rbac/builtin.ts';
import { Enforcer, type Identity, type ProjectRole, projectPolicy } from '../rbac/enforcer.ts';
import { type Policy, parseRbacSettings } from '../rbac/policy.ts';

const strings = (value: unknown, key: string) =>
  getArray(value, key).filter((item): item is string => typeof item === 'string');

export function projectRolesOf(project: KubeObject): ProjectRole[] {
  return getArray(project['spec'], 'roles').map((role) => ({
    name: getString(role, 'name') ?? '',
    policies: strings(role, 'policies'),
    groups: strings(role, 'groups'),
  }));
}

/** The object of access rules for something of a project: the instance's own namespace goes without saying. */
export function accessName(
  instance: { namespace: string },
  of: { project: string; namespace: string | undefined; name: string },
): string {
  const { project, namespace, name } = of;
  return namespace === undefined || namespace === '' || namespace === instance.namespace
    ? `${project}/${name}`
    : `${project}/${namespace}/${name}`;
}

export function projectNameOf(application: { spec: { project?: string } }): string {
  return application.spec.project || 'default';
}

/** Who may do what, by the ConfigMaps and projects as they stand at the moment of asking. */
export class Guard {
  readonly #instance: InstanceStore;
  readonly #policies = new WeakMap<KubeObject, Policy>();
  #enforcer: { data: object; enforcer: Enforcer } | undefined;

  constructor(instance: InstanceStore) {
    this.#instance = instance;
  }

  /** What the engine calls an application: its name, with the namespace where that is not the instance's. */
  idOf({ metadata }: { metadata: { name: string; namespace?: string } }): string {
    return qualifiedName(metadata, this.#instance.namespace);
  }

  /** The claims of a token that name groups. */
  get scopes(): readonly string[] {
    return this.#current().settings.scopes;
  }

  /** Mistakes of the policy, for whoever asks why nobody may do anything. */
  get problems(): readonly string[] {
    return this.#current().settings.policy.problems;
  }

  get hasDefaultRole(): boolean {
    return this.#current().settings.defaultRole !== '';
  }

  allows(who: Identity, resource: RbacResource, action: string, object: string): boolean {
    return this.#current().allows(who, { resource, action, object }, (project) => this.#policyOf(project));
  }

  demand(who: Identity, resource: RbacResource, action: string, object: string): void {
    if (this.allows(who, resource, action, object)) return;
    const sub = who.subject === '' ? '' : `, sub: ${who.subject}`;
    const [problem] = this.problems;
    throw new AppError('forbidden', `permission denied: ${resource}, ${action}, ${object}${sub}`, {
      hint: problem === undefined ? undefined : `argocd-rbac-cm is not in force: ${problem}`,
    });
  }

  /** The name of an application in access rules. */
  nameOf(application: Application): string {
    const { name, namespace } = application.metadata;
    return accessName(this.#instance, { project: projectNameOf(application), namespace, name });
  }

  may(who: Identity, action: string, application: Application): boolean {
    return this.allows(who, 'applications', action, this.nameOf(application));
  }

  #current(): Enforcer {
    const data = this.#instance.config('argocd-rbac-cm');
    if (this.#enforcer?.data !== data) this.#enforcer = { data, enforcer: new Enforcer(parseRbacSettings(data)) };
    return this.#enforcer.enforcer;
  }

  #policyOf(name: string): Policy | undefined {
    const project = this.#instance.projects().find(({ metadata }) => metadata.name === name);
    if (!project) return undefined;
    const known = this.#policies.get(project);
    if (known) return known;
    const policy = projectPolicy(name, projectRolesOf(project));
    this.#policies.set(project, policy);
    return policy;
  }
}
