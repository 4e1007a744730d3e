import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { configMap, configMaps, type TestCluster, testCluster } from '../api-fixture.test.ts';
import { ApiError } from '../port.ts';

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ships.sea.example}
spec:
  group: sea.example
  scope: Namespaced
  names: {kind: Ship, plural: ships, shortNames: [sh], categories: [all]}
  versions:
    - name: v1
      served: true
      storage: true
      additionalPrinterColumns:
        - {name: Port, type: string, jsonPath: .spec.port}
        - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
      subresources:
        scale: {specReplicasPath: .spec.boats, statusReplicasPath: .status.boats}
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [port]
              properties:
                port: {type: string}
                boats: {type: integer, default: 2, maximum: 5}
            status: {type: object, x-kubernetes-preserve-unknown-fields: true}
`;

const web = (replicas: number, image = 'x:1'): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: ${image}
          resources: {requests: {cpu: 0.5, memory: 1024Mi}}
          ports: [{containerPort: 8080}]
`;

let cluster: TestCluster;
before(async () => {
  cluster = await testCluster({
    logs: {
      async *read(pod, { container, tailLines }) {
        if (container === 'silent') throw new ApiError(400, 'BadRequest', 'container "silent" is waiting to start');
        yield `${pod.metadata.name}/${container} one\n`;
        if (tailLines === undefined) yield 'two\n';
      },
    },
  });
});
after(() => cluster[Symbol.asyncDispose]());

async function run(...args: string[]): Promise<string> {
  const { code, out, err } = await cluster.kubectl(...args);
  assert.equal(code, 0, `kubectl ${args.join(' ')}: ${err}`);
  return out;
}

async function apply(input: string, ...flags: string[]): Promise<string> {
  const { code, out, err } = await cluster.kubectlIn(input, 'apply', '-f', '-', ...flags);
  assert.equal(code, 0, err);
  return out;
}

test('typed commands, whose bodies are protobuf', async () => {
  assert.equal(await run('create', 'namespace', 'pb'), 'namespace/pb created\n');
  assert.equal(await run('create', 'configmap', 'c', '-n', 'pb', '--from-literal=a=b'), 'configmap/c created\n');
  assert.equal(await run('get', 'configmap', 'c', '-n', 'pb', '-o', 'jsonpath={.data.a}'), 'b');
  await run('create', 'secret', 'generic', 's', '-n', 'pb', '--from-literal=k=v');
  assert.equal(await run('get', 'secret', 's', '-n', 'pb', '-o', 'jsonpath={.data.k} {.type}'), 'dg== Opaque');
  assert.equal(await run('auth', 'can-i', 'delete', 'pods'), 'yes\n');
  assert.match(await run('auth', 'whoami'), /kubernetes-admin/);
});

test('client-side apply, diff, and a second apply that changes nothing', async () => {
  assert.equal(await apply(web(2)), 'deployment.apps/web created\n');
  const version = await run('get', 'deployment', 'web', '-o', 'jsonpath={.metadata.resourceVersion}');
  await apply(web(2));
  assert.equal(await run('get', 'deployment', 'web', '-o', 'jsonpath={.metadata.resourceVersion}'), version);
  const stored = '{.spec.template.spec.containers[0].resources.requests}';
  assert.equal(await run('get', 'deployment', 'web', '-o', `jsonpath=${stored}`), '{"cpu":"500m","memory":"1Gi"}');
  const same = await cluster.kubectlIn(web(2), 'diff', '-f', '-');
  assert.deepEqual([same.code, same.out], [0, ''], same.err);
  const other = await cluster.kubectlIn(web(3), 'diff', '-f', '-');
  assert.equal(other.code, 1, other.err);
  assert.match(other.out, /- {2}replicas: 2\n\+ {2}replicas: 3/);
  assert.equal(await apply(web(3)), 'deployment.apps/web configured\n');
});

/** With amounts as they are stored: other spellings of the same amount conflict between managers, upstream too. */
const canonical = (replicas: number): string => web(replicas).replace('0.5', '500m').replace('1024Mi', '1Gi');

test('server-side apply: conflict, force, and ownership', async () => {
  const one = await apply(canonical(3), '--server-side', '--field-manager=one', '--force-conflicts');
  assert.equal(one, 'deployment.apps/web serverside-applied\n');
  const refused = await cluster.kubectlIn(canonical(4), 'apply', '--server-side', '--field-manager=two', '-f', '-');
  assert.equal(refused.code, 1);
  assert.match(refused.err, /Apply failed with 1 conflict: conflict with "one": \.spec\.replicas/);
  await apply(canonical(4), '--server-side', '--field-manager=two', '--force-conflicts');
  assert.equal(await run('get', 'deployment', 'web', '-o', 'jsonpath={.spec.replicas}'), '4');
  const same = await cluster.kubectlIn(canonical(4), 'diff', '--server-side', '--field-manager=two', '-f', '-');
  assert.deepEqual([same.code, same.out], [0, ''], same.err);
});

