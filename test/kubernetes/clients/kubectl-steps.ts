import assert from 'node:assert/strict';
import type { Step } from './client.ts';

function app(replicas: number, cpu = '500m'): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: example.com/web:1
        ports: [{containerPort: 8080}]
        resources: {limits: {cpu: ${cpu}, memory: 64Mi}}
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
`;
}

function configMap(name: string, value: string, labels = ''): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${labels}data:\n  key: "${value}"\n`;
}

const lines = (text: string): string[] => text.trim().split('\n');

const reading: Step[] = [
  {
    name: 'create namespace',
    run: async (c) => {
      assert.equal(await c.ok(['create', 'namespace', c.namespace]), `namespace/${c.namespace} created\n`);
    },
  },
  {
    name: 'version, cluster-info, api-versions',
    run: async (c) => {
      assert.match(await c.ok(['version']), /Server Version: v1\./);
      assert.match(await c.ok(['cluster-info']), /control plane.* is running at/);
      assert.ok(lines(await c.ok(['api-versions'])).includes('apps/v1'));
    },
  },
  {
    name: 'api-resources',
    run: async (c) => {
      const shown = await c.ok(['api-resources']);
      assert.match(shown, /^deployments +deploy +apps\/v1 +true +Deployment$/m);
      assert.match(await c.ok(['api-resources', '--namespaced=false', '-o', 'name']), /^nodes$/m);
    },
  },
  {
    name: 'explain',
    run: async (c) => {
      assert.match(await c.ok(['explain', 'deployment.spec.replicas']), /FIELD: replicas <integer>/);
      assert.match(await c.ok(['explain', 'pod', '--recursive']), /terminationGracePeriodSeconds/);
    },
  },
  {
    name: 'get --raw',
    run: async (c) => assert.equal(await c.ok(['get', '--raw', '/readyz']), 'ok'),
  },
];

const applying: Step[] = [
  {
    name: 'apply',
    run: async (c) => {
      assert.equal(await c.ok(['apply', '-f', '-'], app(2)), 'deployment.apps/web created\nservice/web created\n');
    },
  },
  {
    name: 'apply again',
    run: async (c) => {
      assert.equal(await c.ok(['apply', '-f', '-'], app(2)), 'deployment.apps/web unchanged\nservice/web unchanged\n');
      // Another way to write the same quantity is sent each time; only its annotation is new, and only once.
      for (const cpu of ['0.5', '0.5']) await c.ok(['apply', '-f', '-'], app(2, cpu));
      assert.equal(await c.ok(['get', 'deploy', 'web', '-o', 'jsonpath={.metadata.generation}']), '2');
      await c.ok(['apply', '-f', '-'], app(2));
    },
  },
  {
    name: 'diff',
    run: async (c) => {
      await c.ok(['diff', '-f', '-'], app(2));
      const { code, out } = await c.run(['diff', '-f', '-'], app(3));
      assert.equal(code, 1);
      assert.match(out, /^- {2}replicas: 2\n\+ {2}replicas: 3$/m);
    },
  },
  {
    name: 'apply --dry-run=server',
    run: async (c) => {
      assert.match(
        await c.ok(['apply', '--dry-run=server', '-f', '-'], app(4)),
        /deployment.apps\/web configured \(server dry run\)/,
      );
      assert.equal(await c.ok(['get', 'deploy', 'web', '-o', 'jsonpath={.spec.replicas}']), '2');
    },
  },
  {
    name: 'apply of a mistake',
    run: async (c) => {
      const text = await c.fails(['apply', '-f', '-'], app(2).replace('replicas: 2', 'replica: 2'));
      assert.match(text, /strict decoding error: unknown field "spec\.replica"|unknown field "replica"/);
    },
  },
  {
    name: 'apply --server-side',
    run: async (c) => {
      const one = ['apply', '--server-side', '--field-manager=one', '-f', '-'];
      assert.match(await c.ok(one, configMap('shared', '1')), /serverside-applied/);
      const two = ['apply', '--server-side', '--field-manager=two', '-f', '-'];
      assert.match(await c.fails(two, configMap('shared', '2')), /conflict with "one": \.data\.key/);
      await c.ok([...two, '--force-conflicts'], configMap('shared', '2'));
      assert.equal(await c.ok(['get', 'cm', 'shared', '-o', 'jsonpath={.data.key}']), '2');
    },
  },
  {
    name: 'from client-side to server-side apply',
    run: async (c) => {
      await c.ok(['apply', '-f', '-'], configMap('moved', '1'));
      await c.ok(['apply', '--server-side', '-f', '-'], configMap('moved', '2'));
      assert.equal(await c.ok(['get', 'cm', 'moved', '-o', 'jsonpath={.data.key}']), '2');
    },
  },
  {
    name: 'apply -k',
    run: async (c) => {
      c.file('base/map.yaml', configMap('based', '1'));
      const path = c.file('base/kustomization.yaml', 'namePrefix: k-\nresources: [map.yaml]\n');
      assert.match(await c.ok(['apply', '-k', path.slice(0, path.lastIndexOf('/'))]), /configmap\/k-based created/);
    },
  },
  {
    name: 'apply --prune',
    run: async (c) => {
      const labelled = (name: string) => configMap(name, '1', '  labels: {set: pruned}\n');
      const prune = ['apply', '--prune', '-l', 'set=pruned', '--prune-allowlist=core/v1/ConfigMap', '-f', '-'];
      await c.ok(['apply', '-f', '-'], `${labelled('stays')}---\n${labelled('goes')}`);
      assert.match(await c.ok(prune, labelled('stays')), /configmap\/goes pruned/);
      assert.match(await c.fails(['get', 'cm', 'goes']), /configmaps "goes" not found/);
    },
  },
];

