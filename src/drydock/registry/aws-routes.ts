import type { Entropy } from '#base/clock.ts';
import { timestamp } from '#base/clock.ts';
import { type AssumedRole, type CloudTrust, TrustRefusal } from './cloud-trust.ts';
import { answer, type Exchange, readBody } from './exchange.ts';
import type { RoleSession } from './session-credentials.ts';
import type { SignedRequest } from './sigv4.ts';

const maxRequestBytes = 256 * 1024;
const ecrTarget = 'AmazonEC2ContainerRegistry_V20150921.';
const stsNamespace = 'https://sts.amazonaws.com/doc/2011-06-15/';

interface AwsDeps {
  trust: CloudTrust;
  entropy: Entropy;
}

/**
 * The two public protocols by which a workflow gets at a registry: STS (query in, XML out) with
 * AssumeRoleWithWebIdentity and GetCallerIdentity, and ECR (JSON 1.1) with GetAuthorizationToken.
 */
export async function serveAws(deps: AwsDeps, exchange: Exchange): Promise<void> {
  const body = await readBody(exchange.request, maxRequestBytes);
  const { method, path, query, request } = exchange;
  const signed: SignedRequest = { method, path, query, headers: request.headers, body };
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string') await serveEcr(deps, exchange, { target, signed });
  else await serveSts(deps, exchange, signed);
}

async function serveEcr(
  deps: AwsDeps,
  exchange: Exchange,
  ask: { target: string; signed: SignedRequest },
): Promise<void> {
  const send = (status: number, value: object, headers: Record<string, string> = {}) =>
    answer(exchange, {
      status,
      headers: { 'Content-Type': 'application/x-amz-json-1.1', 'x-amzn-RequestId': deps.entropy.uuid(), ...headers },
      body: JSON.stringify(value),
    });
  try {
    if (ask.target !== `${ecrTarget}GetAuthorizationToken`)
      throw new TrustRefusal('UnknownOperationException', `${ask.target} is not offered by this registry`, 400);
    const session = await deps.trust.signer(ask.signed, 'ecr');
    const password = await deps.trust.registryPassword(session);
    const authorizationToken = Buffer.from(`AWS:${password}`).toString('base64');
    const expiresAt = Math.floor(session.expiresAt / 1000);
    send(200, { authorizationData: [{ authorizationToken, expiresAt, proxyEndpoint: exchange.origin }] });
  } catch (error) {
    if (!(error instanceof TrustRefusal)) throw error;
    send(400, { __type: error.code, message: error.message }, { 'x-amzn-ErrorType': error.code });
  }
}

async function serveSts(deps: AwsDeps, exchange: Exchange, signed: SignedRequest): Promise<void> {
  const parameters = new URLSearchParams([...exchange.query, ...new URLSearchParams(signed.body.toString('utf8'))]);
  const requestId = deps.entropy.uuid();
  const send = (status: number, xml: string) =>
    answer(exchange, { status, headers: { 'Content-Type': 'text/xml' }, body: xml });
  try {
    switch (parameters.get('Action')) {
      case 'AssumeRoleWithWebIdentity': {
        const assumed = await assumeRole(deps, exchange, parameters);
        send(200, stsAnswer('AssumeRoleWithWebIdentity', assumeRoleResult(assumed), requestId));
        return;
      }
      case 'GetCallerIdentity': {
        const session = await deps.trust.signer(signed, 'sts');
        send(200, stsAnswer('GetCallerIdentity', callerIdentityResult(session), requestId));
        return;
      }
      default:
        throw new TrustRefusal('InvalidAction', 'This action is not offered here', 400);
    }
  } catch (error) {
    if (!(error instanceof TrustRefusal)) throw error;
    const fault = element('Type', 'Sender') + element('Code', error.code) + element('Message', error.message);
    send(
      error.status,
      `<ErrorResponse xmlns="${stsNamespace}"><Error>${fault}</Error>${element('RequestId', requestId)}</ErrorResponse>`,
    );
  }
}

async function assumeRole(deps: AwsDeps, exchange: Exchange, parameters: URLSearchParams): Promise<AssumedRole> {
  const roleArn = parameters.get('RoleArn') ?? '';
  const sessionName = parameters.get('RoleSessionName') ?? '';
  const token = parameters.get('WebIdentityToken') ?? '';
  const seconds = parameters.get('DurationSeconds');
  const invalid = (what: string) => new TrustRefusal('ValidationError', `${what} is missing or malformed`, 400);
  if (!/^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]{1,500}$/.test(roleArn)) throw invalid('RoleArn');
  if (!/^[\w+=,.@-]{2,64}$/.test(sessionName)) throw invalid('RoleSessionName');
  if (token === '') throw invalid('WebIdentityToken');
  if (seconds !== null && !/^\d{1,6}$/.test(seconds)) throw invalid('DurationSeconds');
  const abort = new AbortController();
  exchange.response.once('close', () => abort.abort());
  const durationMs = seconds === null ? undefined : Number(seconds) * 1000;
  return await deps.trust.assumeRole({ roleArn, sessionName, token, durationMs }, abort.signal);
}

function assumeRoleResult({ session, credentials, provider, audience }: AssumedRole): string {
  return [
    group('Credentials', [
      element('AccessKeyId', credentials.accessKeyId),
      element('SecretAccessKey', credentials.secretAccessKey),
      element('SessionToken', credentials.sessionToken),
      element('Expiration', timestamp(session.expiresAt)),
    ]),
    element('SubjectFromWebIdentityToken', session.subject),
    group('AssumedRoleUser', [element('Arn', sessionArn(session)), element('AssumedRoleId', roleId(session))]),
    element('Provider', provider.name),
    element('Audience', audience),
  ].join('');
}

function callerIdentityResult(session: RoleSession): string {
  return (
    element('Arn', sessionArn(session)) +
    element('UserId', roleId(session)) +
    element('Account', session.roleArn.split(':')[4] ?? '')
  );
}

function sessionArn({ roleArn, sessionName }: RoleSession): string {
  const name = roleArn.split('/').at(-1) ?? '';
  return `${roleArn.replace(/:iam:.*/, '')}:sts::${roleArn.split(':')[4] ?? ''}:assumed-role/${name}/${sessionName}`;
}

function roleId({ accessKeyId, sessionName }: RoleSession): string {
  return `${accessKeyId.replace(/^ASIA/, 'AROA')}:${sessionName}`;
}

function stsAnswer(action: string, result: string, requestId: string): string {
  const metadata = group('ResponseMetadata', [element('RequestId', requestId)]);
  return `<${action}Response xmlns="${stsNamespace}">${group(`${action}Result`, [result])}${metadata}</${action}Response>`;
}

function group(name: string, children: string[]): string {
  return `<${name}>${children.join('')}</${name}>`;
}

function element(name: string, text: string): string {
  const escaped = text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
  return `<${name}>${escaped}</${name}>`;
}
