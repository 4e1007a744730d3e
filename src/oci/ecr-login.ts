import aws4 from 'aws4';
import { request } from 'undici';
import { AppError, isAppError, messageOf, throwIfAborted } from '#base/errors.ts';
import { getArray, getNumber, getString, parseJson } from '#base/json.ts';
import { registerSecret } from '#base/redact.ts';
import type { RegistryCredentials } from './port.ts';

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  /** RFC 3339. */
  expiration: string;
}

export interface AssumeRoleRequest {
  /** Base URL of STS; the region's public one by default. */
  endpoint?: string;
  region: string;
  roleArn: string;
  sessionName: string;
  webIdentityToken: string;
  durationSeconds?: number;
}

/** STS AssumeRoleWithWebIdentity. Throws `forbidden` or `unauthorized` in the service's words when it refuses. */
export async function assumeRoleWithWebIdentity(
  ask: AssumeRoleRequest,
  signal: AbortSignal,
): Promise<AwsCredentials & { assumedRoleArn: string }> {
  const form = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: ask.roleArn,
    RoleSessionName: ask.sessionName,
    WebIdentityToken: ask.webIdentityToken,
    ...(ask.durationSeconds === undefined ? {} : { DurationSeconds: String(ask.durationSeconds) }),
  });
  const endpoint = ask.endpoint ?? `https://sts.${ask.region}.amazonaws.com`;
  const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  const { status, text } = await post(endpoint, { headers, body: form.toString() }, signal);
  if (status !== 200)
    throw refused(`${ask.roleArn} cannot be assumed`, status, `${xmlText(text, 'Code')} ${xmlText(text, 'Message')}`);
  const credentials = {
    accessKeyId: xmlText(text, 'AccessKeyId'),
    secretAccessKey: xmlText(text, 'SecretAccessKey'),
    sessionToken: xmlText(text, 'SessionToken'),
    expiration: xmlText(text, 'Expiration'),
    assumedRoleArn: xmlText(text, 'Arn'),
  };
  if (!credentials.accessKeyId || !credentials.secretAccessKey || !credentials.sessionToken)
    throw new AppError('unavailable', `${endpoint} answered AssumeRoleWithWebIdentity without credentials`);
  registerSecret(credentials.secretAccessKey);
  registerSecret(credentials.sessionToken);
  return credentials;
}

export interface EcrTokenRequest {
  /** Base URL of ECR; the region's public one by default. */
  endpoint?: string;
  region: string;
  credentials: Pick<AwsCredentials, 'accessKeyId' | 'secretAccessKey' | 'sessionToken'>;
}

export interface EcrAuthorization extends RegistryCredentials {
  /** Host, with port, of the registry the password is for. */
  registry: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** ECR GetAuthorizationToken: name and password for the registry. */
export async function ecrAuthorizationToken(ask: EcrTokenRequest, signal: AbortSignal): Promise<EcrAuthorization> {
  const endpoint = ask.endpoint ?? `https://api.ecr.${ask.region}.amazonaws.com`;
  const { status, text } = await signedPost(
    endpoint,
    {
      service: 'ecr',
      region: ask.region,
      credentials: ask.credentials,
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken',
      },
      body: '{}',
    },
    signal,
  );
  const answer = parseJson(text, `the answer of ${endpoint}`);
  if (status !== 200)
    throw refused(
      'no registry password was given',
      status,
      `${getString(answer, '__type') ?? ''} ${getString(answer, 'message') ?? ''}`,
    );
  const data = getArray(answer, 'authorizationData')[0];
  const decoded = Buffer.from(getString(data, 'authorizationToken') ?? '', 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  const proxy = getString(data, 'proxyEndpoint');
  if (colon < 0 || proxy === undefined)
    throw new AppError('unavailable', `${endpoint} answered GetAuthorizationToken without a token`);
  const password = decoded.slice(colon + 1);
  registerSecret(password);
  return {
    username: decoded.slice(0, colon),
    password,
    registry: new URL(proxy).host,
    expiresAt: (getNumber(data, 'expiresAt') ?? 0) * 1000,
  };
}

/** STS GetCallerIdentity: proves the credentials and tells the account. */
export async function callerIdentity(
  ask: EcrTokenRequest,
  signal: AbortSignal,
): Promise<{ account: string; arn: string }> {
  const endpoint = ask.endpoint ?? `https://sts.${ask.region}.amazonaws.com`;
  const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  const body = 'Action=GetCallerIdentity&Version=2011-06-15';
  const { status, text } = await signedPost(endpoint, { ...ask, service: 'sts', headers, body }, signal);
  if (status !== 200)
    throw refused('the credentials are not valid', status, `${xmlText(text, 'Code')} ${xmlText(text, 'Message')}`);
  return { account: xmlText(text, 'Account'), arn: xmlText(text, 'Arn') };
}

interface SignedPost {
  service: 'ecr' | 'sts';
  region: string;
  credentials: EcrTokenRequest['credentials'];
  headers: Record<string, string>;
  body: string;
}

async function signedPost(endpoint: string, ask: SignedPost, signal: AbortSignal) {
  const { service, region, credentials, body } = ask;
  const { host, pathname } = new URL(endpoint);
  const signed = aws4.sign(
    { service, region, method: 'POST', host, path: pathname, headers: { ...ask.headers }, body },
    credentials,
  );
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(signed.headers ?? {})) headers[name.toLowerCase()] = String(value);
  delete headers['content-length'];
  return await post(endpoint, { headers, body }, signal);
}

const maxAnswerBytes = 1024 * 1024;

async function post(endpoint: string, ask: { headers: Record<string, string>; body: string }, signal: AbortSignal) {
  try {
    const response = await request(endpoint, { method: 'POST', ...ask, signal, headersTimeout: 30_000 });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response.body) {
      size += chunk.length;
      if (size > maxAnswerBytes) throw new AppError('limit', `${endpoint} answered more than ${maxAnswerBytes} bytes`);
      chunks.push(chunk);
    }
    return { status: response.statusCode, text: Buffer.concat(chunks).toString('utf8') };
  } catch (error) {
    throwIfAborted(signal);
    if (isAppError(error)) throw error;
    throw new AppError('unavailable', `${endpoint} cannot be reached: ${messageOf(error)}`, { cause: error });
  }
}

function refused(what: string, status: number, words: string): AppError {
  const message = `${what}: ${words.trim() || `status ${status}`}`;
  if (status >= 500 || words.includes('IDPCommunicationError'))
    return new AppError('unavailable', message, { hint: 'try again later' });
  return new AppError(status === 403 ? 'forbidden' : 'unauthorized', message, {
    hint: "check the role's trust policy against the job's branch, tag or environment; the registry's audit log has the reason",
  });
}

/** The text of the first element of this name; these answers are small and flat enough to need no XML reader. */
function xmlText(xml: string, name: string): string {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? '';
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, entity) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return hex === undefined ? (named[entity] ?? whole) : String.fromCodePoint(Number.parseInt(hex, 16));
  });
}
