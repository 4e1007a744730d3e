import { timestamp } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { getArray, getNumber, getString, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import type { Controller, ControllerDeps } from './loop.ts';

const resource = 'certificatesigningrequests.certificates.k8s.io';
const manager = 'kube-controller-manager';
const signers = ['kubernetes.io/kube-apiserver-client', 'kubernetes.io/kube-apiserver-client-kubelet'];
const usages = new Set(['client auth', 'digital signature', 'key encipherment']);
const yearMs = 365 * 86_400_000;

/** Makes the certificate that a request (both PEM) asks for. */
export type SignRequest = (request: string, lifetimeMs: number) => string;

/**
 * Signs the approved requests for certificates of clients; says in the status why it cannot. Without an authority they
 * wait, as upstream.
 */
export function certificateSigner({ api, clock }: ControllerDeps, signRequest: SignRequest | undefined): Controller {
  return {
    name: 'certificate-signer',
    watches: [{ resource, names: (request) => [request.metadata.name] }],
    async tick(name) {
      const request = api.get(resource, undefined, name);
      if (!signRequest || !request || !waitsForSignature(request)) return { kind: 'done' };
      const status = signedStatus(request, { signRequest, now: timestamp(clock.now()) });
      await api.mergePatch(resource, undefined, name, { status }, { manager, subresource: 'status' });
      return { kind: 'done' };
    },
  };
}

function waitsForSignature(request: ApiObject): boolean {
  const conditions = getArray(request, 'status', 'conditions').map((item) => getString(item, 'type'));
  if (!conditions.includes('Approved') || conditions.includes('Failed') || conditions.includes('Denied')) return false;
  if ((getString(request, 'status', 'certificate') ?? '') !== '') return false;
  return signers.includes(getString(request, 'spec', 'signerName') ?? '');
}

function signedStatus(request: ApiObject, deps: { signRequest: SignRequest; now: string }): JsonObject {
  try {
    refuseUsages(request);
    const pem = Buffer.from(getString(request, 'spec', 'request') ?? '', 'base64').toString('latin1');
    const seconds = getNumber(request, 'spec', 'expirationSeconds');
    const lifetimeMs = seconds === undefined ? yearMs : Math.min(yearMs, seconds * 1000);
    return { certificate: Buffer.from(deps.signRequest(pem, lifetimeMs)).toString('base64') };
  } catch (error) {
    const { now } = deps;
    const times = { lastUpdateTime: now, lastTransitionTime: now };
    const why = { reason: 'SignerValidationFailure', message: messageOf(error), ...times };
    return { conditions: [...getArray(request, 'status', 'conditions'), { type: 'Failed', status: 'True', ...why }] };
  }
}

function refuseUsages(request: ApiObject): void {
  const asked = getArray(request, 'spec', 'usages');
  const allowed = asked.every((usage) => typeof usage === 'string' && usages.has(usage));
  if (!allowed || !asked.includes('client auth'))
    throw new Error(`invalid usages ${JSON.stringify(asked)}: only client certificates are signed`);
}
