/**
 * The roles that every cluster has from the start, as a 1.33 server installs them. One line is one rule: API groups
 * (`core` for the one without a name), resources (names of single objects in brackets), verbs; or paths and verbs.
 * `read` is get, list, watch; `write` is every verb that changes; `readwrite` is both.
 */
export interface BootstrapRole {
  rules: readonly string[];
  /** Labels by which ClusterRoles collect the rules of others. */
  aggregateTo?: 'admin' | 'edit' | 'view';
  aggregates?: 'admin' | 'edit' | 'view';
}

const writeEvents = 'core,events.k8s.io events create,patch,update';
const signer = (name: string, verb: string): string => `certificates.k8s.io signers[kubernetes.io/${name}] ${verb}`;

const forPeople: Record<string, BootstrapRole> = {
  'cluster-admin': { rules: ['* * *', 'path * *'] },
  admin: { rules: [], aggregates: 'admin' },
  edit: { rules: [], aggregates: 'edit', aggregateTo: 'admin' },
  view: { rules: [], aggregates: 'view', aggregateTo: 'edit' },
  'system:aggregate-to-admin': {
    aggregateTo: 'admin',
    rules: [
      'authorization.k8s.io localsubjectaccessreviews create',
      'rbac.authorization.k8s.io rolebindings,roles readwrite',
    ],
  },
  'system:aggregate-to-edit': {
    aggregateTo: 'edit',
    rules: [
      'core pods/attach,pods/exec,pods/portforward,pods/proxy,secrets,services/proxy read',
      'core serviceaccounts impersonate',
      'core pods,pods/attach,pods/exec,pods/portforward,pods/proxy write',
      'core pods/eviction create',
      'core configmaps,events,persistentvolumeclaims,replicationcontrollers,replicationcontrollers/scale,secrets,serviceaccounts,services,services/proxy write',
      'core serviceaccounts/token create',
      'apps daemonsets,deployments,deployments/rollback,deployments/scale,replicasets,replicasets/scale,statefulsets,statefulsets/scale write',
      'autoscaling horizontalpodautoscalers write',
      'batch cronjobs,jobs write',
      'extensions daemonsets,deployments,deployments/rollback,deployments/scale,ingresses,networkpolicies,replicasets,replicasets/scale,replicationcontrollers/scale write',
      'policy poddisruptionbudgets write',
      'networking.k8s.io ingresses,networkpolicies write',
      'coordination.k8s.io leases readwrite',
    ],
  },
  'system:aggregate-to-view': {
    aggregateTo: 'view',
    rules: [
      'core configmaps,endpoints,persistentvolumeclaims,persistentvolumeclaims/status,pods,replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,services/status read',
      'core bindings,events,limitranges,namespaces/status,pods/log,pods/status,replicationcontrollers/status,resourcequotas,resourcequotas/status read',
      'core namespaces read',
      'discovery.k8s.io endpointslices read',
      'apps controllerrevisions,daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,replicasets,replicasets/scale,replicasets/status,statefulsets,statefulsets/scale,statefulsets/status read',
      'autoscaling horizontalpodautoscalers,horizontalpodautoscalers/status read',
      'batch cronjobs,cronjobs/status,jobs,jobs/status read',
      'extensions daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,ingresses,ingresses/status,networkpolicies,replicasets,replicasets/scale,replicasets/status,replicationcontrollers/scale read',
      'policy poddisruptionbudgets,poddisruptionbudgets/status read',
      'networking.k8s.io ingresses,ingresses/status,networkpolicies read',
    ],
  },
  'system:basic-user': {
    rules: [
      'authorization.k8s.io selfsubjectaccessreviews,selfsubjectrulesreviews create',
      'authentication.k8s.io selfsubjectreviews create',
    ],
  },
  'system:discovery': {
    rules: ['path /api,/api/*,/apis,/apis/*,/healthz,/livez,/openapi,/openapi/*,/readyz,/version,/version/ get'],
  },
  'system:public-info-viewer': { rules: ['path /healthz,/livez,/readyz,/version,/version/ get'] },
  'system:monitoring': {
    rules: ['path /healthz,/healthz/*,/livez,/livez/*,/metrics,/metrics/slis,/readyz,/readyz/* get'],
  },
  'system:auth-delegator': {
    rules: ['authentication.k8s.io tokenreviews create', 'authorization.k8s.io subjectaccessreviews create'],
  },
  'system:service-account-issuer-discovery': {
    rules: ['path /.well-known/openid-configuration,/openid/v1/jwks get'],
  },
  'system:certificates.k8s.io:certificatesigningrequests:nodeclient': {
    rules: ['certificates.k8s.io certificatesigningrequests/nodeclient create'],
  },
  'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient': {
    rules: ['certificates.k8s.io certificatesigningrequests/selfnodeclient create'],
  },
  'system:certificates.k8s.io:kube-apiserver-client-approver': { rules: [signer('kube-apiserver-client', 'approve')] },
  'system:certificates.k8s.io:kube-apiserver-client-kubelet-approver': {
    rules: [signer('kube-apiserver-client-kubelet', 'approve')],
  },
  'system:certificates.k8s.io:kubelet-serving-approver': { rules: [signer('kubelet-serving', 'approve')] },
  'system:certificates.k8s.io:legacy-unknown-approver': { rules: [signer('legacy-unknown', 'approve')] },
};

