import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from '../health.ts';
import { type Catalogue, type Check, generationOf, items, matches, present, textAt } from '../rules.ts';

interface Flow {
  name: string;
  /** Phases of a deliberate pause. */
  paused?: readonly string[];
  /** What to say of a condition that is False; its own message when absent. */
  unhealthy?: string;
  progressive?: boolean;
}

const observed = (object: KubeObject) => generationOf(object) === Number(textAt(object, 'status.observedGeneration'));

/** Numaflow's kinds: any condition that is False is a fault. */
function flow({ name, paused = [], unhealthy, progressive = true }: Flow): Check {
  return (object) => {
    if (!present(object, 'status') || !observed(object)) return health('Progressing', `Waiting for ${name} status`);
    const phase = textAt(object, 'status.phase') ?? '';
    const open = items(object, 'status.conditions').findLast((condition) => textAt(condition, 'status') === 'False');
    const label = object.metadata.labels?.['numaplane.numaproj.io/progressive-result-state'];
    if (phase === 'Failed') return health('Degraded', textAt(object, 'status.message'));
    if (progressive && label === 'failed') return health('Degraded', 'Failed progressive upgrade');
    if (open !== undefined) return health('Degraded', unhealthy ?? textAt(open, 'message'));
    if (paused.includes(phase)) return health('Healthy', `${name} is paused`);
    if (phase === 'Running') return health('Healthy', `${name} is healthy`);
    return health('Progressing', `Waiting for ${name} status`);
  };
}

interface Rolling {
  /** Reasons for which children that are not healthy have failed. */
  failed: string;
  pausing?: string;
  unknown: string;
  progressive: boolean;
}

/** Numaplane's rollouts: work first, then faults, pauses and the children's health. */
function rolling({ failed, pausing, unknown, progressive }: Rolling): Check {
  const childFailed = matches(`ChildResourcesHealthy=False/${failed}`);
  const childBusy = matches('ChildResourcesHealthy=False/Progressing');
  const upgradeFailed = progressive ? matches('ProgressiveUpgradeSucceeded=False') : () => false;
  const isPausing = pausing === undefined ? () => false : matches(`${pausing}=True`);
  const isHealthy = matches('ChildResourcesHealthy=True');
  return (object) => {
    if (!present(object, 'status') || !observed(object)) return health('Progressing', 'Not yet reconciled');
    const list = items(object, 'status.conditions');
    const phase = textAt(object, 'status.phase');
    const upgrades = (textAt(object, 'status.upgradeInProgress') ?? '') !== '' || phase === 'Pending';
    if (upgrades && !list.some(upgradeFailed)) return health('Progressing', 'Update in progress');
    if (list.some(childBusy)) return health('Progressing', 'Child Progressing');
    if (phase === 'Failed') return health('Degraded', textAt(object, 'status.message'));
    const fault = list.find((condition) => childFailed(condition) || upgradeFailed(condition));
    if (fault !== undefined)
      return health('Degraded', upgradeFailed(fault) ? 'Progressive upgrade failed' : textAt(fault, 'message'));
    const pause = list.find(isPausing);
    if (pause !== undefined) return health('Healthy', textAt(pause, 'message'));
    const result: Health = list.some(isHealthy) ? health('Healthy', 'Healthy') : health('Unknown', unknown);
    return result;
  };
}

export const numaprojKinds: Catalogue = {
  'numaflow.numaproj.io/InterStepBufferService': flow({ name: 'InterStepBufferService' }),
  'numaflow.numaproj.io/MonoVertex': flow({
    name: 'MonoVertex',
    paused: ['Paused'],
    unhealthy: 'Subresources are unhealthy',
  }),
  'numaflow.numaproj.io/Pipeline': flow({
    name: 'Pipeline',
    paused: ['Paused', 'Pausing'],
    unhealthy: 'Subresources are unhealthy',
  }),
  'numaflow.numaproj.io/Vertex': flow({ name: 'Vertex', paused: ['Paused'], progressive: false }),
  'numaplane.numaproj.io/ISBServiceRollout': rolling({
    failed: 'ISBSvcFailed',
    unknown: 'Unknown status',
    progressive: true,
  }),
  'numaplane.numaproj.io/MonoVertexRollout': rolling({
    failed: 'MonoVertexFailed',
    pausing: 'MonoVertexPausingOrPaused',
    unknown: 'Unknown MonoVertex status',
    progressive: true,
  }),
  'numaplane.numaproj.io/PipelineRollout': rolling({
    failed: 'PipelineFailed',
    pausing: 'PipelinePausingOrPaused',
    unknown: 'Unknown Pipeline status',
    progressive: true,
  }),
  'numaplane.numaproj.io/NumaflowControllerRollout': rolling({
    failed: '!Progressing',
    unknown: 'Unknown status',
    progressive: false,
  }),
};
