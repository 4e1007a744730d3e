import { health } from '../health.ts';
import { always, type Catalogue, conditions, firstOf, given, items, kinds, readiness, textAt } from '../rules.ts';

/** cert-manager, External Secrets, Sealed Secrets and others that bring certificates and secrets. */
export const secretKinds: Catalogue = {
  'cert-manager.io/Certificate': firstOf(
    conditions(['Issuing=True', 'Progressing']),
    readiness('Waiting for certificate'),
  ),
  'cert-manager.io/ClusterIssuer': readiness('Initializing ClusterIssuer'),
  'cert-manager.io/Issuer': readiness('Initializing issuer'),
  'certmanager.k8s.io/Certificate': readiness('Waiting for certificate'),
  'certmanager.k8s.io/Issuer': readiness('Initializing issuer'),
  ...kinds('external-secrets.io', ['ClusterSecretStore', 'ExternalSecret', 'PushSecret', 'SecretStore'], (kind) =>
    readiness(`Waiting for ${kind}`),
  ),
  // Only the newest condition, which is the last one, counts.
  'external-secrets.io/ClusterExternalSecret': firstOf(
    (object) => {
      const last = items(object, 'status.conditions').at(-1);
      if (textAt(last, 'status') !== 'True') return undefined;
      const type = textAt(last, 'type') ?? '';
      if (type === 'Ready') return health('Healthy', textAt(last, 'message'));
      return ['PartiallyReady', 'NotReady'].includes(type) ? health('Degraded', textAt(last, 'message')) : undefined;
    },
    always('Progressing', 'Waiting for ClusterExternalSecret'),
  ),
  'kubernetes-client.io/ExternalSecret': (object) => {
    const status = textAt(object, 'status.status') ?? '';
    if (status === 'SUCCESS') return health('Healthy', 'Fetched ExternalSecret.');
    if (status.startsWith('ERROR')) return health('Degraded', status.replaceAll('ERROR, ', ''));
    return health('Progressing', 'Waiting for ExternalSecret.');
  },
  'bitnami.com/SealedSecret': readiness('Waiting for Sealed Secret to be decrypted', { type: 'Synced' }),
  'onepassword.com/OnePasswordItem': readiness('Waiting for controller to report status'),
  'networking.gke.io/ManagedCertificate': firstOf(
    (object) =>
      items(object, 'status.domainStatus').some((domain) => textAt(domain, 'status') === 'FailedNotVisible')
        ? health('Degraded', 'At least one certificate has failed to be provisioned')
        : undefined,
    given('status', (object) =>
      textAt(object, 'status.certificateStatus') === 'Active'
        ? health('Healthy', 'All certificates are active')
        : undefined,
    ),
    always('Progressing', 'At least one certificate is still being provisioned'),
  ),
};
