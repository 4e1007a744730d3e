import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { getArray, getNumber, getString, type JsonObject } from '#base/json.ts';
import { eventually, startWorld, type World } from '../../../../test/node-world.ts';
import type { ApiObject } from '../api/port.ts';
import { isPodReady } from './pod-state.ts';

let world: World;
before(async () => {
  world = await startWorld({ box: { files: { 'data/hello': 'x' }, config: { WorkingDir: '/data' } } });
});
after(() => world[Symbol.asyncDispose]());

const sh = (script: string): JsonObject => ({ name: 'c', image: 'box', command: ['sh', '-c', script] });

function object(kind: string, apiVersion: string, name: string, rest: JsonObject, namespace = 'default'): ApiObject {
  return { apiVersion, kind, metadata: { name, namespace }, ...rest };
}

function workload(kind: string, name: string, spec: JsonObject, script = 'sleep 60'): ApiObject {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [sh(script)], terminationGracePeriodSeconds: 1 } };
  return object(kind, 'apps/v1', name, { spec: { selector: { matchLabels: labels }, template, ...spec } });
}

function podsOf(name: string, namespace = 'default'): ApiObject[] {
  return world.api.list('pods', { namespace, labels: { app: name } });
}

function job(name: string, script: string, spec: JsonObject = {}): ApiObject {
  const template = { metadata: { labels: { app: name } }, spec: { restartPolicy: 'Never', containers: [sh(script)] } };
  return object('Job', 'batch/v1', name, { spec: { template, ...spec } });
}

function conditionTypes(resource: string, name: string): string[] {
  const found = world.api.get(resource, 'default', name);
  return getArray(found, 'status', 'conditions')
    .filter((condition) => getString(condition, 'status') === 'True')
    .map((condition) => getString(condition, 'type') ?? '');
}

test('every namespace has its service account and certificate, also after they are deleted', async () => {
  const { api } = world;
  await eventually(
    'both',
    () => api.get('configmaps', 'default', 'kube-root-ca.crt') && api.get('serviceaccounts', 'default', 'default'),
  );
  await api.delete('configmaps', 'default', 'kube-root-ca.crt');
  const again = await eventually('the certificate', () => api.get('configmaps', 'default', 'kube-root-ca.crt'));
  assert.match(getString(again, 'data', 'ca.crt') ?? '', /BEGIN CERTIFICATE/);
});

test('a job counts its pods and is complete, in the order of conditions that clients read', async () => {
  await world.api.create(job('sum', 'echo done', { completions: 3, parallelism: 2 }), 'test');
  await eventually('completion', () => conditionTypes('jobs.batch', 'sum').includes('Complete'));
  const done = world.api.get('jobs.batch', 'default', 'sum');
  assert.deepEqual(conditionTypes('jobs.batch', 'sum'), ['SuccessCriteriaMet', 'Complete']);
  assert.equal(getNumber(done, 'status', 'succeeded'), 3);
  assert.ok(getString(done, 'status', 'completionTime'));
  const pods = podsOf('sum');
  assert.equal(pods.length, 3);
  await eventually('no finalizers', () => podsOf('sum').every((pod) => pod.metadata.finalizers === undefined));
});

test('a job that fails too often has failed', async () => {
  await world.api.create(job('bad', 'exit 1', { backoffLimit: 1 }), 'test');
  await eventually('failure', () => conditionTypes('jobs.batch', 'bad').includes('Failed'));
  assert.deepEqual(conditionTypes('jobs.batch', 'bad'), ['FailureTarget', 'Failed']);
  assert.equal(getNumber(world.api.get('jobs.batch', 'default', 'bad'), 'status', 'failed'), 2);
});

test('an indexed job runs each index, and goes when its time is over', async () => {
  const spec = { completions: 2, parallelism: 2, completionMode: 'Indexed', ttlSecondsAfterFinished: 1 };
  await world.api.create(job('parts', 'echo $JOB_COMPLETION_INDEX', spec), 'test');
  await eventually('completion', () => conditionTypes('jobs.batch', 'parts').includes('Complete'));
  assert.equal(getString(world.api.get('jobs.batch', 'default', 'parts'), 'status', 'completedIndexes'), '0,1');
  await eventually(
    'job and pods to go',
    () => !world.api.get('jobs.batch', 'default', 'parts') && podsOf('parts').length === 0,
  );
});

