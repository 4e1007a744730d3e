import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { AppError } from '#base/errors.ts';
import { getArray, getString } from '#base/json.ts';
import { queryText } from './client.ts';
import { renderTable } from './printer.ts';
import { type OutputOption, type Session, withOutput } from './session.ts';

interface AccessFlags {
  type?: string;
  username?: string;
  password?: string;
  bearerToken?: string;
  sshPrivateKeyPath?: string;
  tlsClientCertPath?: string;
  tlsClientCertKeyPath?: string;
  enableOci?: boolean;
  insecureOciForceHttp?: boolean;
  enableLfs?: boolean;
  forceHttpBasicAuth?: boolean;
  proxy?: string;
  noProxy?: string;
  githubAppId?: string;
  githubAppInstallationId?: string;
  githubAppPrivateKeyPath?: string;
  githubAppEnterpriseBaseUrl?: string;
}

interface RepoFlags extends AccessFlags {
  name?: string;
  project?: string;
  insecureSkipServerVerification?: boolean;
  insecureIgnoreHostKey?: boolean;
  upsert?: boolean;
}

function withAccessFlags(command: Command): Command {
  return command
    .option('--type <type>', 'git, helm or oci', 'git')
    .option('--username <name>', 'user name')
    .option('--password <password>', 'password or token')
    .option('--bearer-token <token>', 'bearer token')
    .option('--ssh-private-key-path <file>', 'SSH key')
    .option('--tls-client-cert-path <file>', 'TLS client certificate')
    .option('--tls-client-cert-key-path <file>', 'its key')
    .option('--enable-oci', 'a Helm repository that is a registry')
    .option('--insecure-oci-force-http', 'a registry without TLS')
    .option('--enable-lfs', 'large files of git')
    .option('--force-http-basic-auth', 'send credentials without being asked')
    .option('--proxy <url>', 'proxy for it')
    .option('--no-proxy <hosts>', 'hosts that are reached without it')
    .option('--github-app-id <id>', 'GitHub App')
    .option('--github-app-installation-id <id>', 'its installation')
    .option('--github-app-private-key-path <file>', 'its key')
    .option('--github-app-enterprise-base-url <url>', 'of GitHub Enterprise');
}

