import { createSecureContext, type SecureContext } from 'node:tls';
import { messageOf } from '#base/errors.ts';
import { getString } from '#base/json.ts';
import type { ApiServer } from '../api/port.ts';
import type { HostCertificate } from './ingress-plan.ts';
import { matchesWildcardHost } from './route-table.ts';

export interface KeyPair {
  certificatePem: string;
  keyPem: string;
}

export interface CertificateDeps {
  api: ApiServer;
  /** Of the cluster's own authority, for names that no Secret is given for. */
  certificateFor: (host: string) => KeyPair;
}

const kept = 1000;

/** The certificate for a server name: of the Secret that an Ingress or Gateway gives, else one of the cluster's own. */
export class CertificateStore {
  readonly #deps: CertificateDeps;
  readonly #contexts = new Map<string, SecureContext>();

  constructor(deps: CertificateDeps) {
    this.#deps = deps;
  }

  contextFor(host: string, certificates: readonly HostCertificate[]): SecureContext {
    const given =
      certificates.find((one) => one.host === host) ??
      certificates.find((one) => one.host.startsWith('*') && matchesWildcardHost(one.host, host)) ??
      certificates.find((one) => one.host === '');
    const context = given && this.#fromSecret(given);
    return context ?? this.#cached(`own|${host}`, () => this.#deps.certificateFor(host));
  }

  #fromSecret({ namespace, secret: name }: HostCertificate): SecureContext | undefined {
    const secret = this.#deps.api.get('secrets', namespace, name);
    const pair = readTlsSecret(secret);
    if (typeof pair === 'string') return undefined;
    return this.#cached(`${secret?.metadata.uid ?? ''}|${secret?.metadata.resourceVersion ?? ''}`, () => pair);
  }

  #cached(id: string, make: () => KeyPair): SecureContext {
    const known = this.#contexts.get(id);
    if (known) return known;
    const { certificatePem, keyPem } = make();
    const context = createSecureContext({ cert: certificatePem, key: keyPem });
    this.#contexts.set(id, context);
    if (this.#contexts.size > kept) this.#contexts.delete(this.#contexts.keys().next().value ?? '');
    return context;
  }
}

/** The key pair of a Secret, or why it cannot be used. */
export function readTlsSecret(secret: unknown): KeyPair | string {
  if (secret === undefined) return 'does not exist';
  const read = (key: string): string => Buffer.from(getString(secret, 'data', key) ?? '', 'base64').toString();
  const pair = { certificatePem: read('tls.crt'), keyPem: read('tls.key') };
  if (pair.certificatePem === '' || pair.keyPem === '') return 'holds no tls.crt and tls.key';
  try {
    createSecureContext({ cert: pair.certificatePem, key: pair.keyPem });
  } catch (error) {
    return `holds no certificate with its key: ${messageOf(error)}`;
  }
  return pair;
}
