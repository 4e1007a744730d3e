import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '#base/errors.ts';
import { isObject, parseJson } from '#base/json.ts';
import type { ActionContext, BuiltinAction } from '#drydock/actions/action.ts';
import { parseDockerConfig } from '#oci/docker-config.ts';
import type { RegistryCredentials } from '#oci/port.ts';

function configDirectory(context: ActionContext): string {
  return context.env['DOCKER_CONFIG'] ?? join(context.tempDir, 'docker');
}

/** Adds a login to the job's own docker configuration, as `docker login` does; it goes with the job. */
export function writeDockerLogin(context: ActionContext, registry: string, credentials: RegistryCredentials): void {
  const directory = configDirectory(context);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'config.json');
  let config: unknown = {};
  try {
    config = parseJson(readFileSync(path, 'utf8'), path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const auth = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
  const auths = isObject(config) && isObject(config['auths']) ? config['auths'] : {};
  const merged = { ...(isObject(config) ? config : {}), auths: { ...auths, [registry]: { auth } } };
  writeFileSync(path, JSON.stringify(merged), { mode: 0o600 });
  context.addMask(credentials.password);
  context.addMask(auth);
  context.setEnv('DOCKER_CONFIG', directory);
}

/** What the steps before have logged in to. */
export function readDockerLogins(context: ActionContext): Map<string, RegistryCredentials> {
  const path = join(configDirectory(context), 'config.json');
  try {
    return parseDockerConfig(readFileSync(path, 'utf8'), path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map();
    throw error;
  }
}

/** docker/login-action: name and password into the job's docker configuration. */
export const dockerLogin: BuiltinAction = async (context) => {
  const { registry = '', username = '', password = '' } = context.inputs;
  if (!username || !password) {
    throw new AppError('bad-input', `${context.uses} needs username and password`, {
      hint: 'give both in `with`; a secret that is not defined is an empty string',
    });
  }
  writeDockerLogin(context, registry || 'https://index.docker.io/v1/', { username, password });
  context.log(`Logged in to ${registry || 'docker.io'} as ${username}`);
  return {};
};
