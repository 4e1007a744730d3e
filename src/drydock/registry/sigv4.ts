import { createHash, createHmac } from 'node:crypto';
import { sameSecret } from './access.ts';

export interface SignedRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

export interface SigV4Scope {
  accessKeyId: string;
  date: string;
  region: string;
  service: string;
  signedHeaders: string[];
  signature: string;
}

const maxSkewMs = 5 * 60_000;

/** Reads an `Authorization` header of AWS Signature Version 4; undefined when it is none. */
export function parseSigV4(header: string | undefined): SigV4Scope | undefined {
  const match =
    /^AWS4-HMAC-SHA256\s+Credential=([A-Z0-9]+)\/(\d{8})\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request,\s*SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})$/.exec(
      header ?? '',
    );
  const [, accessKeyId, date, region, service, signedHeaders, signature] = match ?? [];
  if (!accessKeyId || !date || !region || !service || !signedHeaders || !signature) return undefined;
  return { accessKeyId, date, region, service, signedHeaders: signedHeaders.split(';'), signature };
}

/** What is wrong with the signature, for the audit log; undefined when it is right. */
export function sigV4Fault(
  request: SignedRequest,
  scope: SigV4Scope,
  expected: { secret: string; service: string; now: number },
): string | undefined {
  const time = headerOf(request, 'x-amz-date');
  const parsed = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time);
  if (!parsed) return 'the request has no X-Amz-Date';
  const [year = 0, month = 1, day, hour, minute, second] = parsed.slice(1).map(Number);
  const sentAt = Date.UTC(year, month - 1, day, hour, minute, second);
  if (Math.abs(sentAt - expected.now) > maxSkewMs) return `the request was signed at ${time}, too far from now`;
  if (!time.startsWith(scope.date)) return 'the date of the credential scope is not that of the request';
  if (scope.service !== expected.service) return `the request was signed for ${scope.service}, not ${expected.service}`;
  for (const name of ['host', 'x-amz-date'])
    if (!scope.signedHeaders.includes(name)) return `the header ${name} is not signed`;
  return sameSecret(signatureOf(request, scope, expected.secret), scope.signature)
    ? undefined
    : 'the signature does not fit the request';
}

function signatureOf(request: SignedRequest, scope: SigV4Scope, secret: string): string {
  const canonical = [
    request.method,
    encodePath(request.path),
    canonicalQuery(request.query),
    ...scope.signedHeaders.map((name) => `${name}:${headerOf(request, name).trim().replace(/ +/g, ' ')}`),
    '',
    scope.signedHeaders.join(';'),
    createHash('sha256').update(request.body).digest('hex'),
  ].join('\n');
  const credentialScope = `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
  const toSign = [
    'AWS4-HMAC-SHA256',
    headerOf(request, 'x-amz-date'),
    credentialScope,
    createHash('sha256').update(canonical).digest('hex'),
  ].join('\n');
  let key = Buffer.from(`AWS4${secret}`);
  for (const part of [scope.date, scope.region, scope.service, 'aws4_request'])
    key = createHmac('sha256', key).update(part).digest();
  return createHmac('sha256', key).update(toSign).digest('hex');
}

function headerOf(request: SignedRequest, name: string): string {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : (value ?? '');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function encodePath(path: string): string {
  return path.split('/').map(encode).join('/');
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
}
