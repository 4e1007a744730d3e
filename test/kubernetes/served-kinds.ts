/**
 * The kinds of the stable groups of Kubernetes 1.33 as discovery and Table answers show them. Columns: `*` is of priority
 * 1, the type stands behind the colon when it is not string.
 */
export interface ServedKind {
  /** As `Cluster.at` takes it. */
  resource: string;
  kind: string;
  namespaced: boolean;
  shortNames: readonly string[];
  categories: readonly string[];
  subresources: readonly string[];
  columns: readonly string[];
}

function row(
  resource: string,
  kind: string,
  [scope, shortNames, categories, subresources]: readonly string[],
  columns: string,
): ServedKind {
  const words = (list = '') => list.split(',').filter((word) => word !== '');
  return {
    resource,
    kind,
    namespaced: scope === 'namespaced',
    shortNames: words(shortNames),
    categories: words(categories),
    subresources: words(subresources),
    columns: columns.split(', '),
  };
}

export const servedKinds: readonly ServedKind[] = [
  row('componentstatuses', 'ComponentStatus', ['cluster', 'cs', '', ''], 'Name, Status, Message, Error'),
  row('configmaps', 'ConfigMap', ['namespaced', 'cm', '', ''], 'Name, Data, Age'),
  row('endpoints', 'Endpoints', ['namespaced', 'ep', '', ''], 'Name, Endpoints, Age'),
  row(
    'events',
    'Event',
    ['namespaced', 'ev', '', ''],
    'Last Seen, Type, Reason, Object, Subobject*, Source*, Message, First Seen*, Count*, Name*',
  ),
  row('limitranges', 'LimitRange', ['namespaced', 'limits', '', ''], 'Name, Created At:date'),
  row('namespaces', 'Namespace', ['cluster', 'ns', '', 'finalize,status'], 'Name, Status, Age'),
  row(
    'nodes',
    'Node',
    ['cluster', 'no', '', 'proxy,status'],
    'Name, Status, Roles, Age, Version, Internal-IP*, External-IP*, OS-Image*, Kernel-Version*, Container-Runtime*',
  ),
  row(
    'persistentvolumeclaims',
    'PersistentVolumeClaim',
    ['namespaced', 'pvc', '', 'status'],
    'Name, Status, Volume, Capacity, Access Modes, StorageClass, VolumeAttributesClass, Age, VolumeMode*',
  ),
  row(
    'persistentvolumes',
    'PersistentVolume',
    ['cluster', 'pv', '', 'status'],
    'Name, Capacity, Access Modes, Reclaim Policy, Status, Claim, StorageClass, VolumeAttributesClass, Reason, Age, VolumeMode*',
  ),
  row(
    'pods',
    'Pod',
    ['namespaced', 'po', 'all', 'attach,binding,ephemeralcontainers,eviction,exec,log,portforward,proxy,resize,status'],
    'Name, Ready, Status, Restarts, Age, IP*, Node*, Nominated Node*, Readiness Gates*',
  ),
  row('podtemplates', 'PodTemplate', ['namespaced', '', '', ''], 'Name, Containers, Images, Pod Labels'),
  row(
    'replicationcontrollers',
    'ReplicationController',
    ['namespaced', 'rc', 'all', 'scale,status'],
    'Name, Desired:integer, Current:integer, Ready:integer, Age, Containers*, Images*, Selector*',
  ),
  row('resourcequotas', 'ResourceQuota', ['namespaced', 'quota', '', 'status'], 'Name, Request, Limit, Age'),
  row('secrets', 'Secret', ['namespaced', '', '', ''], 'Name, Type, Data, Age'),
  row('serviceaccounts', 'ServiceAccount', ['namespaced', 'sa', '', 'token'], 'Name, Secrets, Age'),
  row(
    'services',
    'Service',
    ['namespaced', 'svc', 'all', 'proxy,status'],
    'Name, Type, Cluster-IP, External-IP, Port(s), Age, Selector*',
  ),
  row(
    'apiregistration.k8s.io/v1/apiservices',
    'APIService',
    ['cluster', '', 'api-extensions', 'status'],
    'Name, Service, Available, Age',
  ),
  row(
    'apps/v1/controllerrevisions',
    'ControllerRevision',
    ['namespaced', '', '', ''],
    'Name, Controller, Revision, Age',
  ),
  row(
    'apps/v1/daemonsets',
    'DaemonSet',
    ['namespaced', 'ds', 'all', 'status'],
    'Name, Desired:integer, Current:integer, Ready:integer, Up-to-date:integer, Available:integer, Node Selector, Age, Containers*, Images*, Selector*',
  ),
  row(
    'apps/v1/deployments',
    'Deployment',
    ['namespaced', 'deploy', 'all', 'scale,status'],
    'Name, Ready, Up-to-date, Available, Age, Containers*, Images*, Selector*',
  ),
  row(
    'apps/v1/replicasets',
    'ReplicaSet',
    ['namespaced', 'rs', 'all', 'scale,status'],
    'Name, Desired:integer, Current:integer, Ready:integer, Age, Containers*, Images*, Selector*',
  ),
  row(
    'apps/v1/statefulsets',
    'StatefulSet',
    ['namespaced', 'sts', 'all', 'scale,status'],
    'Name, Ready, Age, Containers*, Images*',
  ),
  row(
    'events.k8s.io/v1/events',
    'Event',
    ['namespaced', 'ev', '', ''],
    'Last Seen, Type, Reason, Object, Subobject*, Source*, Message, First Seen*, Count*, Name*',
  ),
  row(
    'autoscaling/v2/horizontalpodautoscalers',
    'HorizontalPodAutoscaler',
    ['namespaced', 'hpa', 'all', 'status'],
    'Name, Reference, Targets, MinPods, MaxPods, Replicas, Age',
  ),
  row(
    'autoscaling/v1/horizontalpodautoscalers',
    'HorizontalPodAutoscaler',
    ['namespaced', 'hpa', 'all', 'status'],
    'Name, Reference, Targets, MinPods, MaxPods, Replicas, Age',
  ),
  row(
    'batch/v1/cronjobs',
    'CronJob',
    ['namespaced', 'cj', 'all', 'status'],
    'Name, Schedule, Timezone, Suspend:boolean, Active:integer, Last Schedule, Age, Containers*, Images*, Selector*',
  ),
  row(
    'batch/v1/jobs',
    'Job',
    ['namespaced', '', 'all', 'status'],
    'Name, Status, Completions, Duration, Age, Containers*, Images*, Selector*',
  ),
  row(
    'certificates.k8s.io/v1/certificatesigningrequests',
    'CertificateSigningRequest',
    ['cluster', 'csr', '', 'approval,status'],
    'Name, Age, SignerName, Requestor, RequestedDuration, Condition',
  ),
  row(
    'networking.k8s.io/v1/ingressclasses',
    'IngressClass',
    ['cluster', '', '', ''],
    'Name, Controller, Parameters, Age',
  ),
  row(
    'networking.k8s.io/v1/ingresses',
    'Ingress',
    ['namespaced', 'ing', '', 'status'],
    'Name, Class, Hosts, Address, Ports, Age',
  ),
  row('networking.k8s.io/v1/ipaddresses', 'IPAddress', ['cluster', 'ip', '', ''], 'Name, ParentRef'),
  row(
    'networking.k8s.io/v1/networkpolicies',
    'NetworkPolicy',
    ['namespaced', 'netpol', '', ''],
    'Name, Pod-Selector, Age',
  ),
  row('networking.k8s.io/v1/servicecidrs', 'ServiceCIDR', ['cluster', '', '', 'status'], 'Name, CIDRs, Age'),
  row(
    'policy/v1/poddisruptionbudgets',
    'PodDisruptionBudget',
    ['namespaced', 'pdb', '', 'status'],
    'Name, Min Available, Max Unavailable, Allowed Disruptions:integer, Age',
  ),
  row(
    'rbac.authorization.k8s.io/v1/clusterrolebindings',
    'ClusterRoleBinding',
    ['cluster', '', '', ''],
    'Name, Role, Age, Users*, Groups*, ServiceAccounts*',
  ),
  row('rbac.authorization.k8s.io/v1/clusterroles', 'ClusterRole', ['cluster', '', '', ''], 'Name, Created At:date'),
  row(
    'rbac.authorization.k8s.io/v1/rolebindings',
    'RoleBinding',
    ['namespaced', '', '', ''],
    'Name, Role, Age, Users*, Groups*, ServiceAccounts*',
  ),
  row('rbac.authorization.k8s.io/v1/roles', 'Role', ['namespaced', '', '', ''], 'Name, Created At:date'),
  row(
    'storage.k8s.io/v1/csidrivers',
    'CSIDriver',
    ['cluster', '', '', ''],
    'Name, AttachRequired:boolean, PodInfoOnMount:boolean, StorageCapacity:boolean, TokenRequests, RequiresRepublish:boolean, Modes, Age',
  ),
  row('storage.k8s.io/v1/csinodes', 'CSINode', ['cluster', '', '', ''], 'Name, Drivers:integer, Age'),
  row(
    'storage.k8s.io/v1/csistoragecapacities',
    'CSIStorageCapacity',
    ['namespaced', '', '', ''],
    'Name, Created At:date',
  ),
  row(
    'storage.k8s.io/v1/storageclasses',
    'StorageClass',
    ['cluster', 'sc', '', ''],
    'Name, Provisioner, ReclaimPolicy, VolumeBindingMode, AllowVolumeExpansion, Age',
  ),
  row(
    'storage.k8s.io/v1/volumeattachments',
    'VolumeAttachment',
    ['cluster', '', '', 'status'],
    'Name, Attacher:string/name, PV, Node, Attached:boolean, Age',
  ),
  row(
    'admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
    'MutatingWebhookConfiguration',
    ['cluster', '', 'api-extensions', ''],
    'Name, Webhooks:integer, Age',
  ),
  row(
    'admissionregistration.k8s.io/v1/validatingadmissionpolicies',
    'ValidatingAdmissionPolicy',
    ['cluster', '', 'api-extensions', 'status'],
    'Name, Validations:integer, ParamKind, Age',
  ),
  row(
    'admissionregistration.k8s.io/v1/validatingadmissionpolicybindings',
    'ValidatingAdmissionPolicyBinding',
    ['cluster', '', 'api-extensions', ''],
    'Name, PolicyName, ParamRef, Age',
  ),
  row(
    'admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
    'ValidatingWebhookConfiguration',
    ['cluster', '', 'api-extensions', ''],
    'Name, Webhooks:integer, Age',
  ),
  row(
    'apiextensions.k8s.io/v1/customresourcedefinitions',
    'CustomResourceDefinition',
    ['cluster', 'crd,crds', 'api-extensions', 'status'],
    'Name, Created At:date',
  ),
  row(
    'scheduling.k8s.io/v1/priorityclasses',
    'PriorityClass',
    ['cluster', 'pc', '', ''],
    'Name, Value:integer, Global-Default:boolean, Age, PreemptionPolicy',
  ),
  row('coordination.k8s.io/v1/leases', 'Lease', ['namespaced', '', '', ''], 'Name, Holder, Age'),
  row('node.k8s.io/v1/runtimeclasses', 'RuntimeClass', ['cluster', '', '', ''], 'Name, Handler, Age'),
  row(
    'discovery.k8s.io/v1/endpointslices',
    'EndpointSlice',
    ['namespaced', '', '', ''],
    'Name, AddressType, Ports, Endpoints, Age',
  ),
  row(
    'flowcontrol.apiserver.k8s.io/v1/flowschemas',
    'FlowSchema',
    ['cluster', '', '', 'status'],
    'Name, PriorityLevel, MatchingPrecedence, DistinguisherMethod, Age, MissingPL',
  ),
  row(
    'flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations',
    'PriorityLevelConfiguration',
    ['cluster', '', '', 'status'],
    'Name, Type, NominalConcurrencyShares, Queues, HandSize, QueueLengthLimit, Age',
  ),
];
