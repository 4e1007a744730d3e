import { cloneJson, getArray, getObject, getPath, isObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { type ActionResult, seconds } from './action.ts';

/** An object that this one owns, named by the minute so that asking twice makes one. */
function owned(owner: KubeObject, made: { apiVersion: string; kind: string; suffix: string; controller: boolean }) {
  const { apiVersion, kind, metadata } = owner;
  const { name, uid } = metadata;
  const controls = made.controller ? { blockOwnerDeletion: true, controller: true } : {};
  return {
    apiVersion: made.apiVersion,
    kind: made.kind,
    name: `${name}-${made.suffix}`,
    namespace: metadata.namespace,
    ownerReferences: [{ apiVersion, kind, name, ...(uid === undefined ? {} : { uid }), ...controls }],
  };
}

const digitsOf = (nowMs: number) => new Date(nowMs).toISOString().replaceAll(/[-:T]/g, '').slice(0, 12);

function created(object: KubeObject): ActionResult[] {
  return [{ operation: 'create', object: cloneJson(object) }];
}

/** The Job that a CronJob would make now. */
export function createJob(object: KubeObject, nowMs: number): ActionResult[] {
  const made = { apiVersion: 'batch/v1', kind: 'Job', suffix: digitsOf(nowMs).slice(2), controller: true };
  const { apiVersion, kind, ...metadata } = owned(object, made);
  const template = getObject(object, 'spec', 'jobTemplate', 'metadata');
  const annotations = { ...getObject(template, 'annotations'), 'cronjob.kubernetes.io/instantiate': 'manual' };
  const labels = isObject(template['labels']) ? { labels: template['labels'] } : {};
  return created(
    plain({
      apiVersion,
      kind,
      metadata: { ...labels, ...metadata, annotations },
      spec: getPath(object, 'spec', 'jobTemplate', 'spec'),
    }),
  );
}

/** As a KubeObject: what has just been put together has texts where the type wants them. */
function plain(made: {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string | undefined; [field: string]: unknown };
  spec: unknown;
}): KubeObject {
  const { namespace, ...metadata } = made.metadata;
  return { ...made, metadata: { ...metadata, ...(namespace === undefined ? {} : { namespace }) } };
}

/** The Workflow that a CronWorkflow or a WorkflowTemplate stands for. */
export function createWorkflow(object: KubeObject, nowMs: number): ActionResult[] {
  const suffix = digitsOf(nowMs);
  const { apiVersion, kind, ...metadata } = owned(object, {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Workflow',
    suffix,
    controller: false,
  });
  if (object.kind === 'WorkflowTemplate') {
    const labels = { 'workflows.argoproj.io/workflow-template': object.metadata.name };
    const spec = { workflowTemplateRef: { name: object.metadata.name } };
    return created(plain({ apiVersion, kind, metadata: { ...metadata, labels }, spec }));
  }
  const given = getObject(object, 'spec', 'workflowMetadata');
  const instance = 'workflows.argoproj.io/controller-instanceid';
  const instanceId = object.metadata.labels?.[instance];
  const labels = {
    ...getObject(given, 'labels'),
    'workflows.argoproj.io/cron-workflow': object.metadata.name,
    ...(instanceId === undefined ? {} : { [instance]: instanceId }),
  };
  const annotations = {
    ...getObject(given, 'annotations'),
    'workflows.argoproj.io/scheduled-time': `${seconds(nowMs)}Z`,
  };
  const finalizers = getArray(given, 'finalizers');
  const held = finalizers.length > 0 ? { finalizers } : {};
  const spec = getPath(object, 'spec', 'workflowSpec');
  return created(plain({ apiVersion, kind, metadata: { ...metadata, ...held, labels, annotations }, spec }));
}
