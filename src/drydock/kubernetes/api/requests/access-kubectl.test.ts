import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type TestCluster, testCluster } from '../api-fixture.test.ts';
import type { KubeconfigSubject } from '../credential/kubeconfig.ts';

let cluster: TestCluster;
let home: string;
before(async () => {
  cluster = await testCluster();
  home = mkdtempSync(join(tmpdir(), 'drydock-access-'));
});
after(async () => {
  await cluster[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

type Ran = { code: number; out: string; err: string };

function kubectlOf(subject: KubeconfigSubject): (...args: string[]) => Promise<Ran> {
  const path = join(home, `${subject.user.replaceAll(':', '-')}.kubeconfig`);
  writeFileSync(path, cluster.server.kubeconfigFor(subject), { mode: 0o600 });
  return (...args) => cluster.kubectl('--kubeconfig', path, ...args);
}

async function succeed(ran: Promise<Ran>): Promise<string> {
  const { code, out, err } = await ran;
  assert.equal(code, 0, err);
  return out;
}

async function fail(ran: Promise<Ran>, text: RegExp): Promise<void> {
  const { code, out, err } = await ran;
  assert.notEqual(code, 0, out);
  assert.match(err, text);
}

/** The rights of a deployer that may write the workloads of one namespace and nothing else, as GitOps tools ask for. */
const deployer = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: deployer, namespace: gitops}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: deployer, namespace: shop}
rules:
  - {apiGroups: [apps], resources: [deployments], verbs: [get, list, watch, create, patch, delete]}
  - {apiGroups: [""], resources: [configmaps], verbs: [get, create, patch], resourceNames: [settings]}
  - {apiGroups: [""], resources: [configmaps], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: deployer, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: deployer}
subjects:
  - {kind: ServiceAccount, name: deployer, namespace: gitops}
`;

function configMapYaml(name: string): string {
  return `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}, namespace: shop}, data: {a: b}}`;
}

test('a least-privilege account deploys to its namespace and nowhere else', async () => {
  await succeed(cluster.kubectl('create', 'namespace', 'gitops'));
  await succeed(cluster.kubectl('create', 'namespace', 'shop'));
  const user = 'system:serviceaccount:gitops:deployer';
  await succeed(cluster.kubectlIn(deployer, 'apply', '-f', '-'));
  const kubectl = kubectlOf({ user, namespace: 'shop' });
  const applied = (name: string, ...flags: string[]): Promise<Ran> => {
    const path = join(home, 'manifest.yaml');
    writeFileSync(path, configMapYaml(name));
    return kubectl('apply', '-f', path, ...flags);
  };
  assert.match(await succeed(kubectl('auth', 'whoami')), /system:serviceaccounts:gitops/);
  await succeed(kubectl('create', 'deployment', 'web', '--image=x:1'));
  await succeed(kubectl('set', 'image', 'deployment/web', 'x=x:2'));
  assert.match(await succeed(kubectl('get', 'deployments')), /web/);
  await succeed(applied('settings', '--server-side'));
  await succeed(applied('settings', '--server-side', '--dry-run=server'));
  await fail(
    applied('other', '--server-side'),
    /configmaps "other" is forbidden: User "system:serviceaccount:gitops:deployer" cannot patch/,
  );
  await fail(kubectl('get', 'configmaps'), /cannot list resource "configmaps" in API group "" in the namespace "shop"/);
  await fail(kubectl('get', 'deployments', '-n', 'default'), /in the namespace "default"/);
  await fail(
    kubectl('scale', 'deployment/web', '--replicas=2'),
    /cannot patch resource "deployments\/scale" in API group "apps"/,
  );
  await succeed(kubectl('delete', 'deployment', 'web', '--wait=false'));
});

test('what an account may is listed and asked by kubectl auth', async () => {
  const kubectl = kubectlOf({ user: 'ana', groups: ['auditors'], namespace: 'default' });
  await succeed(
    cluster.kubectl('create', 'clusterrole', 'audit', '--verb=get,list', '--resource=pods,events.events.k8s.io'),
  );
  await succeed(cluster.kubectl('create', 'clusterrolebinding', 'audit', '--clusterrole=audit', '--group=auditors'));
  const listed = await succeed(kubectl('auth', 'can-i', '--list'));
  const own = listed.split('\n').filter((line) => /^(pods|events)/.test(line));
  assert.deepEqual(
    own.map((line) => line.split(/ {2,}/)),
    [
      ['pods', '[]', '[]', '[get list]'],
      ['events.events.k8s.io', '[]', '[]', '[get list]'],
    ],
  );
  assert.equal(await succeed(kubectl('auth', 'can-i', 'list', 'pods', '-A')), 'yes\n');
  const no = await kubectl('auth', 'can-i', 'delete', 'pods');
  assert.deepEqual([no.code, no.out], [1, 'no\n']);
  await fail(
    kubectl('get', 'pods', '--as=root'),
    /users "root" is forbidden: User "ana" cannot impersonate resource "users"/,
  );
  await succeed(cluster.kubectl('get', 'pods', '--as=someone', '--as-group=auditors'));
});

test('kubectl auth reconcile gives a role what it lacks', async () => {
  const yaml = (verbs: string): string =>
    `{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: rec}, rules: [{apiGroups: [""], resources: [pods], verbs: [${verbs}]}]}`;
  const path = join(home, 'role.yaml');
  for (const verbs of ['get', 'list']) {
    writeFileSync(path, yaml(verbs));
    await succeed(cluster.kubectl('auth', 'reconcile', '-f', path));
  }
  const rules = await succeed(cluster.kubectl('get', 'clusterrole', 'rec', '-o', 'jsonpath={.rules[*].verbs}'));
  assert.equal(rules, '["get"] ["list"]');
});

test('a token is not made, and that is said', async () => {
  await fail(cluster.kubectl('create', 'token', 'default'), /not implemented|NotImplemented/);
});
