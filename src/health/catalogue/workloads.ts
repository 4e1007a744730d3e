import { getNumber } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from '../health.ts';
import {
  always,
  at,
  type Catalogue,
  type Check,
  conditions,
  field,
  firstOf,
  generationOf,
  given,
  items,
  matches,
  present,
  textAt,
} from '../rules.ts';
import { sparkApplication } from './spark.ts';

const waiting = health('Progressing', 'Waiting for initialization');
const isCurrent = (object: KubeObject) =>
  present(object, 'status') && generationOf(object) === getNumber(object, 'status', 'observedGeneration');
const number = (object: KubeObject, path: string) => getNumber(object, ...path.split('.'));

/** OpenKruise: a partition that has been reached, or a pause, waits for a person. */
function kruiseSet(name: string, strategy: string, reached: (object: KubeObject, partition: number) => boolean): Check {
  return (object) => {
    if (!isCurrent(object)) return waiting;
    const partition = number(object, `${strategy}.partition`);
    const available = number(object, 'status.updatedAvailableReplicas');
    if (at(object, `${strategy}.paused`) === true || available === undefined)
      return health('Suspended', `${name} is paused`);
    if (partition !== 0 && (generationOf(object) ?? 0) > 1)
      return reached(object, partition ?? 0) ? health('Suspended', `${name} needs manual intervention`) : waiting;
    return available === number(object, 'status.replicas')
      ? health('Healthy', `All ${name} workloads are ready and updated`)
      : health('Degraded', 'Some replicas are not ready or available');
  };
}

function kruiseDaemonSet(object: KubeObject): Health {
  if (!isCurrent(object)) return waiting;
  const partition = number(object, 'spec.updateStrategy.rollingUpdate.partition') ?? 0;
  const updated = number(object, 'status.updatedNumberScheduled');
  const wanted = number(object, 'status.desiredNumberScheduled') ?? 0;
  if (at(object, 'spec.updateStrategy.rollingUpdate.paused') === true || updated === undefined)
    return health('Suspended', 'Daemonset is paused');
  if (partition !== 0 && (generationOf(object) ?? 0) > 1)
    return updated > wanted - partition ? health('Suspended', 'Daemonset needs manual intervention') : waiting;
  if (updated !== wanted) return waiting;
  if (number(object, 'status.numberAvailable') === wanted)
    return health('Healthy', 'All Daemonset workloads are ready and updated');
  return number(object, 'status.numberUnavailable') === wanted
    ? health('Degraded', 'Some pods are not ready or available')
    : waiting;
}

function advancedCronJob(object: KubeObject): Health {
  const ran = present(object, 'status.lastScheduleTime');
  if (!ran && at(object, 'spec.paused') === true) return health('Suspended', 'AdvancedCronJob is Paused');
  if (items(object, 'status.active').length > 0) return health('Progressing', 'AdvancedCronJobs has active jobs');
  return ran
    ? health('Healthy', 'AdvancedCronJobs has run successfully')
    : health('Degraded', 'AdvancedCronJobs has not run successfully');
}

function broadcastJob(object: KubeObject): Health {
  const phase = textAt(object, 'status.phase');
  const all = number(object, 'status.desired') === number(object, 'status.succeeded');
  if (phase === 'completed' && all) return health('Healthy', 'BroadcastJob is completed successfully');
  if (phase === 'failed' && number(object, 'status.failed') !== 0) return health('Degraded', 'BroadcastJob failed');
  if (phase === 'paused' && at(object, 'spec.paused') === true) return health('Suspended', 'BroadcastJob is Paused');
  return health('Progressing', 'BroadcastJob is still running');
}

const kruiseSteps: Readonly<Record<string, Health>> = {
  'StepPaused Progressing': health('Suspended', 'Rollout is Paused need manual intervention'),
  'Completed Healthy': health('Healthy', 'Rollout is Completed'),
  'StepPaused Terminating': health('Degraded', 'Rollout is Disabled or Terminating'),
  'StepPaused Disabled': health('Degraded', 'Rollout is Disabled or Terminating'),
};

