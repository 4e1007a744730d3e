import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { getArray, getNumber, getString, type JsonObject } from '#base/json.ts';
import { eventually, startWorld, type World } from '../../../../test/node-world.ts';
import type { ApiObject } from '../api/port.ts';
import { isPodReady } from '../controllers/pod-state.ts';

let world: World;
before(async () => {
  world = await startWorld({ busybox: { files: { 'app/hello': 'image file' }, config: { WorkingDir: '/app' } } });
});
after(() => world[Symbol.asyncDispose]());

function pod(name: string, container: JsonObject, spec: JsonObject = {}): ApiObject {
  const containers = [{ name: 'c', image: 'busybox', ...container }];
  const metadata = { name, namespace: 'default', labels: { app: name } };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers, terminationGracePeriodSeconds: 1, ...spec } };
}

const sh = (script: string): JsonObject => ({ command: ['sh', '-c', script] });

function find(name: string): ApiObject {
  const found = world.api.get('pods', 'default', name);
  assert.ok(found, `pod ${name}`);
  return found;
}

function status(name: string): unknown {
  return getArray(find(name), 'status', 'containerStatuses')[0];
}

function reasons(name: string): string[] {
  return world.api
    .list('events', { namespace: 'default' })
    .filter((event) => getString(event, 'involvedObject', 'name') === name)
    .map((event) => getString(event, 'reason') ?? '');
}

async function logOf(name: string, options: { previous?: boolean; tailLines?: number } = {}): Promise<string> {
  const all = { container: 'c', follow: false, previous: false, timestamps: false, ...options };
  let text = '';
  for await (const chunk of world.agent.logs.read(find(name), all, AbortSignal.timeout(5000))) text += chunk;
  return text;
}

async function phaseOf(name: string, phase: string): Promise<void> {
  await eventually(`${name} to be ${phase}`, () => getString(find(name), 'status', 'phase') === phase);
}

test('a pod that ends well has succeeded, with its log', async () => {
  await world.api.create(pod('ok', sh('echo one; echo two >&2; printf three'), { restartPolicy: 'Never' }), 'test');
  await phaseOf('ok', 'Succeeded');
  assert.equal(getNumber(status('ok'), 'state', 'terminated', 'exitCode'), 0);
  assert.equal(getString(status('ok'), 'state', 'terminated', 'reason'), 'Completed');
  assert.deepEqual((await logOf('ok')).split('\n').filter(Boolean).sort(), ['one', 'three', 'two']);
  assert.equal((await logOf('ok', { tailLines: 1 })).split('\n').length, 2);
  assert.ok(reasons('ok').includes('Started'));
});

test('a pod that never ends well is in a crash loop, with the log of its last run', async () => {
  await world.api.create(pod('crash', sh('echo run $RANDOM; exit 3')), 'test');
  await eventually('two restarts', () => (getNumber(status('crash'), 'restartCount') ?? 0) >= 2);
  await eventually('back-off', () => getString(status('crash'), 'state', 'waiting', 'reason') === 'CrashLoopBackOff');
  assert.equal(getNumber(status('crash'), 'lastState', 'terminated', 'exitCode'), 3);
  assert.equal(getString(find('crash'), 'status', 'phase'), 'Running');
  assert.match(await logOf('crash', { previous: true }), /^run/);
  await eventually('the event', () => reasons('crash').includes('BackOff'));
  await world.api.delete('pods', 'default', 'crash');
});

const refusals: { name: string; container: JsonObject; reason: string; message: RegExp }[] = [
  {
    name: 'no-image',
    container: { image: 'nowhere/none:1' },
    reason: 'ErrImagePull',
    message: /nowhere\/none:1 not found/,
  },
  {
    name: 'no-config',
    container: { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'absent', key: 'a' } } }] },
    reason: 'CreateContainerConfigError',
    message: /configmap "absent" not found/,
  },
];
for (const { name, container, reason, message } of refusals)
  test(`${name}: waits with ${reason}`, async () => {
    await world.api.create(pod(name, { ...sh('sleep 60'), ...container }), 'test');
    await eventually(reason, () => getString(status(name), 'state', 'waiting', 'reason') === reason);
    assert.match(getString(status(name), 'state', 'waiting', 'message') ?? '', message);
    assert.equal(getString(find(name), 'status', 'phase'), 'Pending');
    await eventually('the event', () => reasons(name).includes('Failed'));
    await world.api.delete('pods', 'default', name);
  });

test('a program that is not in the image fails to start and says so', async () => {
  await world.api.create(pod('no-program', { command: ['nothing-like-it'] }, { restartPolicy: 'Never' }), 'test');
  await phaseOf('no-program', 'Failed');
  assert.equal(getString(status('no-program'), 'state', 'terminated', 'reason'), 'StartError');
  assert.equal(getNumber(status('no-program'), 'state', 'terminated', 'exitCode'), 128);
  assert.match(
    getString(status('no-program'), 'state', 'terminated', 'message') ?? '',
    /exec: "nothing-like-it": executable file not found in \$PATH/,
  );
});