test('a stateful set comes up in order, with claims, and goes down in reverse', async () => {
  const { api } = world;
  const claim = {
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  };
  const container = {
    ...sh('echo $HOSTNAME > kept/name; sleep 60'),
    volumeMounts: [{ name: 'data', mountPath: '/data/kept' }],
  };
  const template = {
    metadata: { labels: { app: 'db' } },
    spec: { containers: [container], terminationGracePeriodSeconds: 1 },
  };
  const set = workload('StatefulSet', 'db', {
    template,
    replicas: 2,
    serviceName: 'db',
    volumeClaimTemplates: [claim],
  });
  const order: string[] = [];
  const stop = api.onChange('pods', ({ object: pod, type }) => {
    if (type === 'ADDED' && pod.metadata.labels?.['app'] === 'db') order.push(pod.metadata.name);
  });
  await api.create(set, 'test');
  await eventually('both ready', () => podsOf('db').filter(isPodReady).length === 2);
  stop();
  assert.deepEqual(order, ['db-0', 'db-1']);
  const bound = api.get('persistentvolumeclaims', 'default', 'data-db-0');
  assert.equal(getString(bound, 'status', 'phase'), 'Bound');
  const file = join(world.dir, 'volumes', getString(bound, 'spec', 'volumeName') ?? '', 'name');
  await eventually('what the pod wrote', async () => (await readFile(file, 'utf8').catch(() => '')) === 'db-0\n');
  await eventually('status', () => {
    const status = api.get('statefulsets.apps', 'default', 'db')?.['status'];
    return (
      getNumber(status, 'readyReplicas') === 2 &&
      getString(status, 'currentRevision') === getString(status, 'updateRevision')
    );
  });
  await api.mergePatch('statefulsets.apps', 'default', 'db', { spec: { replicas: 1 } }, { manager: 'test' });
  await eventually('one', () => podsOf('db').length === 1 && podsOf('db')[0]?.metadata.name === 'db-0');
  await api.delete('statefulsets.apps', 'default', 'db', { propagationPolicy: 'Foreground' });
  await eventually('none', () => podsOf('db').length === 0 && !api.get('statefulsets.apps', 'default', 'db'));
  await api.delete('persistentvolumeclaims', 'default', 'data-db-1');
  await eventually('its volume to go', () => api.list('persistentvolumes').length === 1);
});

test('a daemon set has one pod per node and replaces it when its template changes', async () => {
  const { api } = world;
  await api.create(workload('DaemonSet', 'agent', {}), 'test');
  await eventually(
    'available',
    () => getNumber(api.get('daemonsets.apps', 'default', 'agent'), 'status', 'numberAvailable') === 1,
  );
  const [before] = podsOf('agent');
  const current = api.get('daemonsets.apps', 'default', 'agent');
  assert.ok(current);
  await api.update({ ...workload('DaemonSet', 'agent', {}, 'sleep 61'), metadata: current.metadata }, 'test');
  await eventually('another pod', () => {
    const [now] = podsOf('agent').filter(isPodReady);
    return now !== undefined && now.metadata.uid !== before?.metadata.uid;
  });
  assert.equal(
    api
      .list('controllerrevisions.apps', { namespace: 'default' })
      .filter((one) => one.metadata.name.startsWith('agent-')).length,
    2,
  );
  await api.delete('daemonsets.apps', 'default', 'agent');
  await eventually('none', () => podsOf('agent').length === 0);
});

test('a pod for another node waits, and says why', async () => {
  const { api } = world;
  const spec = { containers: [sh('sleep 60')], nodeSelector: { disk: 'fast' } };
  await api.create(object('Pod', 'v1', 'picky', { spec }), 'test');
  const event = await eventually('the event', () =>
    api
      .list('events', { namespace: 'default' })
      .find(
        (one) =>
          getString(one, 'reason') === 'FailedScheduling' && getString(one, 'involvedObject', 'name') === 'picky',
      ),
  );
  assert.match(
    getString(event, 'message') ?? '',
    /^0\/1 nodes are available: 1 node\(s\) didn't match Pod's node affinity/,
  );
  assert.equal(getString(api.get('pods', 'default', 'picky'), 'status', 'phase'), 'Pending');
  await api.mergePatch('nodes', undefined, 'drydock', { metadata: { labels: { disk: 'fast' } } }, { manager: 'test' });
  await eventually(
    'it to be placed',
    () => getString(api.get('pods', 'default', 'picky'), 'spec', 'nodeName') === 'drydock',
  );
});