function kruiseRollout(object: KubeObject): Health {
  const step = `${textAt(object, 'status.canaryStatus.currentStepState')} ${textAt(object, 'status.phase')}`;
  return (isCurrent(object) ? kruiseSteps[step] : undefined) ?? health('Progressing', 'Rollout is still progressing');
}

function gameServer(object: KubeObject): Health {
  if (!present(object, 'status')) return health('Unknown', 'Waiting for GameServer to be ready');
  const is = textAt(object, 'status.currentState');
  const wanted = textAt(object, 'status.desiredState');
  if (is !== wanted) return health('Progressing', `State change: ${is ?? 'Unknown'} → ${wanted ?? 'Unknown'}`);
  const unready = items(object, 'status.podStatus.conditions').some(matches('KruisePodReady!=True'));
  if (unready) return health('Degraded', 'Pod is not ready: KruisePodReady');
  return is === 'Ready'
    ? health('Healthy', 'GameServer is Ready')
    : health('Unknown', 'Waiting for GameServer to be ready');
}

function gameServerSet(object: KubeObject): Health {
  const first = health('Progressing', 'Waiting for GameServerSet initialization');
  if (!isCurrent(object)) return first;
  const count = (path: string) => number(object, path) ?? 0;
  const partition = count('spec.updateStrategy.rollingUpdate.partition');
  const replicas = count('status.replicas');
  if (at(object, 'spec.updateStrategy.rollingUpdate.paused') === true)
    return health('Suspended', 'GameServerSet is paused');
  if (partition !== 0 && count('status.updatedReplicas') >= replicas - partition)
    return health('Suspended', `Partition=${partition}, waiting for manual intervention`);
  if (count('status.updatedReadyReplicas') === replicas)
    return health('Healthy', 'All GameServerSet replicas are updated and ready');
  const ready = count('status.readyReplicas');
  return ready < replicas ? health('Progressing', `ReadyReplicas ${ready}/${replicas}, still progressing`) : first;
}

/** KEDA: not ready or fallen back is degraded, paused while ready is suspended; the last condition that counts speaks. */
function keda(failing: string, otherwise: string): Check {
  const failed = ['Ready=False', failing].map(matches);
  const ready = matches('Ready=True');
  const paused = matches('Paused=True');
  return (object) => {
    const list = items(object, 'status.conditions');
    const telling = list.filter((c) => ready(c) || paused(c) || failed.some((is) => is(c)));
    const said = textAt(telling.at(-1), 'message');
    if (telling.some((c) => failed.some((is) => is(c)))) return health('Degraded', said);
    if (!telling.some(ready)) return health('Progressing', otherwise);
    return health(telling.some(paused) ? 'Suspended' : 'Healthy', said);
  };
}

interface Installation {
  name: string;
  /** What must be True, and how many of them. */
  proofs: string;
  needed: number;
  /** What says "not yet" when it is False. */
  waits: string;
}

/** Knative's operator, which lists all its conditions while it works. */
function knativeInstallation({ name, proofs, needed, waits }: Installation): Check {
  const proof = matches(`${proofs}=True`);
  const wait = matches(`${waits}=False`);
  return firstOf(
    given('status.conditions', (object) => {
      const list = items(object, 'status.conditions');
      const all = list.map((c, i) => `${i + 1}: ${textAt(c, 'type')} | ${textAt(c, 'status')}\n`).join('');
      if (list.some((c) => wait(c) || textAt(c, 'status') === 'Unknown')) return health('Progressing', all);
      return list.filter(proof).length === needed ? health('Healthy', `${name} is healthy.`) : health('Degraded', all);
    }),
    always('Progressing', `Waiting for ${name}`),
  );
}

function sentence(condition: unknown): string {
  const reason = textAt(condition, 'reason') ?? '';
  const message = textAt(condition, 'message') ?? '';
  const first = `${textAt(condition, 'type')} is ${textAt(condition, 'status')}`;
  return `${first}${reason === '' ? '' : `, since ${reason}.`}${message === '' ? '' : ` ${message}`}\n`;
}

const isServing = matches('ConfigurationsReady,RoutesReady,Ready=True');

