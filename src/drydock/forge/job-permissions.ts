import { isObject } from '#base/json.ts';
import type { Template } from '../actions/template.ts';
import { literalString, members } from '../actions/template.ts';
import type { Permissions } from './accounts.ts';

const scopes = [
  'actions',
  'attestations',
  'checks',
  'contents',
  'deployments',
  'discussions',
  'id-token',
  'issues',
  'packages',
  'pages',
  'pull-requests',
  'repository-projects',
  'security-events',
  'statuses',
];

/**
 * What a job's token may do: the job's `permissions`, else the workflow's, else everything but identity tokens, which is
 * GitHub's permissive default. A mapping that leaves a scope out denies it.
 */
export function jobPermissions(job: Template | undefined, workflow: Template | undefined): Permissions {
  const written = job ?? workflow;
  if (written === undefined) return { ...all('write'), 'id-token': 'none' };
  const word = literalString(written);
  if (word === 'read-all') return { ...all('read'), 'id-token': 'none' };
  if (word === 'write-all') return all('write');
  const given = Object.fromEntries(members(written).map(([scope, access]) => [scope, literalString(access)]));
  return Object.fromEntries(
    scopes.map((scope) => {
      const access = isObject(given) ? given[scope] : undefined;
      return [scope, access === 'write' || access === 'read' ? access : 'none'];
    }),
  );
}

function all(access: 'read' | 'write'): Permissions {
  return Object.fromEntries(scopes.map((scope) => [scope, access]));
}