/** What the flags say of the way to a repository, in the members of the API. */
function accessOf(cwd: string, flags: AccessFlags): Record<string, unknown> {
  const file = (path: string | undefined) => {
    if (path === undefined) return undefined;
    try {
      return readFileSync(resolve(cwd, path), 'utf8');
    } catch (cause) {
      throw new AppError('not-found', `${path} cannot be read`, { cause });
    }
  };
  const members: [string, unknown][] = [
    ['type', flags.type],
    ['username', flags.username],
    ['password', flags.password],
    ['bearerToken', flags.bearerToken],
    ['sshPrivateKey', file(flags.sshPrivateKeyPath)],
    ['tlsClientCertData', file(flags.tlsClientCertPath)],
    ['tlsClientCertKey', file(flags.tlsClientCertKeyPath)],
    ['enableOCI', flags.enableOci],
    ['insecureOCIForceHttp', flags.insecureOciForceHttp],
    ['enableLfs', flags.enableLfs],
    ['forceHttpBasicAuth', flags.forceHttpBasicAuth],
    ['proxy', flags.proxy],
    ['noProxy', flags.noProxy],
    ['githubAppID', flags.githubAppId],
    ['githubAppInstallationID', flags.githubAppInstallationId],
    ['githubAppPrivateKey', file(flags.githubAppPrivateKeyPath)],
    ['githubAppEnterpriseBaseUrl', flags.githubAppEnterpriseBaseUrl],
  ];
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

/** `slipway repo` and `slipway repocreds`: as `argocd repo` and `argocd repocreds`. */
export function registerRepo(program: Command, session: Session): void {
  const base = '/api/v1/repositories';
  const repo = program.command('repo').description('repositories: where manifests and charts come from');
  const rows = (items: unknown[]) =>
    renderTable(
      ['TYPE', 'NAME', 'REPO', 'PROJECT', 'STATUS', 'MESSAGE'],
      items.map((item) => [
        getString(item, 'type') ?? 'git',
        getString(item, 'name') ?? '',
        getString(item, 'repo') ?? '',
        getString(item, 'project') ?? '',
        getString(item, 'connectionState', 'status') ?? '',
        getString(item, 'connectionState', 'message') ?? '',
      ]),
    );
  withOutput(repo.command('list'))
    .description('list repositories, and whether they can be read')
    .option('--refresh <hard>', 'hard: try each of them now')
    .action(async (flags: OutputOption & { refresh?: string }) => {
      const query = queryText({ forceRefresh: flags.refresh === 'hard' ? true : undefined });
      const items = getArray(await session.client.request('GET', `${base}${query}`), 'items');
      session.show({ data: items, text: () => rows(items) }, flags);
    });
  withOutput(repo.command('get <url>'))
    .description('show one repository')
    .option('--project <name>', 'the one of a project')
    .action(async (url: string, flags: OutputOption & { project?: string }) => {
      const query = queryText({ appProject: flags.project });
      const item = await session.client.request('GET', `${base}/${encodeURIComponent(url)}${query}`);
      session.show({ data: item, text: () => rows([item]) }, flags);
    });
  withAccessFlags(withOutput(repo.command('add <url>')))
    .description('declare a repository; it is tried first')
    .option('--name <name>', 'its name; charts may refer to it as @NAME')
    .option('--project <name>', 'only for that project')
    .option('--insecure-skip-server-verification', 'do not check certificate or host key')
    .option('--insecure-ignore-host-key', 'do not check the host key')
    .option('--upsert', 'change the one that is there')
    .action(async (url: string, flags: OutputOption & RepoFlags) => {
      const { name, project, upsert, insecureSkipServerVerification: skip, insecureIgnoreHostKey: ignore } = flags;
      const body = {
        ...{ repo: url, name, project },
        ...accessOf(session.deps.cwd, flags),
        ...(skip || ignore ? { insecure: true } : {}),
      };
      const item = await session.client.request('POST', `${base}${queryText({ upsert })}`, body);
      session.note(`repository '${url}' added\n\n`, flags);
      session.show({ data: item, text: () => rows([item]) }, flags);
    });
  repo
    .command('rm <url...>')
    .description('take a declaration away')
    .option('--project <name>', 'the one of a project')
    .action(async (urls: string[], flags: { project?: string }) => {
      for (const url of urls) {
        const query = queryText({ appProject: flags.project });
        await session.client.request('DELETE', `${base}/${encodeURIComponent(url)}${query}`);
        session.deps.out(`repository '${url}' removed\n`);
      }
    });
  registerCredentials(program, session);
}

function registerCredentials(program: Command, session: Session): void {
  const base = '/api/v1/repocreds';
  const repocreds = program.command('repocreds').description('credentials for all repositories below an address');
  withOutput(repocreds.command('list'))
    .description('list them, without their secrets')
    .action(async (flags: OutputOption) => {
      const items = getArray(await session.client.request('GET', base), 'items');
      const rows = items.map((item) => [
        getString(item, 'url') ?? '',
        getString(item, 'username') ?? '-',
        getString(item, 'type') ?? 'git',
      ]);
      session.show({ data: items, text: () => renderTable(['URL', 'USERNAME', 'TYPE'], rows) }, flags);
    });
  withAccessFlags(repocreds.command('add <url>'))
    .description('declare credentials for everything whose address begins so')
    .option('--upsert', 'change those that are there')
    .action(async (url: string, flags: AccessFlags & { upsert?: boolean }) => {
      const query = queryText({ upsert: flags.upsert });
      await session.client.request('POST', `${base}${query}`, { url, ...accessOf(session.deps.cwd, flags) });
      session.deps.out(`repository credentials for '${url}' added\n`);
    });
  repocreds
    .command('rm <url...>')
    .description('take them away')
    .action(async (urls: string[]) => {
      for (const url of urls) {
        await session.client.request('DELETE', `${base}/${encodeURIComponent(url)}`);
        session.deps.out(`repository credentials for '${url}' removed\n`);
      }
    });
}
