import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  X509Certificate,
} from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Entropy } from '#base/clock.ts';
import { AppError, messageOf } from '#base/errors.ts';
import { getString, parseJson } from '#base/json.ts';
import { bits, boolean, implicit, integer, objectId, octets, sequence, set, tagged, time, utf8 } from './der.ts';

export interface KeyedCertificate {
  certificatePem: string;
  keyPem: string;
}

/** What a cluster is recognised by. Kept in one file, so that a kubeconfig stays good over restarts. */
export interface ClusterIdentity {
  authority: KeyedCertificate;
  server: KeyedCertificate;
  admin: KeyedCertificate;
  adminToken: string;
}

const day = 86_400_000;
const years = 3650 * day;
const parts = ['authority', 'server', 'admin'] as const;
const authorityName = distinguishedName('drydock-ca');

/** Reads the identity in `dataDir`, or makes one and keeps it there. Throws AppError corrupt-data. */
export function clusterIdentity(
  deps: { clock: Clock; entropy: Entropy },
  dataDir: string | undefined,
): ClusterIdentity {
  if (dataDir === undefined) return newIdentity(deps);
  const path = join(dataDir, 'identity.json');
  if (existsSync(path)) return readIdentity(path);
  const identity = newIdentity(deps);
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(`${path}.new`, JSON.stringify(identity), { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return identity;
}

function readIdentity(path: string): ClusterIdentity {
  try {
    const value = parseJson(readFileSync(path, 'utf8'), path);
    const read = (...at: string[]): string => {
      const text = getString(value, ...at);
      if (text === undefined) throw new Error(`${at.join('.')} is missing`);
      return text;
    };
    const pair = (name: string): KeyedCertificate => ({
      certificatePem: read(name, 'certificatePem'),
      keyPem: read(name, 'keyPem'),
    });
    const identity = {
      authority: pair('authority'),
      server: pair('server'),
      admin: pair('admin'),
      adminToken: read('adminToken'),
    };
    for (const part of parts) {
      const certificate = new X509Certificate(identity[part].certificatePem);
      if (!certificate.checkPrivateKey(createPrivateKey(identity[part].keyPem)))
        throw new Error(`the key of ${part} does not belong to its certificate`);
    }
    return identity;
  } catch (cause) {
    throw new AppError('corrupt-data', `the cluster's certificates in ${path} cannot be read: ${messageOf(cause)}`, {
      cause,
      hint: `Delete ${path} and start again: new certificates are made, and kubeconfig files must be written anew.`,
    });
  }
}

/** A client certificate that names its bearer and his groups, good for ten years. */
export function issueClientCertificate(
  { clock, entropy }: { clock: Clock; entropy: Entropy },
  authority: KeyedCertificate,
  { name, groups }: { name: string; groups: readonly string[] },
): KeyedCertificate {
  const from = clock.now() - day;
  return issue({
    serial: entropy.bytes(16),
    subject: distinguishedName(name, ...groups),
    issuer: { name: authorityName, key: createPrivateKey(authority.keyPem) },
    from,
    until: from + years,
    use: 'client',
  });
}

/** A client certificate for the key and name of a request. Returns PEM. */
export function signClientRequest(
  { clock, entropy }: { clock: Clock; entropy: Entropy },
  authority: KeyedCertificate,
  { subject, publicKey, lifetimeMs }: { subject: Buffer; publicKey: Buffer; lifetimeMs: number },
): string {
  const now = clock.now();
  return signCertificate(publicKey, {
    serial: entropy.bytes(16),
    subject,
    issuer: { name: authorityName, key: createPrivateKey(authority.keyPem) },
    // Clocks of clients may be a little behind.
    from: now - 300_000,
    until: now + lifetimeMs,
    use: 'client',
  });
}

/** A server certificate for one host, good for ten years. */
export function issueServerCertificate(
  { clock, entropy }: { clock: Clock; entropy: Entropy },
  authority: KeyedCertificate,
  host: string,
): KeyedCertificate {
  const from = clock.now() - day;
  return issue({
    serial: entropy.bytes(16),
    subject: distinguishedName('drydock-ingress'),
    issuer: { name: authorityName, key: createPrivateKey(authority.keyPem) },
    from,
    until: from + years,
    use: 'server',
    names: [host],
  });
}

function newIdentity({ clock, entropy }: { clock: Clock; entropy: Entropy }): ClusterIdentity {
  const from = clock.now() - day;
  const common = { from, until: from + years };
  const serial = (): Buffer => entropy.bytes(16);
  const ca = newKey();
  const authority = { name: authorityName, key: ca };
  return {
    authority: keyed(ca, { ...common, serial: serial(), subject: authorityName, issuer: authority, use: 'authority' }),
    server: issue({
      ...common,
      serial: serial(),
      subject: distinguishedName('kube-apiserver'),
      issuer: authority,
      use: 'server',
    }),
    admin: issue({
      ...common,
      serial: serial(),
      subject: distinguishedName('kubernetes-admin', 'system:masters'),
      issuer: authority,
      use: 'client',
    }),
    adminToken: entropy.bytes(24).toString('base64url'),
  };
}

interface CertificateRequest {
  serial: Buffer;
  subject: Buffer;
  issuer: { name: Buffer; key: KeyObject };
  from: number;
  until: number;
  use: 'authority' | 'server' | 'client';
  /** Of a server; those of the API server by default. */
  names?: readonly string[];
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

function issue(request: CertificateRequest): KeyedCertificate {
  return keyed(newKey(), request);
}

function keyed(key: KeyObject, request: CertificateRequest): KeyedCertificate {
  return {
    certificatePem: signCertificate(publicKeyOf(key), request),
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

const ecdsaWithSha256 = sequence(objectId('1.2.840.10045.4.3.2'));

function publicKeyOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

function signCertificate(publicKey: Buffer, request: CertificateRequest): string {
  const { serial, subject, issuer, from, until, use, names = serverNames } = request;
  const positive = Buffer.concat([Buffer.of(1), serial.subarray(1)]);
  const body = sequence(
    tagged(0, integer(Buffer.of(2))),
    integer(positive),
    ecdsaWithSha256,
    issuer.name,
    sequence(time(from), time(until)),
    subject,
    publicKey,
    tagged(3, sequence(...extensions({ publicKey, issuer: publicKeyOf(issuer.key), use, names }))),
  );
  const signature = sign('sha256', body, issuer.key);
  const base64 = sequence(body, ecdsaWithSha256, bits(signature)).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** Go refuses server certificates without subject alternative names, so they are what counts. */
const serverNames = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
const serverAddresses = [Buffer.of(127, 0, 0, 1), Buffer.of(10, 96, 0, 1)];

function extensions({
  publicKey,
  issuer,
  use,
  names,
}: {
  publicKey: Buffer;
  issuer: Buffer;
  use: CertificateRequest['use'];
  names: readonly string[];
}): Buffer[] {
  const keyIds = [
    extension('2.5.29.14', octets(keyId(publicKey))),
    extension('2.5.29.35', sequence(implicit(0, keyId(issuer)))),
  ];
  switch (use) {
    case 'authority':
      return [
        extension('2.5.29.19', sequence(boolean(true)), true),
        extension('2.5.29.15', bits(Buffer.of(0b0000_0110), 1), true),
        ...keyIds,
      ];
    case 'server':
      return [
        extension('2.5.29.15', bits(Buffer.of(0b1000_0000), 7), true),
        extension('2.5.29.37', sequence(objectId('1.3.6.1.5.5.7.3.1'))),
        extension(
          '2.5.29.17',
          sequence(
            ...names.map((name) => implicit(2, Buffer.from(name, 'ascii'))),
            ...serverAddresses.map((address) => implicit(7, address)),
          ),
        ),
        ...keyIds,
      ];
    case 'client':
      return [
        extension('2.5.29.15', bits(Buffer.of(0b1000_0000), 7), true),
        extension('2.5.29.37', sequence(objectId('1.3.6.1.5.5.7.3.2'))),
        ...keyIds,
      ];
  }
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return critical ? sequence(objectId(id), boolean(true), octets(value)) : sequence(objectId(id), octets(value));
}

function keyId(publicKey: Buffer): Buffer {
  return createHash('sha1').update(publicKey).digest();
}

/** Organizations are what Kubernetes reads as groups. */
function distinguishedName(commonName: string, ...organizations: string[]): Buffer {
  const attribute = (id: string, value: string): Buffer => set(sequence(objectId(id), utf8(value)));
  return sequence(
    ...organizations.map((organization) => attribute('2.5.4.10', organization)),
    attribute('2.5.4.3', commonName),
  );
}
