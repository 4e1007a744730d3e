import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GitProgram } from './git-process.ts';
import type { GitAccess } from './port.ts';

/** What git is told of how it reaches a remote. Disposing removes the files that it needed. */
export interface PreparedAccess extends AsyncDisposable {
  config: [string, string][];
  env: Record<string, string>;
}

/** The header by which HTTP signs in; undefined without credentials. */
export function authorizationOf(access: GitAccess | undefined): string | undefined {
  if (access?.password !== undefined || access?.username !== undefined) {
    const { username = '', password = '' } = access;
    return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  }
  return access?.bearerToken === undefined ? undefined : `Bearer ${access.bearerToken}`;
}

/** How ssh is started, where nothing else is said. */
export function sshCommand(program: Pick<GitProgram, 'env'>): string {
  return program.env['GIT_SSH_COMMAND'] ?? 'ssh -o BatchMode=yes -o ConnectTimeout=10';
}

/** For a shell, and for ssh's own reading of its options, which splits at spaces. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`;
}

function sshOptions(access: GitAccess, files: { key?: string; hosts?: string }): string[] {
  const options: string[] = [];
  if (files.key !== undefined) options.push('-i', quoted(files.key), '-o', 'IdentitiesOnly=yes');
  if (access.insecure) options.push('-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null');
  else if (files.hosts !== undefined)
    options.push('-o', 'StrictHostKeyChecking=yes', '-o', quoted(`UserKnownHostsFile="${files.hosts}"`));
  return options;
}

/** Puts what git and ssh read from files there, for the time of one command and for no other user. */
export async function prepareAccess(
  access: GitAccess | undefined,
  program: Pick<GitProgram, 'home' | 'env'>,
): Promise<PreparedAccess> {
  const config: [string, string][] = [];
  const env: Record<string, string> = {};
  const texts = {
    key: access?.sshPrivateKey,
    hosts: access?.insecure ? undefined : access?.sshKnownHosts,
    ca: access?.ca,
    cert: access?.clientCert,
    certKey: access?.clientKey,
  };
  const needed = Object.entries(texts).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const folder = needed.length > 0 ? await mkdtemp(join(program.home, 'access-')) : undefined;
  const dispose = async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  };
  if (!access) return { config, env, [Symbol.asyncDispose]: dispose };
  const files: Partial<Record<keyof typeof texts, string>> = {};
  try {
    if (folder !== undefined) {
      await chmod(folder, 0o700);
      for (const [name, text] of needed) {
        const path = join(folder, name);
        // OpenSSH refuses a key whose last line has no end.
        await writeFile(path, text.endsWith('\n') ? text : `${text}\n`, { mode: 0o600 });
        Object.assign(files, { [name]: path });
      }
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  if (access.insecure) config.push(['http.sslVerify', 'false']);
  if (files.ca !== undefined) config.push(['http.sslCAInfo', files.ca]);
  if (files.cert !== undefined) config.push(['http.sslCert', files.cert]);
  if (files.certKey !== undefined) config.push(['http.sslKey', files.certKey]);
  if (access.proxy !== undefined) {
    config.push(['http.proxy', access.proxy]);
    Object.assign(env, { no_proxy: access.noProxy ?? '', NO_PROXY: access.noProxy ?? '' });
  }
  const options = sshOptions(access, files);
  if (options.length > 0) env['GIT_SSH_COMMAND'] = [sshCommand(program), ...options].join(' ');
  return { config, env, [Symbol.asyncDispose]: dispose };
}
