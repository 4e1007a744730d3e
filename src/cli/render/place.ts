import { getString } from '#base/json.ts';
import { type KubeObject, kindOf } from '#kube/port.ts';
import type { Application } from '#model/argocd/application.ts';
import type { Tracking } from '#model/argocd/settings.ts';
import { hookRoleOf } from '#sync/hooks.ts';
import { objectKeyText, trackingMetadata } from '#sync/identity.ts';

/** Kinds of Kubernetes itself that stand in no namespace, by group. */
const clusterKinds: Record<string, string[]> = {
  '': ['Namespace', 'Node', 'PersistentVolume', 'ComponentStatus'],
  'admissionregistration.k8s.io': [
    'MutatingAdmissionPolicy',
    'MutatingAdmissionPolicyBinding',
    'MutatingWebhookConfiguration',
    'ValidatingAdmissionPolicy',
    'ValidatingAdmissionPolicyBinding',
    'ValidatingWebhookConfiguration',
  ],
  'apiextensions.k8s.io': ['CustomResourceDefinition'],
  'apiregistration.k8s.io': ['APIService'],
  'authentication.k8s.io': ['SelfSubjectReview', 'TokenReview'],
  'authorization.k8s.io': ['SelfSubjectAccessReview', 'SelfSubjectRulesReview', 'SubjectAccessReview'],
  'certificates.k8s.io': ['CertificateSigningRequest', 'ClusterTrustBundle'],
  'flowcontrol.apiserver.k8s.io': ['FlowSchema', 'PriorityLevelConfiguration'],
  'networking.k8s.io': ['IngressClass', 'IPAddress', 'ServiceCIDR'],
  'node.k8s.io': ['RuntimeClass'],
  'rbac.authorization.k8s.io': ['ClusterRole', 'ClusterRoleBinding'],
  'resource.k8s.io': ['DeviceClass', 'ResourceSlice'],
  'scheduling.k8s.io': ['PriorityClass'],
  'storage.k8s.io': ['CSIDriver', 'CSINode', 'StorageClass', 'VolumeAttachment', 'VolumeAttributesClass'],
};

/** Custom kinds that the manifests themselves define for the whole cluster. */
function definedForCluster(manifests: readonly KubeObject[]): Set<string> {
  const out = new Set<string>();
  for (const object of manifests) {
    if (object.kind !== 'CustomResourceDefinition' || getString(object, 'spec', 'scope') !== 'Cluster') continue;
    out.add(`${getString(object, 'spec', 'group')}/${getString(object, 'spec', 'names', 'kind')}`);
  }
  return out;
}

/**
 * Manifests as the cluster would get them: the destination's namespace where one is missing, the last of those that name
 * the same object. Without a cluster, custom kinds count as namespaced unless their definition is among the manifests.
 */
export function placeManifests(
  application: Application,
  manifests: readonly KubeObject[],
  tracking: Tracking | undefined,
): KubeObject[] {
  const namespace = application.spec.destination.namespace ?? '';
  const forCluster = definedForCluster(manifests);
  const out = new Map<string, KubeObject>();
  for (const [at, manifest] of manifests.entries()) {
    const role = hookRoleOf(manifest);
    if (role.kind === 'ignored') continue;
    const { group, kind } = kindOf(manifest);
    const metadata = { ...manifest.metadata };
    const clusterWide = clusterKinds[group]?.includes(kind) || forCluster.has(`${group}/${kind}`);
    if (clusterWide) delete metadata.namespace;
    else if (!metadata.namespace && namespace !== '') metadata.namespace = namespace;
    const object: KubeObject = { ...manifest, metadata };
    if (tracking) {
      const { name } = application.metadata;
      const own = trackingMetadata(object, { instance: name, destinationNamespace: namespace, tracking });
      if (Object.keys(own.labels).length > 0) metadata.labels = { ...metadata.labels, ...own.labels };
      if (Object.keys(own.annotations).length > 0)
        metadata.annotations = { ...metadata.annotations, ...own.annotations };
    }
    const key = role.kind === 'hook' ? `hook ${at}` : objectKeyText(object);
    out.delete(key);
    out.set(key, object);
  }
  return [...out.values()];
}