test('load balancers and ingresses are told the loopback address', async () => {
  const { api } = world;
  const ports = [{ port: 80 }];
  await api.create(
    object('Service', 'v1', 'lb', { spec: { type: 'LoadBalancer', selector: { app: 'lb' }, ports } }),
    'test',
  );
  await eventually(
    'the address',
    () => getString(api.get('services', 'default', 'lb'), 'status', 'loadBalancer', 'ingress', 0, 'ip') === '127.0.0.1',
  );
});

test('background, orphan and foreground deletion', async () => {
  const { api } = world;
  const owner = async (name: string): Promise<ApiObject> => {
    const made = await api.create(object('ConfigMap', 'v1', name, {}), 'test');
    const reference = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name,
      uid: made.metadata.uid ?? '',
      blockOwnerDeletion: true,
    };
    const child = object('ConfigMap', 'v1', `${name}-child`, {});
    await api.create({ ...child, metadata: { ...child.metadata, ownerReferences: [reference] } }, 'test');
    return made;
  };
  const child = (name: string): ApiObject | undefined => api.get('configmaps', 'default', `${name}-child`);
  await owner('bg');
  await api.delete('configmaps', 'default', 'bg', { propagationPolicy: 'Background' });
  await eventually('the child to go', () => child('bg') === undefined);
  await owner('orph');
  await api.delete('configmaps', 'default', 'orph', { propagationPolicy: 'Orphan' });
  await eventually('the owner to go', () => api.get('configmaps', 'default', 'orph') === undefined);
  assert.equal(child('orph')?.metadata.ownerReferences, undefined);
  await owner('fg');
  await api.mergePatch(
    'configmaps',
    'default',
    'fg-child',
    { metadata: { finalizers: ['x.io/hold'] } },
    { manager: 'test' },
  );
  await api.delete('configmaps', 'default', 'fg', { propagationPolicy: 'Foreground' });
  await eventually('the child to be deleted first', () => child('fg')?.metadata.deletionTimestamp !== undefined);
  await delay(30);
  assert.deepEqual(api.get('configmaps', 'default', 'fg')?.metadata.finalizers, ['foregroundDeletion']);
  await api.mergePatch('configmaps', 'default', 'fg-child', { metadata: { finalizers: null } }, { manager: 'test' });
  await eventually('both to go', () => !child('fg') && !api.get('configmaps', 'default', 'fg'));
});

test('a deleted namespace is emptied and goes', async () => {
  const { api } = world;
  await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } }, 'test');
  const made = workload('Deployment', 'web', { replicas: 2 });
  await api.create({ ...made, metadata: { name: 'web', namespace: 'team' } }, 'test');
  await api.create(object('Secret', 'v1', 's', {}, 'team'), 'test');
  await eventually('pods', () => podsOf('web', 'team').filter(isPodReady).length === 2);
  await api.delete('namespaces', undefined, 'team');
  await eventually('the namespace to go', () => api.get('namespaces', undefined, 'team') === undefined);
  assert.deepEqual(
    api.resources().flatMap((served) => (served.namespaced ? api.list(served.resource, { namespace: 'team' }) : [])),
    [],
  );
});

test('when all is done, nothing is written any more', async () => {
  const { api } = world;
  const writes: string[] = [];
  await delay(300);
  const stop = api.onChange('*', ({ object: changed }) => {
    if (changed.kind !== 'Lease' && changed.kind !== 'Event') writes.push(`${changed.kind} ${changed.metadata.name}`);
  });
  for (const resource of ['deployments.apps', 'pods', 'services', 'jobs.batch'])
    for (const found of api.list(resource, { namespace: 'default' }))
      await api.mergePatch(
        resource,
        'default',
        found.metadata.name,
        { metadata: { labels: { touched: 'yes' } } },
        { manager: 'test' },
      );
  const touched = writes.length;
  await delay(200);
  stop();
  const again = writes
    .slice(touched)
    .filter((name) => !name.startsWith('EndpointSlice') && !name.startsWith('Endpoints'));
  assert.deepEqual(again, []);
});
