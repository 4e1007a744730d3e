import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from '../health.ts';
import { always, at, type Catalogue, type Check, firstOf, items, kinds, matches, textAt, whenTrue } from '../rules.ts';

interface Counting {
  /** The status of Ready that says "still at it". */
  busy: 'Unknown' | 'False' | 'never';
  /** Reasons of Reconciling that count; all when absent. */
  reasons?: string;
  /** Conditions beside Ready that must be True: each counts, and that many are needed. */
  proofs?: string;
}

const suspended = whenTrue('spec.suspend', 'Suspended', '{.kind} is suspended');
const unknown = always('Progressing', 'Status unknown');

function counted(counting: Counting): Check {
  const reconciling = matches(`Reconciling=True/${counting.reasons ?? '*'}`);
  const ready = matches('Ready');
  const outdated = matches('ArtifactOutdated=True');
  const proof = counting.proofs === undefined ? () => false : matches(`${counting.proofs}=True`);
  const needed = counting.proofs === undefined ? 1 : 2;
  return (object: KubeObject): Health | undefined => {
    if (!Array.isArray(at(object, 'status.conditions'))) return undefined;
    let progressing = 0;
    let succeeded = 0;
    let message = '';
    for (const condition of items(object, 'status.conditions')) {
      const reason = textAt(condition, 'reason') ?? '';
      const status = textAt(condition, 'status');
      if (ready(condition)) {
        if (status === 'True') succeeded += 1;
        if (status === counting.busy) progressing += 1;
        message = reason;
      } else if (reconciling(condition)) progressing += 1;
      else if (counting.proofs === 'ArtifactInStorage' && outdated(condition)) message = `${message} ${reason}`;
      else if (proof(condition)) succeeded += 1;
    }
    if (progressing === 2) return health('Progressing', message);
    return health(succeeded === needed ? 'Healthy' : 'Degraded', message);
  };
}

const source = firstOf(counted({ busy: 'Unknown', proofs: 'ArtifactInStorage' }), unknown);

/** Flux's toolkit: Ready says how it went, Reconciling with it that work goes on. */
export const fluxKinds: Catalogue = {
  'helm.toolkit.fluxcd.io/HelmRelease': firstOf(
    suspended,
    counted({ busy: 'Unknown', proofs: 'Released,TestSuccess' }),
    unknown,
  ),
  'kustomize.toolkit.fluxcd.io/Kustomization': firstOf(suspended, counted({ busy: 'Unknown' }), unknown),
  'image.toolkit.fluxcd.io/ImageUpdateAutomation': firstOf(suspended, counted({ busy: 'Unknown' }), unknown),
  'image.toolkit.fluxcd.io/ImageRepository': firstOf(
    suspended,
    counted({ busy: 'False', reasons: 'NewGeneration,Scanning' }),
    unknown,
  ),
  'image.toolkit.fluxcd.io/ImagePolicy': firstOf(
    counted({ busy: 'False', reasons: 'NewGeneration,AccessingRepository,ApplyingPolicy' }),
    unknown,
  ),
  // A receiver has no long work: not ready is failed.
  'notification.toolkit.fluxcd.io/Receiver': firstOf(suspended, counted({ busy: 'never', reasons: 'none' }), unknown),
  ...kinds('source.toolkit.fluxcd.io', ['Bucket', 'GitRepository', 'HelmChart', 'OCIRepository'], () =>
    firstOf(suspended, source),
  ),
  'source.toolkit.fluxcd.io/HelmRepository': firstOf(
    suspended,
    (object) =>
      textAt(object, 'spec.type') === 'oci'
        ? health('Healthy', "Helm repositories of type 'oci' do not contain any information in the status.")
        : undefined,
    source,
  ),
};
