/** The built-in kinds that are served, as discovery names them. Custom resources join them at run time (see `served.ts`). */
export interface BuiltinResource {
  group: string;
  version: string;
  plural: string;
  singular: string;
  kind: string;
  namespaced: boolean;
  shortNames: string[];
  categories: string[];
  subresources: Subresource[];
  /** Spec changes count in `metadata.generation`. */
  hasGeneration: boolean;
}

export type Subresource =
  | 'status'
  | 'scale'
  | 'finalize'
  | 'log'
  | 'binding'
  | 'resize'
  | 'ephemeralcontainers'
  | 'exec'
  | 'attach'
  | 'portforward'
  | 'proxy'
  | 'eviction'
  | 'token'
  | 'approval';

interface Row {
  /** `plural Kind shortName,shortName`. */
  names: string;
  cluster?: true;
  categories?: string[];
  subresources?: Subresource[];
  generation?: true;
}

const all = ['all'];
const status: Subresource[] = ['status'];
const scalable: Subresource[] = ['scale', 'status'];

const core: Row[] = [
  { names: 'configmaps ConfigMap cm' },
  { names: 'endpoints Endpoints ep' },
  { names: 'events Event ev' },
  { names: 'limitranges LimitRange limits' },
  { names: 'namespaces Namespace ns', cluster: true, subresources: ['finalize', 'status'] },
  { names: 'nodes Node no', cluster: true, subresources: ['proxy', 'status'] },
  { names: 'persistentvolumeclaims PersistentVolumeClaim pvc', subresources: status },
  { names: 'persistentvolumes PersistentVolume pv', cluster: true, subresources: status },
  {
    names: 'pods Pod po',
    categories: all,
    generation: true,
    subresources: [
      'attach',
      'binding',
      'ephemeralcontainers',
      'eviction',
      'exec',
      'log',
      'portforward',
      'proxy',
      'resize',
      'status',
    ],
  },
  { names: 'podtemplates PodTemplate' },
  {
    names: 'replicationcontrollers ReplicationController rc',
    categories: all,
    subresources: scalable,
    generation: true,
  },
  { names: 'resourcequotas ResourceQuota quota', subresources: status },
  { names: 'secrets Secret' },
  { names: 'serviceaccounts ServiceAccount sa', subresources: ['token'] },
  { names: 'services Service svc', categories: all, subresources: ['proxy', 'status'] },
];