const forComponents: Record<string, BootstrapRole> = {
  'system:heapster': { rules: ['core events,namespaces,nodes,pods read', 'extensions deployments read'] },
  'system:kube-aggregator': { rules: ['core endpoints,services read'] },
  'system:kube-dns': { rules: ['core endpoints,services list,watch'] },
  'system:kube-controller-manager': {
    rules: [
      writeEvents,
      'coordination.k8s.io leases create',
      'coordination.k8s.io leases[kube-controller-manager] get,update',
      'core secrets,serviceaccounts create',
      'core secrets delete',
      'core configmaps,namespaces,secrets,serviceaccounts get',
      'core secrets,serviceaccounts update',
      'authentication.k8s.io tokenreviews create',
      'authorization.k8s.io subjectaccessreviews create',
      '* * list,watch',
      'core serviceaccounts/token create',
    ],
  },
  'system:kube-scheduler': {
    rules: [
      writeEvents,
      'coordination.k8s.io leases create',
      'coordination.k8s.io leases[kube-scheduler] get,update',
      'core nodes read',
      'core pods delete,get,list,watch',
      'core bindings,pods/binding create',
      'core pods/status patch,update',
      'core replicationcontrollers,services read',
      'apps,extensions replicasets read',
      'apps statefulsets read',
      'policy poddisruptionbudgets read',
      'core persistentvolumeclaims,persistentvolumes read',
      'authentication.k8s.io tokenreviews create',
      'authorization.k8s.io subjectaccessreviews create',
      'storage.k8s.io csinodes read',
      'core namespaces read',
      'storage.k8s.io csidrivers read',
      'storage.k8s.io csistoragecapacities read',
      'storage.k8s.io volumeattachments read',
    ],
  },
  'system:volume-scheduler': {
    rules: [
      'core persistentvolumes get,list,patch,update,watch',
      'storage.k8s.io storageclasses read',
      'core persistentvolumeclaims get,list,patch,update,watch',
    ],
  },
  'system:kubelet-api-admin': {
    rules: ['core nodes read', 'core nodes proxy', 'core nodes/log,nodes/metrics,nodes/proxy,nodes/stats *'],
  },
  'system:node': {
    rules: [
      'authentication.k8s.io tokenreviews create',
      'authorization.k8s.io localsubjectaccessreviews,subjectaccessreviews create',
      'core services read',
      'core nodes create,get,list,watch',
      'core nodes/status patch,update',
      'core nodes patch,update',
      'core events create,patch,update',
      'core pods read',
      'core pods create,delete',
      'core pods/status patch,update',
      'core pods/eviction create',
      'core configmaps,secrets read',
      'core persistentvolumeclaims,persistentvolumes get',
      'core endpoints get',
      'certificates.k8s.io certificatesigningrequests create,get,list,watch',
      'coordination.k8s.io leases create,delete,get,patch,update',
      'storage.k8s.io volumeattachments get',
      'core serviceaccounts/token create',
      'core persistentvolumeclaims/status get,patch,update',
      'storage.k8s.io csidrivers read',
      'storage.k8s.io csinodes create,delete,get,patch,update',
      'node.k8s.io runtimeclasses read',
    ],
  },
  'system:node-bootstrapper': { rules: ['certificates.k8s.io certificatesigningrequests create,get,list,watch'] },
  'system:node-problem-detector': { rules: ['core nodes get', 'core nodes/status patch', writeEvents] },
  'system:node-proxier': {
    rules: [
      'core endpoints,services list,watch',
      'core nodes read',
      writeEvents,
      'discovery.k8s.io endpointslices list,watch',
    ],
  },
  'system:persistent-volume-provisioner': {
    rules: [
      'core persistentvolumes create,delete,get,list,watch',
      'core persistentvolumeclaims get,list,update,watch',
      'storage.k8s.io storageclasses read',
      'core events watch',
      writeEvents,
    ],
  },
};