const watching: Step[] = [
  {
    name: 'wait',
    run: async (c) => {
      await c.ok(['wait', '--for=condition=Available', 'deploy/web', '--timeout=30s']);
      await c.ok(['wait', '--for=jsonpath={.status.phase}=Running', 'pod', '-l', 'app=web', '--timeout=30s']);
      assert.match(await c.fails(['wait', '--for=condition=Never', 'deploy/web', '--timeout=1s']), /timed out waiting/);
    },
  },
  {
    name: 'get as table, wide, name, json, yaml, columns',
    run: async (c) => {
      assert.match(await c.ok(['get', 'deploy']), /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +2\/2 +2 +2 /);
      assert.match(await c.ok(['get', 'pods', '-o', 'wide']), /NOMINATED NODE +READINESS GATES/);
      assert.match(await c.ok(['get', 'deploy,svc', '-o', 'name']), /^deployment.apps\/web\nservice\/web$/m);
      assert.match(await c.ok(['get', 'deploy', 'web', '-o', 'json']), /"availableReplicas": 2/);
      assert.match(await c.ok(['get', 'deploy', 'web', '-o', 'yaml']), /cpu: 500m/);
      assert.equal(
        await c.ok(['get', 'svc', 'web', '-o', 'custom-columns=P:.spec.ports[0].port', '--no-headers']),
        '80\n',
      );
      assert.match(await c.ok(['get', 'all']), /replicaset.apps\/web-/);
      assert.equal(lines(await c.ok(['get', 'pods', '--sort-by=.metadata.name', '--chunk-size=1'])).length, 3);
    },
  },
  {
    name: 'get -w',
    run: async (c) => {
      const { out } = await c.run(['get', 'deploy', 'web', '-w', '--request-timeout=2s']);
      assert.match(out, /^NAME +READY.*\nweb +2\/2/);
    },
  },
  {
    name: 'describe',
    run: async (c) => {
      assert.match(
        await c.ok(['describe', 'deploy', 'web']),
        /NewReplicaSet: +web-[a-z0-9]+ \(2\/2 replicas created\)/,
      );
      assert.match(await c.ok(['describe', 'pods', '-l', 'app=web']), /Controlled By: +ReplicaSet\/web-/);
      assert.match(await c.ok(['describe', 'svc', 'web']), /Endpoints: +\d/);
    },
  },
  {
    name: 'events',
    run: async (c) => {
      assert.match(await c.ok(['events', '--for', 'deploy/web']), /ScalingReplicaSet/);
      assert.match(await c.ok(['get', 'events']), /SuccessfulCreate/);
    },
  },
  {
    name: 'logs',
    run: async (c) => {
      await c.ok(['logs', 'deploy/web']);
      await c.ok(['logs', '-l', 'app=web', '--tail=1', '--prefix']);
    },
  },
  {
    name: 'rollout',
    run: async (c) => {
      await c.ok(['set', 'image', 'deploy/web', 'main=example.com/web:2']);
      assert.match(await c.ok(['rollout', 'status', 'deploy/web', '--timeout=30s']), /successfully rolled out/);
      assert.match(await c.ok(['rollout', 'history', 'deploy/web']), /^2 /m);
      await c.ok(['rollout', 'undo', 'deploy/web']);
      await c.ok(['rollout', 'status', 'deploy/web', '--timeout=30s']);
      assert.match(await c.ok(['get', 'deploy', 'web', '-o', 'wide']), /web:1/);
      await c.ok(['rollout', 'restart', 'deploy/web']);
      await c.ok(['rollout', 'status', 'deploy/web', '--timeout=30s']);
      await c.ok(['rollout', 'pause', 'deploy/web']);
      await c.ok(['rollout', 'resume', 'deploy/web']);
    },
  },
  {
    name: 'scale',
    run: async (c) => {
      assert.match(await c.ok(['scale', 'deploy/web', '--replicas=3', '--current-replicas=2']), /scaled/);
      await c.ok(['rollout', 'status', 'deploy/web', '--timeout=30s']);
      assert.match(
        await c.fails(['scale', 'deploy/web', '--replicas=1', '--current-replicas=9']),
        /Expected replicas to be 9, was 3/,
      );
    },
  },
];

