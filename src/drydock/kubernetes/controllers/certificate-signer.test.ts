import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Agent, request as httpRequest } from 'undici';
import { getPath, getString, type JsonObject } from '#base/json.ts';
import { silentLogger } from '#base/log.ts';
import { testClock, testEntropy } from '../../../../test/clock.ts';
import { type TestCluster, testCluster } from '../api/api-fixture.test.ts';
import { bits, integer, objectId, sequence, set, tagged, utf8 } from '../api/credential/der.ts';
import { parseSigningRequest } from '../api/write/signing-request.ts';
import { startControllers } from './start.ts';

const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests';

function pemOf(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}

function signingRequest(key: KeyObject, signer = key): string {
  const attribute = (id: string, value: string): Buffer => set(sequence(objectId(id), utf8(value)));
  const subject = sequence(attribute('2.5.4.10', 'team'), attribute('2.5.4.3', 'ana'));
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const info = sequence(integer(Buffer.of(0)), subject, publicKey, tagged(0));
  const rsa = key.asymmetricKeyType === 'rsa';
  const algorithm = sequence(objectId(rsa ? '1.2.840.113549.1.1.11' : '1.2.840.10045.4.3.2'));
  return pemOf(sequence(info, algorithm, bits(sign('sha256', info, signer))));
}

const ecKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

let cluster: TestCluster;
let stack: AsyncDisposableStack;
before(async () => {
  stack = new AsyncDisposableStack();
  cluster = stack.use(await testCluster());
  const { api, caPem, signRequest } = cluster.server;
  const deps = { api, clock: testClock, entropy: testEntropy, logger: silentLogger };
  const selection = ['certificate-signer'];
  stack.use(startControllers(deps, { caCertificate: caPem, volumesDir: '/nowhere', selection, signRequest }));
});
after(() => stack.disposeAsync());

/** Sends a request, approves it, and waits for what becomes of it. */
async function decided(name: string, spec: JsonObject): Promise<JsonObject> {
  const signerName = 'kubernetes.io/kube-apiserver-client';
  const body = { metadata: { name }, spec: { signerName, usages: ['client auth'], ...spec } };
  const made = await cluster.send('POST', path, { body });
  assert.equal(made.code, 201, made.text);
  const done = cluster.watch(`${path}?watch=true&fieldSelector=metadata.name%3D${name}`, (events) =>
    isSettled(events.at(-1)),
  );
  const status = { conditions: [{ type: 'Approved', status: 'True', reason: 'r', message: 'm' }] };
  const approved = await cluster.send('PUT', `${path}/${name}/approval`, { body: { ...made.body, status } });
  assert.equal(approved.code, 200, approved.text);
  return Object(getPath((await done).at(-1), 'object', 'status'));
}

function isSettled(event: JsonObject | undefined): boolean {
  const status = getPath(event, 'object', 'status');
  return getPath(status, 'certificate') !== undefined || getPath(status, 'conditions', 1) !== undefined;
}

test('an approved request becomes a certificate by which the API knows its bearer', async () => {
  const key = ecKey();
  const spec = { request: Buffer.from(signingRequest(key)).toString('base64'), expirationSeconds: 3600 };
  const status = await decided('good', spec);
  const pem = Buffer.from(getString(status, 'certificate') ?? '', 'base64').toString();
  const certificate = new X509Certificate(pem);
  assert.equal(certificate.subject, 'O=team\nCN=ana');
  assert.ok(certificate.verify(createPublicKey(cluster.server.caPem)));
  assert.ok(Math.abs(certificate.validToDate.getTime() - Date.now() - 3_600_000) < 60_000);
  const agent = new Agent({
    connect: { ca: cluster.server.caPem, cert: pem, key: key.export({ type: 'pkcs8', format: 'pem' }) },
  });
  const answer = await httpRequest(`${cluster.server.listening.url}/apis/authentication.k8s.io/v1/selfsubjectreviews`, {
    dispatcher: agent,
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  const info = getPath(await answer.body.json(), 'status', 'userInfo');
  await agent.close();
  assert.deepEqual([getPath(info, 'username'), getPath(info, 'groups')], ['ana', ['team', 'system:authenticated']]);
});

test('an approved request for something else fails, and says why', async () => {
  const request = Buffer.from(signingRequest(ecKey())).toString('base64');
  const status = await decided('serving', { request, usages: ['server auth'] });
  const { type, reason, message } = Object(getPath(status, 'conditions', 1));
  const want = 'invalid usages ["server auth"]: only client certificates are signed';
  assert.deepEqual([type, reason, message], ['Failed', 'SignerValidationFailure', want]);
});

test('RSA requests are read; what is damaged or signed by another key is not', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const { commonName, organizations } = parseSigningRequest(signingRequest(rsa));
  assert.deepEqual([commonName, organizations], ['ana', ['team']]);
  assert.throws(() => parseSigningRequest(signingRequest(ecKey(), ecKey())), /signature of the request/);
  const whole = signingRequest(rsa).replaceAll(/-----[^-]*-----|\n/g, '');
  const cut = Buffer.from(whole, 'base64').subarray(0, 200);
  assert.throws(() => parseSigningRequest(pemOf(cut)), /asn1: syntax error: data truncated/);
});
