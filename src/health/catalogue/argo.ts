import type { KubeObject } from '#kube/port.ts';
import { type Health, health, severity } from '../health.ts';
import { always, at, type Catalogue, conditions, field, firstOf, given, items, present, textAt } from '../rules.ts';

const failedRollout = conditions(
  ['InvalidSpec', 'Degraded'],
  ['Progressing/RolloutAborted,ProgressDeadlineExceeded', 'Degraded'],
);

const reported = (phase: string | undefined) =>
  phase === 'Paused' ? 'Suspended' : (severity.find((status) => status === phase) ?? 'Unknown');

function numberIn(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
}

/** A rollout counts as observed when it says no generation, or, in old releases, a hash that is no number. */
function isObserved(object: KubeObject): boolean {
  if (!present(object, 'status')) return false;
  const observed = numberIn(textAt(object, 'status.observedGeneration'));
  if (observed !== undefined && observed < (object.metadata.generation ?? 0)) return false;
  if (!present(object, 'spec.workloadRef') || object.metadata.annotations === undefined) return true;
  const wanted = object.metadata.annotations['rollout.argoproj.io/workload-generation'];
  return numberIn(wanted) === numberIn(textAt(object, 'status.workloadObservedGeneration'));
}

const number = (object: KubeObject, path: string, fallback: number) => Number(textAt(object, path) ?? fallback);

function rollingReplicas(object: KubeObject): Health | undefined {
  const updated = number(object, 'status.updatedReplicas', 0);
  if (updated < number(object, 'spec.replicas', 1))
    return health('Progressing', 'Waiting for roll out to finish: More replicas need to be updated');
  if (number(object, 'status.availableReplicas', 0) < updated)
    return health('Progressing', 'Waiting for roll out to finish: updated replicas are still becoming available');
  return undefined;
}

function strategyStep(object: KubeObject): Health | undefined {
  const hash = textAt(object, 'status.currentPodHash');
  const canary = present(object, 'status.canary') ? textAt(object, 'status.canary.stableRS') : '';
  const stable = textAt(object, 'status.stableRS') ?? canary;
  if (present(object, 'spec.strategy.blueGreen')) {
    if (textAt(object, 'status.blueGreen.activeSelector') !== hash)
      return health('Progressing', 'active service cutover pending');
    return stable !== '' && stable !== hash ? health('Progressing', 'waiting for analysis to complete') : undefined;
  }
  if (!present(object, 'spec.strategy.canary')) return undefined;
  if (number(object, 'status.replicas', 0) > number(object, 'status.updatedReplicas', 0))
    return health('Progressing', 'Waiting for roll out to finish: old replicas are pending termination');
  return stable === '' || stable !== hash ? health('Progressing', 'Waiting for rollout to finish steps') : undefined;
}

function rollout(object: KubeObject): Health {
  if (!isObserved(object)) return health('Progressing', 'Waiting for rollout spec update to be observed');
  const phase = textAt(object, 'status.phase');
  if (phase !== undefined) return health(reported(phase), textAt(object, 'status.message'));
  const failed = failedRollout(object);
  if (failed !== undefined) return failed;
  if (items(object, 'status.pauseConditions').length > 0 || at(object, 'spec.paused') === true)
    return health('Suspended', 'Rollout is paused');
  if (!present(object, 'status.currentPodHash'))
    return health('Progressing', 'Waiting for rollout to finish: status has not been reconciled.');
  return rollingReplicas(object) ?? strategyStep(object) ?? health('Healthy');
}

function analysisRun(object: KubeObject): Health | undefined {
  if (!present(object, 'status')) return undefined;
  const said = (fallback: string) => textAt(object, 'status.message') ?? fallback;
  switch (textAt(object, 'status.phase')) {
    case 'Pending':
    case 'Running':
      return health('Progressing', 'Analysis run is running');
    case 'Successful':
      return health('Healthy', said('Analysis run completed successfully'));
    case 'Failed':
      return health('Degraded', said('Analysis run failed'));
    case 'Error':
      return health('Degraded', said('Analysis run had an error'));
    case 'Inconclusive':
      return health('Unknown', said('Analysis run was inconclusive'));
    default:
      return undefined;
  }
}

/** Argo's own kinds but Application and Workflow, and Spot's copy of a Rollout. */
export const argoKinds: Catalogue = {
  'argoproj.io/Rollout': rollout,
  'argoproj.io/AnalysisRun': firstOf(
    analysisRun,
    always('Progressing', 'Waiting for analysis run to finish: status has not been reconciled.'),
  ),
  'argoproj.io/Experiment': firstOf(
    field('status.phase', {
      Pending: ['Progressing', 'Experiment is pending'],
      Running: ['Progressing', 'Experiment is running'],
      Successful: ['Healthy', 'Experiment is successful'],
      Failed: ['Degraded', 'Experiment has failed'],
      Error: ['Degraded', 'Experiment had an error'],
    }),
    always('Progressing', 'Waiting for experiment to finish: status has not been reconciled.'),
  ),
  'argoproj.io/ApplicationSet': firstOf(
    conditions(['ErrorOccurred=True', 'Degraded']),
    conditions(['ResourcesUpToDate=False', 'Degraded']),
    conditions(['RolloutProgressing=True', 'Progressing']),
    conditions(['ResourcesUpToDate=True', 'Healthy']),
    always('Progressing', 'Waiting for the status to be reported'),
  ),
  'argoproj.io/CronWorkflow': firstOf(
    conditions(['SpecError,SubmissionError=True', 'Degraded'], ['Completed=True', 'Healthy']),
    always('Healthy', 'CronWorkflow is healthy.'),
  ),
  'argoproj.io/EventBus': firstOf(
    (object) => {
      const deployed = items(object, 'status.conditions').find(
        (c) => textAt(c, 'type') === 'Deployed' && ['True', 'False'].includes(textAt(c, 'status') ?? ''),
      );
      if (deployed === undefined) return undefined;
      const said = textAt(deployed, 'message') ?? textAt(deployed, 'reason');
      return health(textAt(deployed, 'status') === 'True' ? 'Healthy' : 'Degraded', said);
    },
    always('Progressing', 'Waiting for initialization'),
  ),
  'spot.io/SpotDeployment': given(
    'status.conditions',
    firstOf(
      conditions(
        ['InvalidSpec', 'Degraded'],
        ['Progressing/RolloutAborted,ProgressDeadlineExceeded', 'Degraded'],
        ['Paused=True', 'Suspended', 'Rollout is paused'],
      ),
      field('status.phase', { Progressing: ['Progressing', 'Waiting for rollout to finish steps'] }),
      always('Healthy'),
    ),
  ),
};
