import type { Command } from 'commander';
import { AppError } from '#base/errors.ts';
import { getArray, getString, isObject, type JsonObject } from '#base/json.ts';
import { parseGoDuration } from '#model/argocd/duration.ts';
import { renderFields, renderTable } from '../printer.ts';
import { type OutputOption, type Session, withOutput } from '../session.ts';
import { changeProject, field, projectPath, readProject } from './document.ts';

function rolesOf(spec: JsonObject): JsonObject[] {
  return getArray(spec, 'roles').filter(isObject);
}

function changeRole(spec: JsonObject, name: string, change: (role: JsonObject) => JsonObject): JsonObject {
  const roles = rolesOf(spec);
  if (!roles.some((role) => role['name'] === name)) throw new AppError('not-found', `the project has no role ${name}`);
  return { ...spec, roles: roles.map((role) => (role['name'] === name ? change(role) : role)) };
}

interface PolicyFlags {
  action: string;
  object: string;
  permission: string;
  resource: string;
}

function policyOf(project: string, role: string, { action, object, permission, resource }: PolicyFlags): string {
  return `p, proj:${project}:${role}, ${resource}, ${action}, ${project}/${object}, ${permission}`;
}

function withPolicyFlags(command: Command): Command {
  return command
    .requiredOption('-a, --action <action>', 'get, create, update, delete, sync, override, ...')
    .requiredOption('-o, --object <object>', 'which applications, for example *')
    .option('-p, --permission <permission>', 'allow or deny', 'allow')
    .option('-r, --resource <resource>', 'applications, logs, ...', 'applications');
}

export function registerRoles(proj: Command, session: Session): void {
  const role = proj.command('role').description('who may do what in a project');
  const change = async (project: string, edit: (spec: JsonObject) => JsonObject) => {
    await changeProject(session, project, edit);
    session.deps.out(`project '${project}' changed\n`);
  };
  withOutput(role.command('list <project>'))
    .description('the roles of a project')
    .action(async (project: string, flags: OutputOption) => {
      const roles = rolesOf((await readProject(session, project)).spec);
      const rows = roles.map((entry) => [field(entry, 'name'), field(entry, 'description')]);
      session.show({ data: roles, text: () => renderTable(['ROLE-NAME', 'DESCRIPTION'], rows) }, flags);
    });
  withOutput(role.command('get <project> <role>'))
    .description('one role, with its policies, groups and tokens')
    .action(async (project: string, name: string, flags: OutputOption) => {
      const found = rolesOf((await readProject(session, project)).spec).find((entry) => entry['name'] === name);
      if (!found) throw new AppError('not-found', `project ${project} has no role ${name}`);
      const tokens = getArray(found, 'jwtTokens').map((token) => JSON.stringify(token));
      const text = renderFields([
        ['Role Name', name],
        ['Description', getString(found, 'description')],
        ['Policies', getArray(found, 'policies').join('\n                    ')],
        ['Groups', getArray(found, 'groups').join(', ') || undefined],
        ['Tokens', tokens.join('\n                    ') || undefined],
      ]);
      session.show({ data: found, text: () => text }, flags);
    });
  role
    .command('create <project> <role>')
    .description('add a role')
    .option('--description <text>', 'what it is for')
    .action(async (project: string, name: string, flags: { description?: string }) => {
      await change(project, (spec) => {
        if (rolesOf(spec).some((entry) => entry['name'] === name))
          throw new AppError('conflict', `project ${project} has a role ${name} already`);
        return { ...spec, roles: [...rolesOf(spec), { name, ...flags }] };
      });
    });
  role
    .command('delete <project> <role>')
    .description('take a role away, with its tokens')
    .action(async (project: string, name: string) => {
      await change(project, (spec) => ({ ...spec, roles: rolesOf(spec).filter((entry) => entry['name'] !== name) }));
    });
  withPolicyFlags(role.command('add-policy <project> <role>'))
    .description('let a role do something, or not')
    .action(async (project: string, name: string, flags: PolicyFlags) => {
      const policy = policyOf(project, name, flags);
      await change(project, (spec) =>
        changeRole(spec, name, (entry) => ({ ...entry, policies: [...getArray(entry, 'policies'), policy] })),
      );
    });
  withPolicyFlags(role.command('remove-policy <project> <role>'))
    .description('take a policy away')
    .action(async (project: string, name: string, flags: PolicyFlags) => {
      const policy = policyOf(project, name, flags).replaceAll(' ', '');
      await change(project, (spec) =>
        changeRole(spec, name, (entry) => {
          const kept = getArray(entry, 'policies').filter((line) => String(line).replaceAll(' ', '') !== policy);
          return { ...entry, policies: kept };
        }),
      );
    });
  role
    .command('add-group <project> <role> <group>')
    .description('give a role to a group of the identity provider')
    .action(async (project: string, name: string, group: string) => {
      await change(project, (spec) =>
        changeRole(spec, name, (entry) => ({ ...entry, groups: [...getArray(entry, 'groups'), group] })),
      );
    });
  role
    .command('remove-group <project> <role> <group>')
    .description('take a role from a group')
    .action(async (project: string, name: string, group: string) => {
      await change(project, (spec) =>
        changeRole(spec, name, (entry) => ({
          ...entry,
          groups: getArray(entry, 'groups').filter((other) => other !== group),
        })),
      );
    });
  registerTokens(role, session);
}

function registerTokens(role: Command, session: Session): void {
  const tokens = (project: string, name: string) => projectPath(project, `/roles/${encodeURIComponent(name)}/token`);
  role
    .command('create-token <project> <role>')
    .description('a token with the rights of a role; it is shown once')
    .option('-e, --expires-in <duration>', 'for example 24h; without it, never')
    .option('-i, --id <id>', 'of the token')
    .option('-t, --token-only', 'print nothing else')
    .action(async (project: string, name: string, flags: { expiresIn?: string; id?: string; tokenOnly?: boolean }) => {
      const expiresInMs = flags.expiresIn === undefined ? 0 : parseGoDuration(flags.expiresIn);
      const body = { project, role: name, expiresIn: Math.round(expiresInMs / 1000), id: flags.id ?? '' };
      const token = getString(await session.client.request('POST', tokens(project, name), body), 'token') ?? '';
      session.deps.out(
        flags.tokenOnly ? token : `Create token succeeded for proj:${project}:${name}.\n  Token: ${token}\n`,
      );
    });
  role
    .command('delete-token <project> <role> <issued-at>')
    .description('make a token worthless')
    .action(async (project: string, name: string, iat: string) => {
      await session.client.request('DELETE', `${tokens(project, name)}/${encodeURIComponent(iat)}`);
      session.deps.out(`token of ${name} deleted\n`);
    });
  withOutput(role.command('list-tokens <project> <role>'))
    .description('the tokens of a role, without their values')
    .action(async (project: string, name: string, flags: OutputOption) => {
      const found = rolesOf((await readProject(session, project)).spec).find((entry) => entry['name'] === name);
      const all = getArray(found, 'jwtTokens').filter(isObject);
      const time = (value: unknown) => (typeof value === 'number' ? new Date(value * 1000).toISOString() : '<none>');
      const rows = all.map((token) => [String(token['id'] ?? ''), time(token['iat']), time(token['exp'])]);
      session.show({ data: all, text: () => renderTable(['ID', 'ISSUED AT', 'EXPIRES AT'], rows) }, flags);
    });
}