function knativeService(object: KubeObject): Health {
  if (!present(object, 'status.conditions')) return health('Progressing', 'Waiting for status update.');
  const list = items(object, 'status.conditions');
  const open = list.filter((c) => ['False', 'Unknown'].includes(textAt(c, 'status') ?? ''));
  if (open.length === 0 && list.filter(isServing).length === 3) return health('Healthy', 'Knative Service is healthy.');
  const failed = open.some((c) => textAt(c, 'status') === 'False');
  return health(failed ? 'Degraded' : 'Progressing', open.map(sentence).join(''));
}

function inferenceService(object: KubeObject): Health {
  const transition = present(object, 'status.modelStatus')
    ? (textAt(object, 'status.modelStatus.transitionStatus') ?? '')
    : 'UpToDate';
  if (!present(object, 'status.conditions'))
    return health('Progressing', 'Waiting for InferenceService to report status...');
  const list = items(object, 'status.conditions');
  if (list.some(matches('Stopped=True'))) return health('Suspended', 'InferenceService is Stopped');
  const said = list.map((c, at) => {
    if (textAt(c, 'status') === 'True' || textAt(c, 'type') === 'Stopped') return '';
    const parts = [textAt(c, 'status'), textAt(c, 'reason'), textAt(c, 'message')];
    return ` | ${at + 1}: ${textAt(c, 'type')} | ${parts.filter((part) => (part ?? '') !== '').join(' | ')}`;
  });
  const counts = list.some(
    (c) => textAt(c, 'status') === 'Unknown' || (textAt(c, 'status') === 'False' && textAt(c, 'type') !== 'Stopped'),
  );
  if (transition === 'UpToDate' && !counts) return health('Healthy', 'InferenceService is healthy.');
  const first = transition === 'UpToDate' ? '' : `0: transitionStatus | ${transition}`;
  const failed = transition !== 'UpToDate' && transition !== 'InProgress';
  return health(failed ? 'Degraded' : 'Progressing', first + said.join(''));
}

function spinApp(object: KubeObject): Health {
  if (!present(object, 'status')) return health('Progressing', 'Waiting for status to be available');
  const list = items(object, 'status.conditions');
  const failed = list.find((c) => {
    if (textAt(c, 'type') !== 'Progressing' || textAt(c, 'status') !== 'False') return false;
    return textAt(c, 'reason') === 'ProgressDeadlineExceeded' || /timeout|failed/i.test(textAt(c, 'message') ?? '');
  });
  if (failed !== undefined) return health('Degraded', textAt(failed, 'message') ?? 'Application deployment has failed');
  const available = list.findLast((c) => textAt(c, 'type') === 'Available');
  if (textAt(available, 'status') !== 'True')
    return health(
      'Degraded',
      available === undefined ? '' : (textAt(available, 'message') ?? 'Application is not available'),
    );
  const ready = number(object, 'status.readyReplicas') ?? 0;
  const wanted = number(object, 'spec.replicas') ?? 1;
  if (ready < wanted) return health('Progressing', `Waiting for replicas to be ready (${ready}/${wanted})`);
  const working = list.findLast(matches('Progressing=True'));
  return working === undefined
    ? health('Healthy', `Application is healthy with ${ready}/${wanted} replicas ready`)
    : health('Progressing', textAt(working, 'message') ?? 'Application progress status');
}

function flink(object: KubeObject): Health | undefined {
  if (!present(object, 'status.reconciliationStatus')) return undefined;
  if (
    at(object, 'status.reconciliationStatus.success') === true ||
    textAt(object, 'status.reconciliationStatus.state') === 'DEPLOYED'
  )
    return health('Healthy');
  return field('status.jobManagerDeploymentStatus', {
    DEPLOYED_NOT_READY: ['Progressing', 'Waiting for deploying'],
    DEPLOYING: ['Progressing', 'Waiting for deploying'],
    ERROR: ['Degraded', '{.status.reconciliationStatus.error}'],
  })(object);
}

