import type { PermissionLine, Policy } from './policy.ts';

/** Resources whose objects carry a project: `<project>/<name>`. */
const projectScoped = new Set(['applications', 'applicationsets', 'logs', 'exec']);

export const rbacResources = [
  'clusters',
  'projects',
  'applications',
  'applicationsets',
  'repositories',
  'write-repositories',
  'certificates',
  'accounts',
  'gpgkeys',
  'logs',
  'exec',
  'extensions',
] as const;

export const rbacActions = [
  'get',
  'create',
  'update',
  'delete',
  'sync',
  'rollback',
  'override',
  'action',
  'invoke',
] as const;

export type RbacResource = (typeof rbacResources)[number];

const readable: RbacResource[] = [
  'applications',
  'applicationsets',
  'certificates',
  'clusters',
  'repositories',
  'write-repositories',
  'projects',
  'accounts',
  'gpgkeys',
  'logs',
];

const changeable: [RbacResource, string[]][] = [
  ['applications', ['create', 'update', 'update/*', 'delete', 'delete/*', 'sync', 'rollback', 'override', 'action/*']],
  ['applicationsets', ['get', 'create', 'update', 'delete']],
  ['certificates', ['create', 'update', 'delete']],
  ['clusters', ['create', 'update', 'delete']],
  ['repositories', ['create', 'update', 'delete']],
  ['write-repositories', ['create', 'update', 'delete']],
  ['projects', ['create', 'update', 'delete']],
  ['accounts', ['update']],
  ['gpgkeys', ['create', 'delete']],
  ['exec', ['create']],
];

function allow(subject: string, resource: RbacResource, action: string): PermissionLine {
  return { subject, resource, action, object: projectScoped.has(resource) ? '*/*' : '*', effect: 'allow' };
}

/** `role:readonly`, `role:admin` (which has it too), and the account `admin`, as every Argo CD instance has them. */
export const builtinPolicy: Policy = {
  permissions: [
    ...readable.map((resource) => allow('role:readonly', resource, 'get')),
    ...changeable.flatMap(([resource, actions]) => actions.map((action) => allow('role:admin', resource, action))),
  ],
  roles: new Map([
    ['role:admin', ['role:readonly']],
    ['admin', ['role:admin']],
  ]),
  problems: [],
};