const changing: Step[] = [
  {
    name: 'label, annotate',
    run: async (c) => {
      await c.ok(['label', 'deploy/web', 'tier=front']);
      assert.match(await c.fails(['label', 'deploy/web', 'tier=back']), /already has a value/);
      await c.ok(['annotate', 'deploy/web', 'note=x', '--overwrite']);
      await c.ok(['label', 'deploy/web', 'tier-']);
    },
  },
  {
    name: 'patch',
    run: async (c) => {
      await c.ok(['patch', 'cm', 'shared', '-p', '{"data":{"a":"1"}}']);
      await c.ok(['patch', 'cm', 'shared', '--type=merge', '-p', '{"data":{"b":"2"}}']);
      await c.ok(['patch', 'cm', 'shared', '--type=json', '-p', '[{"op":"remove","path":"/data/a"}]']);
      assert.equal(await c.ok(['get', 'cm', 'shared', '-o', 'jsonpath={.data.a}{.data.b}']), '2');
      await c.ok(['patch', 'deploy', 'web', '--subresource=status', '--type=merge', '-p', '{}']);
    },
  },
  {
    name: 'replace, edit',
    run: async (c) => {
      await c.ok(['replace', '-f', '-'], configMap('shared', 'replaced'));
      await c.ok(['edit', 'cm', 'shared']);
      assert.equal(await c.ok(['get', 'cm', 'shared', '-o', 'jsonpath={.data.key}']), 'edited');
      await c.ok(['replace', '--force', '-f', '-'], configMap('shared', 'forced'));
    },
  },
  {
    name: 'set',
    run: async (c) => {
      await c.ok(['set', 'env', 'deploy/web', 'A=1']);
      await c.ok(['set', 'resources', 'deploy/web', '--limits=cpu=1']);
      await c.ok(['set', 'selector', 'svc/web', 'app=web']);
    },
  },
  {
    name: 'create',
    run: async (c) => {
      for (const args of [
        ['configmap', 'made', '--from-literal=a=1'],
        ['secret', 'generic', 'made', '--from-literal=a=1'],
        ['serviceaccount', 'made'],
        ['role', 'made', '--verb=get', '--resource=pods'],
        ['rolebinding', 'made', '--role=made', '--user=someone'],
        ['deployment', 'made', '--image=example.com/made:1'],
        ['service', 'clusterip', 'made', '--tcp=80'],
        ['ingress', 'made', '--class=suite', '--rule=made.example.com/*=made:80'],
        ['job', 'made', '--image=example.com/made:1'],
        ['cronjob', 'made', '--image=example.com/made:1', '--schedule=0 0 1 1 *'],
        ['poddisruptionbudget', 'made', '--selector=app=made', '--min-available=1'],
        ['quota', 'made', '--hard=pods=9'],
      ])
        assert.match(await c.ok(['create', ...args]), /created/, args.join(' '));
      await c.ok(['create', 'job', 'from-cron', '--from=cronjob/made']);
      assert.match(await c.fails(['create', 'configmap', 'made']), /configmaps "made" already exists/);
    },
  },
  {
    name: 'run, expose, autoscale',
    run: async (c) => {
      await c.ok(['run', 'alone', '--image=example.com/alone:1', '--port=80']);
      await c.ok(['expose', 'pod', 'alone', '--port=80']);
      await c.ok(['autoscale', 'deploy', 'made', '--min=1', '--max=2', '--cpu-percent=80']);
    },
  },
];