test('variables and volumes come from the objects they name', async () => {
  const { api } = world;
  const meta = (name: string) => ({ name, namespace: 'default' });
  await api.create(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta('settings'), data: { color: 'red', 'a.txt': 'file a' } },
    'test',
  );
  const data = { key: btoa('hidden') };
  await api.create({ apiVersion: 'v1', kind: 'Secret', metadata: meta('keys'), data }, 'test');
  const container = {
    ...sh(
      'echo "$COLOR $KEY $NAME $BOTH $P_color"; cat config/a.txt; cat hello; echo; cat $CONFIG_FILE; touch scratch/x && ls scratch',
    ),
    envFrom: [{ prefix: 'P_', configMapRef: { name: 'settings' } }],
    env: [
      { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } },
      { name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'key' } } },
      { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'BOTH', value: '$(COLOR)-$(KEY)-$(NOT)-$$(COLOR)' },
      { name: 'CONFIG_FILE', value: '/app/config/a.txt' },
    ],
    volumeMounts: [
      { name: 'config', mountPath: '/app/config' },
      { name: 'scratch', mountPath: '/app/scratch' },
    ],
  };
  const volumes = [
    { name: 'config', configMap: { name: 'settings' } },
    { name: 'scratch', emptyDir: {} },
  ];
  await api.create(pod('sources', container, { restartPolicy: 'Never', volumes }), 'test');
  await phaseOf('sources', 'Succeeded');
  assert.equal(
    await logOf('sources'),
    'red hidden sources red-hidden-$(NOT)-$(COLOR) red\nfile aimage file\nfile ax\n',
  );
});

test('a running container sees its volume follow the object', async () => {
  const { api } = world;
  const metadata = { name: 'live', namespace: 'default' };
  await api.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: 'old\n' } }, 'test');
  const mounts = { volumeMounts: [{ name: 'v', mountPath: '/app/v' }] };
  const script = 'until grep -q new v/a; do sleep 0.05; done; cat v/a';
  const volumes = [{ name: 'v', configMap: { name: 'live' } }];
  await api.create(pod('follows', { ...sh(script), ...mounts }, { restartPolicy: 'Never', volumes }), 'test');
  await phaseOf('follows', 'Running');
  await api.mergePatch('configmaps', 'default', 'live', { data: { a: 'new\n' } }, { manager: 'test' });
  await phaseOf('follows', 'Succeeded');
  assert.equal(await logOf('follows'), 'new\n');
});

test('init containers run one after the other, before the others', async () => {
  const initContainers = [
    {
      name: 'first',
      image: 'busybox',
      ...sh('echo 1 > shared/a'),
      volumeMounts: [{ name: 's', mountPath: '/app/shared' }],
    },
    {
      name: 'second',
      image: 'busybox',
      ...sh('cat shared/a && echo 2 >> shared/a'),
      volumeMounts: [{ name: 's', mountPath: '/app/shared' }],
    },
  ];
  const main = { ...sh('cat shared/a'), volumeMounts: [{ name: 's', mountPath: '/app/shared' }] };
  const volumes = [{ name: 's', emptyDir: {} }];
  await world.api.create(pod('inits', main, { initContainers, volumes, restartPolicy: 'Never' }), 'test');
  await phaseOf('inits', 'Succeeded');
  assert.equal(await logOf('inits'), '1\n2\n');
  assert.deepEqual(
    getArray(find('inits'), 'status', 'initContainerStatuses').map((one) =>
      getString(one, 'state', 'terminated', 'reason'),
    ),
    ['Completed', 'Completed'],
  );
});

test('a failing readiness probe keeps a pod out, a failing liveness probe restarts it', async () => {
  const probe = (command: string, rest: JsonObject) => ({
    exec: { command: ['sh', '-c', command] },
    periodSeconds: 1,
    ...rest,
  });
  const container = {
    ...sh('sleep 60'),
    readinessProbe: probe('echo not yet; exit 1', {}),
    livenessProbe: probe('exit 1', { failureThreshold: 1, initialDelaySeconds: 1 }),
  };
  await world.api.create(pod('probed', container), 'test');
  await eventually('running', () => getString(status('probed'), 'state', 'running', 'startedAt') !== undefined);
  assert.equal(isPodReady(find('probed')), false);
  await eventually('a restart', () => (getNumber(status('probed'), 'restartCount') ?? 0) >= 1);
  await eventually(
    'the events',
    () => reasons('probed').includes('Unhealthy') && reasons('probed').includes('Killing'),
  );
  await world.api.delete('pods', 'default', 'probed');
});

test('a pod that ignores SIGTERM is gone when its grace is over', async () => {
  await world.api.create(pod('stubborn', sh("trap '' TERM; echo up; while true; do sleep 0.1; done")), 'test');
  await phaseOf('stubborn', 'Running');
  await eventually('the trap', async () => (await logOf('stubborn')).includes('up'));
  const began = Date.now();
  await world.api.delete('pods', 'default', 'stubborn');
  assert.ok(find('stubborn').metadata.deletionTimestamp);
  await eventually('the object to go', () => world.api.get('pods', 'default', 'stubborn') === undefined);
  assert.ok(Date.now() - began >= 900);
});

test('a settled pod is not written again', async () => {
  await world.api.create(pod('quiet', sh('sleep 60')), 'test');
  await eventually('ready', () => isPodReady(find('quiet')));
  const before = find('quiet').metadata.resourceVersion;
  const touched = await world.api.mergePatch(
    'pods',
    'default',
    'quiet',
    { metadata: { labels: { t: '1' } } },
    { manager: 'test' },
  );
  assert.notEqual(touched.metadata.resourceVersion, before);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(find('quiet').metadata.resourceVersion, touched.metadata.resourceVersion);
});

test('after a restart of the agent pods run again, once, with one more restart', async () => {
  await world.api.create(pod('again', sh('echo started; sleep 60')), 'test');
  await eventually('ready', () => isPodReady(find('again')));
  const id = getString(status('again'), 'containerID');
  await world.restartAgent();
  await eventually('another container', () => {
    const now = getString(status('again'), 'containerID');
    return now !== id && isPodReady(find('again'));
  });
  assert.equal(getNumber(status('again'), 'restartCount'), 1);
  assert.equal(getNumber(status('again'), 'lastState', 'terminated', 'exitCode'), 137);
  assert.equal(getString(find('ok'), 'status', 'phase'), 'Succeeded');
  assert.equal(getNumber(status('ok'), 'restartCount'), 0);
});
