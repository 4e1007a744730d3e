import { RE2JS } from 're2js';
import { globMatch } from '#base/glob.ts';
import { builtinPolicy, type RbacResource } from './builtin.ts';
import { joinPolicies, type PermissionLine, type Policy, parsePolicy, type RbacSettings } from './policy.ts';

export interface AccessRequest {
  resource: RbacResource;
  action: string;
  object: string;
}

export interface Identity {
  /** Account, `proj:<project>:<role>` or the user of a single sign-on; empty is nobody. */
  subject: string;
  groups: readonly string[];
}

export interface ProjectRole {
  name: string;
  policies: string[];
  groups: string[];
}

const projectResources = new Set<RbacResource>([
  'applications',
  'applicationsets',
  'logs',
  'exec',
  'repositories',
  'clusters',
]);

/** The policy that a project's roles add: their own lines, `get` of the project itself, and their groups. */
export function projectPolicy(project: string, roles: readonly ProjectRole[]): Policy {
  const lines = roles.flatMap(({ name, policies, groups }) => [
    `p, proj:${project}:${name}, projects, get, ${project}, allow`,
    ...policies,
    ...groups.map((group) => `g, ${/[",]/.test(group) ? JSON.stringify(group) : group}, proj:${project}:${name}`),
  ]);
  return parsePolicy(lines.join('\n'));
}

/** The project that a request is about, whose roles then count; undefined when it is about none. */
export function projectOf({ resource, object }: AccessRequest): string | undefined {
  if (resource === 'projects') return object;
  const slash = object.indexOf('/');
  return projectResources.has(resource) && slash >= 0 ? object.slice(0, slash) : undefined;
}

export function projectRoleOf(subject: string): { project: string; role: string } | undefined {
  const parts = subject.split(':');
  const [kind, project, role] = parts;
  return parts.length === 3 && kind === 'proj' && project !== undefined && role !== undefined
    ? { project, role }
    : undefined;
}

const expressions = new Map<string, RE2JS | undefined>();
const expressionsMax = 1000;

/** An expression that cannot be read matches nothing. */
function regexMatch(pattern: string, text: string): boolean {
  if (!expressions.has(pattern)) {
    if (expressions.size >= expressionsMax) expressions.clear();
    try {
      expressions.set(pattern, RE2JS.compile(pattern));
    } catch {
      expressions.set(pattern, undefined);
    }
  }
  return expressions.get(pattern)?.matcher(text).find() ?? false;
}

function globMatchSafely(pattern: string, text: string): boolean {
  if (pattern === text || pattern === '*') return true;
  try {
    return globMatch(pattern, text);
  } catch {
    return false;
  }
}

type Match = (pattern: string, text: string) => boolean;

/** One policy made ready: the lines that concern a subject are found once. */
class RuleBook {
  readonly #policy: Policy;
  readonly #match: Match;
  readonly #lines = new Map<string, PermissionLine[]>();
  readonly #relevant = new Map<string, PermissionLine[]>();

  constructor(policy: Policy, match: Match) {
    this.#policy = policy;
    this.#match = match;
  }

  hasRoles(who: string): boolean {
    return this.#policy.roles.has(who);
  }

  /** At least one line allows and none denies. */
  allows(subject: string, { resource, action, object }: AccessRequest): boolean {
    let allowed = false;
    for (const line of this.#linesFor(subject, resource, action)) {
      if (!this.#match(line.object, object)) continue;
      if (line.effect === 'deny') return false;
      allowed = true;
    }
    return allowed;
  }

  /** Many objects are asked about in the same way: what decides on them is found once. */
  #linesFor(subject: string, resource: string, action: string): PermissionLine[] {
    const id = `${subject}\n${resource}\n${action}`;
    const known = this.#relevant.get(id);
    if (known) return known;
    const lines = this.#linesOf(subject).filter(
      (line) => this.#match(line.resource, resource) && this.#match(line.action, action),
    );
    if (this.#relevant.size >= expressionsMax) this.#relevant.clear();
    this.#relevant.set(id, lines);
    return lines;
  }

  #linesOf(subject: string): PermissionLine[] {
    const known = this.#lines.get(subject);
    if (known) return known;
    const subjects = new Set([subject]);
    for (const who of subjects) for (const role of this.#policy.roles.get(who) ?? []) subjects.add(role);
    const lines = this.#policy.permissions.filter((line) => subjects.has(line.subject));
    if (this.#lines.size >= expressionsMax) this.#lines.clear();
    this.#lines.set(subject, lines);
    return lines;
  }
}

/**
 * Argo CD's access rules: the default role first, then the subject, then each group that a `g` line names. Roles of the
 * project that a request is about count for that request. In regex mode the built-in lines stay globs.
 */
export class Enforcer {
  readonly #settings: RbacSettings;
  readonly #global: RuleBook;
  readonly #byProject = new Map<string, { policy: Policy; book: RuleBook }>();
  readonly #match: Match;

  constructor(settings: RbacSettings) {
    this.#settings = settings;
    this.#match = settings.matchMode === 'regex' ? regexMatch : globMatchSafely;
    this.#global = this.#book(undefined);
  }

  get settings(): RbacSettings {
    return this.#settings;
  }

  /** `rolesOf` gives the added policy of a project, undefined when there is no such project. */
  allows(identity: Identity, request: AccessRequest, policyOf: (project: string) => Policy | undefined): boolean {
    const name = projectOf(request);
    const added = name === undefined ? undefined : policyOf(name);
    const role = projectRoleOf(identity.subject);
    if (role && added && role.project !== name) return false;
    const book = name === undefined || !added ? this.#global : this.#projectBook(name, added);
    const { defaultRole } = this.#settings;
    if (defaultRole !== '' && book.allows(defaultRole, request)) return true;
    if (identity.subject !== '' && book.allows(identity.subject, request)) return true;
    if (role) return false;
    return identity.groups.some((group) => book.hasRoles(group) && book.allows(group, request));
  }

  #projectBook(project: string, policy: Policy): RuleBook {
    const known = this.#byProject.get(project);
    if (known?.policy === policy) return known.book;
    const book = this.#book(policy.problems.length > 0 ? undefined : policy);
    if (this.#byProject.size >= expressionsMax) this.#byProject.clear();
    this.#byProject.set(project, { policy, book });
    return book;
  }

  #book(added: Policy | undefined): RuleBook {
    const { policy, matchMode } = this.#settings;
    const joined = joinPolicies(builtinPolicy, policy, ...(added ? [added] : []));
    if (matchMode === 'glob') return new RuleBook(joined, this.#match);
    const builtin = new Set(
      builtinPolicy.permissions.flatMap(({ resource, action, object }) => [resource, action, object]),
    );
    return new RuleBook(joined, (pattern, text) =>
      builtin.has(pattern) && globMatchSafely(pattern, text) ? true : this.#match(pattern, text),
    );
  }
}