export const bootstrapClusterRoles: Readonly<Record<string, BootstrapRole>> = { ...forPeople, ...forComponents };

const leaderRules = [
  'coordination.k8s.io leases create,get,list,update,watch',
  'coordination.k8s.io leasecandidates create,get,list,update,watch',
];

/** By namespace. */
export const bootstrapRoles: Readonly<Record<string, Record<string, BootstrapRole>>> = {
  'kube-public': {
    'system:controller:bootstrap-signer': {
      rules: ['core configmaps read', 'core configmaps[cluster-info] update', writeEvents],
    },
  },
  'kube-system': {
    'extension-apiserver-authentication-reader': {
      rules: ['core configmaps[extension-apiserver-authentication] read'],
    },
    'system::leader-locking-kube-controller-manager': { rules: leaderRules },
    'system::leader-locking-kube-scheduler': { rules: leaderRules },
    'system:controller:bootstrap-signer': { rules: ['core secrets read'] },
    'system:controller:cloud-provider': { rules: ['core configmaps create,get,list,watch'] },
    'system:controller:token-cleaner': { rules: ['core secrets delete,get,list,watch', writeEvents] },
  },
};

/** Subjects as `User name`, `Group name` or `ServiceAccount namespace/name`; the binding has its role's name. */
export const bootstrapClusterRoleBindings: Readonly<Record<string, readonly string[]>> = {
  'cluster-admin': ['Group system:masters'],
  'system:basic-user': ['Group system:authenticated'],
  'system:discovery': ['Group system:authenticated'],
  'system:public-info-viewer': ['Group system:authenticated', 'Group system:unauthenticated'],
  'system:monitoring': ['Group system:monitoring'],
  'system:service-account-issuer-discovery': ['Group system:serviceaccounts'],
  'system:kube-controller-manager': ['User system:kube-controller-manager'],
  'system:kube-dns': ['ServiceAccount kube-system/kube-dns'],
  'system:kube-scheduler': ['User system:kube-scheduler'],
  'system:volume-scheduler': ['User system:kube-scheduler'],
  'system:node': [],
  'system:node-proxier': ['User system:kube-proxy'],
};

/** A binding has its role's name unless it says otherwise. */
export interface BootstrapRoleBinding {
  role?: string;
  subjects: readonly string[];
}

export const bootstrapRoleBindings: Readonly<Record<string, Record<string, BootstrapRoleBinding>>> = {
  'kube-public': {
    'system:controller:bootstrap-signer': { subjects: ['ServiceAccount kube-system/bootstrap-signer'] },
  },
  'kube-system': {
    'system::extension-apiserver-authentication-reader': {
      role: 'extension-apiserver-authentication-reader',
      subjects: ['User system:kube-controller-manager', 'User system:kube-scheduler'],
    },
    'system::leader-locking-kube-controller-manager': {
      subjects: [
        'User system:kube-controller-manager',
        'ServiceAccount kube-system/kube-controller-manager',
        'ServiceAccount kube-system/leader-election-controller',
      ],
    },
    'system::leader-locking-kube-scheduler': {
      subjects: ['User system:kube-scheduler', 'ServiceAccount kube-system/kube-scheduler'],
    },
    'system:controller:bootstrap-signer': { subjects: ['ServiceAccount kube-system/bootstrap-signer'] },
    'system:controller:cloud-provider': { subjects: ['ServiceAccount kube-system/cloud-provider'] },
    'system:controller:token-cleaner': { subjects: ['ServiceAccount kube-system/token-cleaner'] },
  },
};
