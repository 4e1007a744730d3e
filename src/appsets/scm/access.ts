import { AppError } from '#base/errors.ts';
import { isObject, type JsonObject } from '#base/json.ts';
import { labels } from '#model/argocd/names.ts';
import type { HttpConnection, HttpFetch } from '../http.ts';
import type { GeneratorInput, GeneratorSources } from '../port.ts';
import { bitbucketHeaders } from './bitbucket-server.ts';

/** The one forge that a generator names, with its settings. */
export interface Chosen {
  kind: string;
  config: JsonObject;
}

export function chooseForge(spec: JsonObject, kinds: readonly string[], generator: string): Chosen {
  for (const kind of kinds) {
    const config = spec[kind];
    if (isObject(config)) return { kind, config };
  }
  throw new AppError('bad-input', `${generator} generator: no provider implementation configured`);
}

/** Whether forges may be asked, and at this address. Throws AppError forbidden. */
export function requireAllowed({ config }: Chosen, { set }: GeneratorInput, sources: GeneratorSources): void {
  const { enabled, allowed } = sources.scm;
  if (!enabled) throw new AppError('forbidden', 'scm providers are disabled');
  const elsewhere = set.namespace !== sources.instanceNamespace;
  if (elsewhere && allowed.length === 0)
    throw new AppError(
      'forbidden',
      `scm provider not allowed: an ApplicationSet outside ${sources.instanceNamespace} may ask only the providers of applicationsetcontroller.allowed.scm.providers, which names none`,
    );
  const api = String(config['api'] ?? '');
  if (api === '' || allowed.length === 0 || allowed.includes(api)) return;
  throw new AppError(
    'forbidden',
    `scm provider not allowed: scm provider ${JSON.stringify(api)} not allowed, must use one of the following: ${allowed.join(', ')}`,
  );
}

/** What a `tokenRef` names in a Secret beside the set; undefined without one. */
export async function secretOf(
  reference: unknown,
  { set }: GeneratorInput,
  sources: GeneratorSources,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!isObject(reference)) return undefined;
  const [name, key] = [String(reference['secretName'] ?? ''), String(reference['key'] ?? '')];
  const secret = await sources.secret({ name, namespace: set.namespace }, signal);
  const where = `Secret ${set.namespace}/${name}`;
  if (!secret) throw new AppError('not-found', `error fetching Secret token: ${where} does not exist`);
  if (sources.scm.strictTokenRef && secret.labels[labels.secretType] !== 'scm-creds')
    throw new AppError('forbidden', `${where} is not a valid SCM creds secret`, {
      hint: `label it ${labels.secretType}: scm-creds`,
    });
  const value = secret.data[key];
  if (value === undefined) throw new AppError('not-found', `key ${JSON.stringify(key)} in ${where} not found`);
  return value;
}

export function flag(config: JsonObject, name: string, absent = false): boolean {
  const value = config[name];
  return typeof value === 'boolean' ? value : absent;
}

export function text(config: JsonObject, name: string): string {
  return String(config[name] ?? '');
}

/** What a forge is asked with. */
export interface Asking {
  input: GeneratorInput;
  sources: GeneratorSources;
  http: HttpFetch;
}

/** A connection that judges the forge's certificate as `insecure` and `caRef` say. */
export async function connect(
  { config }: Chosen,
  { set }: GeneratorInput,
  sources: GeneratorSources,
  signal: AbortSignal,
): Promise<HttpConnection> {
  const { caRef } = config;
  const insecure = flag(config, 'insecure');
  if (!isObject(caRef)) return sources.connect({ insecure, ca: undefined });
  const ref = { name: text(caRef, 'configMapName'), key: text(caRef, 'key'), namespace: set.namespace };
  const ca = await sources.configMapEntry(ref, signal);
  if (ca === undefined)
    throw new AppError(
      'not-found',
      `error fetching CA certificates from ConfigMap: ${ref.namespace}/${ref.name} has no key ${JSON.stringify(ref.key)}`,
    );
  return sources.connect({ insecure, ca });
}

/** The headers for Bitbucket, by the one of `bearerToken` and `basicAuth` that is given. */
export async function bitbucketAuth(
  config: JsonObject,
  { input, sources }: Asking,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const { bearerToken, basicAuth } = config;
  if (isObject(bearerToken))
    return bitbucketHeaders({ bearer: await secretOf(bearerToken['tokenRef'], input, sources, signal) });
  if (!isObject(basicAuth)) return {};
  const password = await secretOf(basicAuth['passwordRef'], input, sources, signal);
  return bitbucketHeaders({ user: text(basicAuth, 'username'), password });
}

/** The token of a GitHub App whose Secret is named, else what `tokenRef` names. `about` is an address below the owner. */
export async function githubToken(
  config: JsonObject,
  about: string,
  { input, sources }: Asking,
  signal: AbortSignal,
): Promise<string | undefined> {
  const name = text(config, 'appSecretName');
  if (name === '') return await secretOf(config['tokenRef'], input, sources, signal);
  const where = `Secret ${sources.instanceNamespace}/${name}`;
  const secret = await sources.secret({ name, namespace: sources.instanceNamespace }, signal);
  if (!secret) throw new AppError('not-found', `error fetching Github app secret: ${where} does not exist`);
  const { githubAppID, githubAppInstallationID, githubAppPrivateKey } = secret.data;
  if (!githubAppID || !githubAppPrivateKey)
    throw new AppError('bad-input', `${where} is no GitHub App: githubAppID and githubAppPrivateKey must be set`);
  const api = text(config, 'api');
  const app = {
    id: githubAppID,
    installationId: githubAppInstallationID,
    privateKey: githubAppPrivateKey,
    ...(api === '' ? {} : { enterpriseBaseUrl: api }),
  };
  return await sources.githubAppToken(app, about, signal);
}
