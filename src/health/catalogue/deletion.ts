import type { KubeObject } from '#kube/port.ts';

interface Held {
  waits: string;
  risk: string;
}

const noProvider = 'GitRepository objects can reference a provider that no longer exists.';

/** Finalizers that are known to hold an object, with what they wait for. */
const finalizers: ReadonlyMap<string, Held> = new Map(
  Object.entries({
    'changetransferpolicy.promoter.argoproj.io/finalizer': {
      waits: 'Waiting to clear related PullRequest finalizers and finish cleanup before this policy is removed.',
      risk: "The 'changetransferpolicy.promoter.argoproj.io/pullrequest-finalizer' finalizer may not be cleaned up from PullRequests owned by this ChangeTransferPolicy.",
    },
    'clusterscmprovider.promoter.argoproj.io/finalizer': {
      waits: 'Waiting until no GitRepository still references this cluster-wide SCM provider.',
      risk: noProvider,
    },
    'scmprovider.promoter.argoproj.io/finalizer': {
      waits: 'Waiting until no GitRepository in this namespace still references this provider.',
      risk: noProvider,
    },
    'gitrepository.promoter.argoproj.io/finalizer': {
      waits: 'Waiting until no non-deleting PullRequests still reference this repository.',
      risk: 'repository metadata may be removed while promotions still depend on it.',
    },
    'pullrequest.promoter.argoproj.io/finalizer': {
      waits: 'Waiting for SCM closure or reconciliation of the pull request.',
      risk: 'the real PR can stay open after the CR is gone.',
    },
    'changetransferpolicy.promoter.argoproj.io/pullrequest-finalizer': {
      waits: 'Waiting for the ChangeTransferPolicy to observe PR identity and state.',
      risk: 'promotion status or history can be wrong or racy.',
    },
  }),
);

const words: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'apiextensions.k8s.io/CustomResourceDefinition': 'CRD is terminating',
    'promoter.argoproj.io/ArgoCDCommitStatus': 'Argo CD commit status is being deleted',
    'promoter.argoproj.io/ChangeTransferPolicy': 'Change transfer policy is being deleted.',
    'promoter.argoproj.io/ClusterScmProvider': 'ClusterScmProvider is being deleted.',
    'promoter.argoproj.io/CommitStatus': 'Commit status is being deleted',
    'promoter.argoproj.io/GitCommitStatus': 'GitCommitStatus is being deleted',
    'promoter.argoproj.io/GitRepository': 'GitRepository is being deleted.',
    'promoter.argoproj.io/PromotionStrategy': 'Promotion strategy is being deleted',
    'promoter.argoproj.io/PullRequest': 'Pull request is being deleted.',
    'promoter.argoproj.io/ScmProvider': 'ScmProvider is being deleted.',
    'promoter.argoproj.io/TimedCommitStatus': 'TimedCommitStatus is being deleted',
    'promoter.argoproj.io/WebRequestCommitStatus': 'WebRequestCommitStatus is being deleted',
    'services.cloud.sap.com/ServiceBinding': 'Resource is being deleted',
    'services.cloud.sap.com/ServiceInstance': 'Resource is being deleted',
  }),
);

/** What is said of an object that is being deleted: for kinds whose finalizers are known, what holds it. */
export function deletionMessage(groupKind: string, object: KubeObject): string {
  const start = words.get(groupKind);
  if (start === undefined) return 'Pending deletion';
  if (!start.endsWith('.')) return start;
  const held = (object.metadata.finalizers ?? []).flatMap((name) => {
    const known = finalizers.get(name);
    return known === undefined ? [] : [`${name}: ${known.waits} Risk if removed manually: ${known.risk}`];
  });
  return [start, ...held].join(' ');
}