const rights: Step[] = [
  {
    name: 'auth',
    run: async (c) => {
      assert.equal(await c.ok(['auth', 'can-i', 'create', 'pods']), 'yes\n');
      assert.match((await c.run(['auth', 'can-i', 'create', 'pods', '--as=someone'])).out, /^no/);
      assert.match(await c.ok(['auth', 'can-i', '--list']), /^\*\.\* +\[\] +\[\] +\[\*\]$/m);
      assert.match(await c.ok(['auth', 'whoami']), /^Username/m);
      assert.match(await c.fails(['get', 'secrets', '--as=someone']), /User "someone" cannot list resource "secrets"/);
      assert.match(await c.ok(['get', 'pod', 'alone', '--as=someone']), /alone/);
    },
  },
  {
    name: 'auth reconcile',
    run: async (c) => {
      const role = `apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: made, namespace: ${c.namespace}}\nrules:\n- {apiGroups: [""], resources: [services], verbs: [list]}\n`;
      assert.match(
        await c.ok(['auth', 'reconcile', '-f', '-'], role),
        /role.rbac.authorization.k8s.io\/made reconciled/,
      );
    },
  },
  {
    name: 'what is left out fails plainly: exec, port-forward, create token',
    run: async (c) => {
      await c.ok(['wait', '--for=condition=Ready', 'pod/alone', '--timeout=30s']);
      assert.match(await c.fails(['exec', 'alone', '--', 'ls']), /not implemented|NotImplemented/);
      assert.match(await c.fails(['create', 'token', 'made']), /not implemented|NotImplemented/);
    },
  },
  {
    name: 'nodes: get, describe, cordon, taint',
    run: async (c) => {
      const [node = ''] = lines(await c.ok(['get', 'nodes', '-o', 'jsonpath={.items[*].metadata.name}']))
        .join(' ')
        .split(' ');
      assert.match(await c.ok(['get', 'nodes', '-o', 'wide']), /INTERNAL-IP/);
      await c.ok(['describe', 'node', node]);
      await c.ok(['cordon', node]);
      assert.match(await c.ok(['get', 'nodes']), /SchedulingDisabled/);
      await c.ok(['uncordon', node]);
      await c.ok(['taint', 'node', node, 'suite=1:PreferNoSchedule']);
      await c.ok(['taint', 'node', node, 'suite-']);
    },
  },
];

const deleting: Step[] = [
  {
    name: 'delete --cascade=orphan',
    run: async (c) => {
      await c.ok(['delete', 'deploy', 'made', '--cascade=orphan']);
      assert.match(await c.ok(['get', 'rs', '-l', 'app=made', '-o', 'name']), /replicaset.apps\/made-/);
      await c.ok(['delete', 'rs', '-l', 'app=made']);
    },
  },
  {
    name: 'delete in foreground and background',
    run: async (c) => {
      await c.ok(['delete', 'deploy', 'web', '--cascade=foreground', '--timeout=50s']);
      assert.equal(await c.ok(['get', 'rs', '-l', 'app=web', '-o', 'name']), '');
      await c.ok(['delete', 'pod', 'alone', '--now']);
      await c.ok(['delete', 'svc,cm', '--all']);
      assert.match(
        await c.ok(['delete', 'job', 'made', 'nothing', '--ignore-not-found']),
        /job.batch "made".* deleted/,
      );
    },
  },
  {
    name: 'delete namespace',
    run: async (c) => {
      await c.ok(['delete', 'namespace', c.namespace, '--timeout=50s']);
      assert.match(await c.fails(['get', 'namespace', c.namespace]), /not found/);
    },
  },
];

export const kubectlSteps: readonly Step[] = [
  ...reading,
  ...applying,
  ...watching,
  ...changing,
  ...rights,
  ...deleting,
];