test('scale, label, annotate, set image, patch, describe', async () => {
  await apply(web(1));
  assert.equal(await run('scale', 'deployment/web', '--replicas=5'), 'deployment.apps/web scaled\n');
  await run('label', 'deployment', 'web', 'team=a');
  await run('annotate', 'deployment', 'web', 'note=b');
  await run('set', 'image', 'deployment/web', 'web=x:2');
  await run('patch', 'deployment', 'web', '--type=json', '-p', '[{"op":"add","path":"/spec/paused","value":true}]');
  const described = await run('describe', 'deployment', 'web');
  for (const text of ['team=a', 'note: b', 'x:2', '5 desired']) assert.ok(described.includes(text), described);
});

test('tables of a custom resource and of built-in kinds', async () => {
  await apply(definition);
  await run('wait', '--for=condition=Established', 'crd/ships.sea.example', '--timeout=5s');
  const ship = 'apiVersion: sea.example/v1\nkind: Ship\nmetadata: {name: anna}\nspec: {port: Kiel}\n';
  assert.equal(await apply(ship), 'ship.sea.example/anna created\n');
  assert.match(await run('get', 'sh'), /^NAME +PORT +AGE\nanna +Kiel +\d+s\n$/);
  assert.equal(await run('get', 'ship', 'anna', '-o', 'jsonpath={.spec.boats}'), '2');
  assert.equal(await run('scale', 'ship/anna', '--replicas=4'), 'ship.sea.example/anna scaled\n');
  assert.match(await run('explain', 'ship.spec'), /boats\s+<integer>/);
  assert.equal(await apply(ship.replace('Kiel', 'Riga')), 'ship.sea.example/anna configured\n');
  await run('patch', 'ship', 'anna', '--type=merge', '-p', '{"status":{"boats":1}}');
  assert.match(await run('describe', 'ship', 'anna'), /Boats: +1/);
  const tooMany = await cluster.kubectl('scale', 'ship/anna', '--replicas=9');
  assert.match(tooMany.err, /spec\.boats in body should be less than or equal to 5/);
  const typo = await cluster.kubectlIn(ship.replace('port:', 'prot:'), 'apply', '-f', '-');
  assert.match(typo.err, /unknown field "spec\.prot"/);
  assert.match(await run('get', 'all'), /ship\.sea\.example\/anna/);
  await run('delete', 'crd', 'ships.sea.example', '--timeout=5s');
  const gone = await cluster.kubectl('get', 'ships');
  assert.match(gone.err, /the server (?:could not find the requested resource|doesn't have a resource type "ships")/);
});

test('get -w shows changes, wait and delete --wait see the end', async () => {
  await cluster.send('POST', configMaps, { body: configMap('held') });
  await cluster.send('PATCH', `${configMaps}/held`, {
    body: { metadata: { finalizers: ['x.io/f'] } },
    type: 'application/merge-patch+json',
  });
  const deleting = cluster.kubectl('delete', 'configmap', 'held', '--wait', '--timeout=10s');
  const waiting = cluster.kubectl('wait', '--for=delete', 'configmap/held', '--timeout=10s');
  const watching = cluster.kubectl('get', 'configmap', 'held', '-w', '--request-timeout=2s');
  const path = `${configMaps}/held`;
  for (let marked = false; !marked; )
    marked = JSON.stringify((await cluster.send('GET', path)).body).includes('deletionTimestamp');
  await new Promise((resolve) => setTimeout(resolve, 300));
  await cluster.send('PATCH', path, { body: { metadata: { finalizers: null } }, type: 'application/merge-patch+json' });
  assert.equal((await deleting).code, 0, (await deleting).err);
  assert.equal((await waiting).code, 0, (await waiting).err);
  assert.match((await watching).out, /^NAME +DATA +AGE\nheld/);
});

test('logs', async () => {
  const containers = [
    { name: 'main', image: 'x:1' },
    { name: 'silent', image: 'x:1' },
  ];
  await cluster.send('POST', '/api/v1/namespaces/default/pods', {
    body: { metadata: { name: 'talk' }, spec: { nodeName: 'n', containers } },
  });
  assert.equal(await run('logs', 'talk', '-c', 'main'), 'talk/main one\ntwo\n');
  assert.equal(await run('logs', 'talk', '-c', 'main', '--tail=1'), 'talk/main one\n');
  const waiting = await cluster.kubectl('logs', 'talk', '-c', 'silent');
  assert.match(waiting.err, /container "silent" is waiting to start/);
  const none = await cluster.kubectl('logs', 'talk', '-c', 'none');
  assert.match(none.err, /container none is not valid for pod talk/);
});

test('api-resources and explain', async () => {
  const resources = await run('api-resources', '--no-headers');
  for (const row of [/^pods +po +v1 +true +Pod$/m, /^deployments +deploy +apps\/v1 +true +Deployment$/m])
    assert.match(resources, row);
  assert.match(await run('explain', 'deployment.spec.replicas'), /FIELD: replicas <integer>/);
});