function canary(object: KubeObject): Health {
  if (!present(object, 'status')) return health('Unknown', 'No status');
  const phase = textAt(object, 'status.phase') ?? '';
  const weight = Number(textAt(object, 'status.canaryWeight') ?? 0);
  const parts = weight > 0 ? [`Canary Weight: ${textAt(object, 'status.canaryWeight')} %`] : [];
  for (const condition of items(object, 'status.conditions')) parts.push(textAt(condition, 'message') ?? '');
  const statuses: Readonly<Record<string, Health['status']>> = {
    Failed: 'Degraded',
    Progressing: 'Progressing',
    Finalising: 'Progressing',
    Promoting: 'Progressing',
    Succeeded: 'Healthy',
    Initialized: 'Healthy',
  };
  return health(statuses[phase] ?? 'Unknown', [phase, ...(parts.length > 0 ? parts : [''])].join(' --- '));
}

function openFunction(object: KubeObject): Health | undefined {
  const found = conditions(
    ['Ready=False', 'Degraded'],
    ['Stalled=True', 'Degraded'],
    ['Ready=True', 'Healthy'],
  )(object);
  const running = (number(object, 'status.replicas') ?? 0) > 0;
  return found?.status === 'Healthy' && !running ? health('Suspended', 'No replicas available') : found;
}

function deploymentConfig(object: KubeObject): Health {
  const waits = health('Progressing', 'replication controller is waiting for pods to run');
  if (!present(object, 'status.conditions') || !present(object, 'status.replicas')) return waits;
  const proofs = ['Available=True', 'Progressing=True/NewReplicationControllerAvailable'].map(matches);
  const proven = items(object, 'status.conditions').filter((c) => proofs.some((is) => is(c))).length;
  if (proven === 2 || number(object, 'status.replicas') === 0)
    return health('Healthy', 'replication controller successfully rolled out');
  return proven === 1 ? waits : health('Degraded', 'Deployment config is degraded');
}

/** What runs code beside Kubernetes' own workloads: OpenKruise, Knative, KEDA, Spark, Flink and others. */
export const workloadKinds: Catalogue = {
  'apps.kruise.io/AdvancedCronJob': advancedCronJob,
  'apps.kruise.io/BroadcastJob': broadcastJob,
  'apps.kruise.io/CloneSet': kruiseSet(
    'Cloneset',
    'spec.updateStrategy',
    (object) =>
      (number(object, 'status.updatedReplicas') ?? 0) >= (number(object, 'status.expectedUpdatedReplicas') ?? 0),
  ),
  'apps.kruise.io/DaemonSet': kruiseDaemonSet,
  'apps.kruise.io/StatefulSet': kruiseSet(
    'Statefulset',
    'spec.updateStrategy.rollingUpdate',
    (object, partition) =>
      (number(object, 'status.updatedReplicas') ?? 0) > (number(object, 'status.replicas') ?? 0) - partition,
  ),
  'rollouts.kruise.io/Rollout': kruiseRollout,
  'game.kruise.io/GameServer': gameServer,
  'game.kruise.io/GameServerSet': gameServerSet,
  'keda.sh/ScaledJob': keda('Ready=Unknown', 'Waiting for ScaledJob'),
  'keda.sh/ScaledObject': keda('Fallback=True', 'Creating HorizontalPodAutoscaler Object'),
  'operator.knative.dev/KnativeEventing': knativeInstallation({
    name: 'KnativeEventing',
    proofs: 'Ready,InstallSucceeded',
    needed: 2,
    waits: 'Ready',
  }),
  'operator.knative.dev/KnativeServing': knativeInstallation({
    name: 'KnativeServing',
    proofs: 'Ready,InstallSucceeded,DependenciesInstalled,DeploymentsAvailable',
    needed: 4,
    waits: 'Ready,DeploymentsAvailable',
  }),
  'serving.knative.dev/Service': knativeService,
  'serving.kserve.io/InferenceService': inferenceService,
  'core.spinkube.dev/SpinApp': spinApp,
  'flink.apache.org/FlinkDeployment': firstOf(flink, always('Progressing', 'Waiting for Flink operator')),
  'sparkoperator.k8s.io/SparkApplication': sparkApplication,
  'flagger.app/Canary': canary,
  'openfaas.com/Function': firstOf(openFunction, always('Progressing', 'Waiting for Function')),
  'apps.openshift.io/DeploymentConfig': deploymentConfig,
  'camel.apache.org/Integration': firstOf(
    conditions(['Ready=False', 'Degraded'], ['Ready=True', 'Healthy']),
    always('Progressing', 'Waiting for Integration'),
  ),
};