const grouped: Record<string, Row[]> = {
  'apps/v1': [
    { names: 'controllerrevisions ControllerRevision' },
    { names: 'daemonsets DaemonSet ds', categories: all, subresources: status, generation: true },
    { names: 'deployments Deployment deploy', categories: all, subresources: scalable, generation: true },
    { names: 'replicasets ReplicaSet rs', categories: all, subresources: scalable, generation: true },
    { names: 'statefulsets StatefulSet sts', categories: all, subresources: scalable, generation: true },
  ],
  'events.k8s.io/v1': [{ names: 'events Event ev' }],
  // The stored version first: it is the preferred one, and what a kind's name stands for.
  'autoscaling/v2': [
    { names: 'horizontalpodautoscalers HorizontalPodAutoscaler hpa', categories: all, subresources: status },
  ],
  'autoscaling/v1': [
    { names: 'horizontalpodautoscalers HorizontalPodAutoscaler hpa', categories: all, subresources: status },
  ],
  'batch/v1': [
    { names: 'cronjobs CronJob cj', categories: all, subresources: status, generation: true },
    { names: 'jobs Job', categories: all, subresources: status, generation: true },
  ],
  'certificates.k8s.io/v1': [
    {
      names: 'certificatesigningrequests CertificateSigningRequest csr',
      cluster: true,
      subresources: ['approval', 'status'],
    },
  ],
  'networking.k8s.io/v1': [
    { names: 'ingressclasses IngressClass', cluster: true, generation: true },
    { names: 'ingresses Ingress ing', subresources: status, generation: true },
    { names: 'ipaddresses IPAddress ip', cluster: true },
    { names: 'networkpolicies NetworkPolicy netpol', generation: true },
    { names: 'servicecidrs ServiceCIDR', cluster: true, subresources: status },
  ],
  'policy/v1': [{ names: 'poddisruptionbudgets PodDisruptionBudget pdb', subresources: status, generation: true }],
  'rbac.authorization.k8s.io/v1': [
    { names: 'clusterrolebindings ClusterRoleBinding', cluster: true },
    { names: 'clusterroles ClusterRole', cluster: true },
    { names: 'rolebindings RoleBinding' },
    { names: 'roles Role' },
  ],
  'storage.k8s.io/v1': [
    { names: 'csidrivers CSIDriver', cluster: true },
    { names: 'csinodes CSINode', cluster: true },
    { names: 'csistoragecapacities CSIStorageCapacity' },
    { names: 'storageclasses StorageClass sc', cluster: true },
    { names: 'volumeattachments VolumeAttachment', cluster: true, subresources: status },
  ],
  'apiextensions.k8s.io/v1': [
    {
      names: 'customresourcedefinitions CustomResourceDefinition crd,crds',
      cluster: true,
      categories: ['api-extensions'],
      subresources: status,
      generation: true,
    },
  ],
  'scheduling.k8s.io/v1': [{ names: 'priorityclasses PriorityClass pc', cluster: true, generation: true }],
  'coordination.k8s.io/v1': [{ names: 'leases Lease' }],
  'node.k8s.io/v1': [{ names: 'runtimeclasses RuntimeClass', cluster: true }],
  'discovery.k8s.io/v1': [{ names: 'endpointslices EndpointSlice', generation: true }],
  'admissionregistration.k8s.io/v1': [
    {
      names: 'mutatingwebhookconfigurations MutatingWebhookConfiguration',
      cluster: true,
      categories: ['api-extensions'],
      generation: true,
    },
    {
      names: 'validatingadmissionpolicies ValidatingAdmissionPolicy',
      cluster: true,
      categories: ['api-extensions'],
      subresources: status,
      generation: true,
    },
    {
      names: 'validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding',
      cluster: true,
      categories: ['api-extensions'],
      generation: true,
    },
    {
      names: 'validatingwebhookconfigurations ValidatingWebhookConfiguration',
      cluster: true,
      categories: ['api-extensions'],
      generation: true,
    },
  ],
  'flowcontrol.apiserver.k8s.io/v1': [
    { names: 'flowschemas FlowSchema', cluster: true, subresources: status, generation: true },
    {
      names: 'prioritylevelconfigurations PriorityLevelConfiguration',
      cluster: true,
      subresources: status,
      generation: true,
    },
  ],
};

/** Kinds that are asked a question by POST and never stored. */
export const reviewResources = [
  { group: 'authentication.k8s.io', plural: 'selfsubjectreviews', kind: 'SelfSubjectReview', namespaced: false },
  { group: 'authentication.k8s.io', plural: 'tokenreviews', kind: 'TokenReview', namespaced: false },
  {
    group: 'authorization.k8s.io',
    plural: 'localsubjectaccessreviews',
    kind: 'LocalSubjectAccessReview',
    namespaced: true,
  },
  {
    group: 'authorization.k8s.io',
    plural: 'selfsubjectaccessreviews',
    kind: 'SelfSubjectAccessReview',
    namespaced: false,
  },
  {
    group: 'authorization.k8s.io',
    plural: 'selfsubjectrulesreviews',
    kind: 'SelfSubjectRulesReview',
    namespaced: false,
  },
  { group: 'authorization.k8s.io', plural: 'subjectaccessreviews', kind: 'SubjectAccessReview', namespaced: false },
] as const;

/** Where resource usage is told: served while there is a node that measures. */
export const measuredGroup = { group: 'metrics.k8s.io', version: 'v1beta1' } as const;

/** Kinds that are measured when asked for and never stored. */
export const measuredResources = [
  { plural: 'nodes', kind: 'NodeMetrics', namespaced: false },
  { plural: 'pods', kind: 'PodMetrics', namespaced: true },
] as const;

export type MeasuredResource = (typeof measuredResources)[number];

export type ReviewResource = (typeof reviewResources)[number];

export const builtinResources: BuiltinResource[] = [
  ...core.map((row) => builtin('', 'v1', row)),
  ...Object.entries(grouped).flatMap(([groupVersion, rows]) => {
    const [group = '', version = ''] = groupVersion.split('/');
    return rows.map((row) => builtin(group, version, row));
  }),
];

function builtin(group: string, version: string, row: Row): BuiltinResource {
  const [plural = '', kind = '', shortNames = ''] = row.names.split(' ');
  return {
    group,
    version,
    plural,
    kind,
    singular: kind.toLowerCase(),
    namespaced: row.cluster !== true,
    shortNames: shortNames === '' ? [] : shortNames.split(','),
    categories: row.categories ?? [],
    subresources: row.subresources ?? [],
    hasGeneration: row.generation === true,
  };
}
