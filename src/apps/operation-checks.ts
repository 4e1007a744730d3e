import type { Clock } from '#base/clock.ts';
import { getString } from '#base/json.ts';
import { assessHealth } from '#health/assess.ts';
import { type KubeClient, kindOf } from '#kube/port.ts';
import type { AppProject } from '#model/argocd/app-project.ts';
import type { ResourceResult } from '#model/argocd/application.ts';
import type { SyncAction } from '#sync/plan.ts';
import { resultOf, type SyncTask } from '#sync/task.ts';
import { type Destination, isDestinationPermitted, isKindPermitted } from './project.ts';

const crdWaitMs = 3000;
const crdPollMs = 20;

function servedBySync(tasks: readonly SyncTask[], task: SyncTask): boolean {
  return tasks.some(
    ({ target }) =>
      target?.kind === 'CustomResourceDefinition' &&
      getString(target, 'spec', 'group') === task.key.group &&
      getString(target, 'spec', 'names', 'kind') === task.key.kind,
  );
}

/** What the cluster serves instead of a kind that it does not: another version, or the kind of another group. */
async function unserved(kube: Pick<KubeClient, 'discovery'>, task: SyncTask, signal: AbortSignal): Promise<string> {
  const { group, kind, namespace = '', name } = task.key;
  const served = (await kube.discovery.all(signal)).filter((resource) => resource.kind === kind);
  const other = served.find((resource) => resource.group === group) ?? served[0];
  const wanted = `for requested resource ${namespace}/${name}`;
  if (!other)
    return `The Kubernetes API could not find ${group}/${kind} ${wanted}. Make sure the "${kind}" CRD is installed on the destination cluster.`;
  return `The Kubernetes API could not find version "${task.version}" of ${group}/${kind} ${wanted}. Version "${other.version}" of ${other.group}/${kind} is installed on the destination cluster.`;
}

export interface TaskCheck {
  /** The tasks, those of kinds that are not served yet marked so. */
  tasks: SyncTask[];
  /** Tasks that cannot work: kinds the cluster does not serve, or the project does not permit. */
  invalid: ResourceResult[];
}

/** Holds every task against what the cluster serves and the project permits. */
export async function checkTasks(
  kube: Pick<KubeClient, 'discovery'>,
  limits: { project: AppProject; destination: Destination },
  tasks: readonly SyncTask[],
  signal: AbortSignal,
): Promise<TaskCheck> {
  const { project, destination } = limits;
  const out: TaskCheck = { tasks: [], invalid: [] };
  for (const task of tasks) {
    const object = task.target ?? task.live;
    if (!object) continue;
    const resource = await kube.discovery.find(kindOf(object), signal);
    const { group, kind, name, namespace = '' } = task.key;
    const refuse = (message: string) =>
      out.invalid.push(resultOf(task, { status: 'SyncFailed', message, hookPhase: 'Failed' }));
    const skipDryRun = !resource && (task.options.skipDryRunOnMissingResource || servedBySync(tasks, task));
    out.tasks.push(skipDryRun ? { ...task, skipDryRun } : task);
    if (!resource && !skipDryRun) refuse(await unserved(kube, task, signal));
    else if (resource && !isKindPermitted(project, { group, kind, name, namespaced: resource.namespaced }))
      refuse(`resource ${group}:${kind} is not permitted in project ${project.name}`);
    else if (resource?.namespaced && !isDestinationPermitted(project, destination, namespace))
      refuse(`namespace ${namespace} is not permitted in project '${project.name}'`);
  }
  return out;
}

/** Waits a little until the definitions that were just applied are served. True when there were any. */
export async function waitForDefinitions(
  deps: { kube: KubeClient; clock: Clock },
  actions: readonly SyncAction[],
  signal: AbortSignal,
): Promise<boolean> {
  const writes = actions.filter(({ kind }) => kind === 'apply' || kind === 'replace' || kind === 'recreate');
  const definitions = writes.filter(({ task }) => task.key.kind === 'CustomResourceDefinition');
  const deadline = deps.clock.now() + crdWaitMs;
  for (const { task } of definitions) {
    const resource = task.target && (await deps.kube.discovery.find(kindOf(task.target), signal));
    while (resource && task.target && deps.clock.now() < deadline) {
      const live = await deps.kube.get(resource, task.target.metadata, signal);
      if (live && assessHealth(live)?.status === 'Healthy') break;
      await deps.clock.sleep(crdPollMs, signal);
    }
  }
  return definitions.length > 0;
}
