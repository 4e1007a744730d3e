import { homedir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '#base/errors.ts';
import { getString } from '#base/json.ts';
import type { ClusterAccess, ClusterAccessOptions } from '#cli/deps.ts';
import { createKubeClient } from '#kube/client.ts';
import { loadKubeTarget } from '#kube/kubeconfig.ts';
import type { KubeClient, KubeObject } from '#kube/port.ts';
import type { KubeTarget } from '#kube/target.ts';
import { createLogger } from './logger.ts';
import { systemClock as clock } from './system.ts';

const fieldManager = 'slipway-cli';
const accountName = 'argocd-manager';
const tokenTries = 50;
const rbac = 'rbac.authorization.k8s.io/v1';
const everything = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['*'] },
];

/**
 * How a server gets into the cluster of a context: by an account that is made there for it, as `argocd cluster add` does,
 * or by the context's own credentials. Nothing of it is written anywhere here.
 */
export async function clusterAccess(options: ClusterAccessOptions, signal: AbortSignal): Promise<ClusterAccess> {
  const path = options.kubeconfig ?? process.env['KUBECONFIG'] ?? join(homedir(), '.kube', 'config');
  const target = await loadKubeTarget({ path, context: options.context });
  if (options.ownCredentials) return await ownAccess(target);
  await using kube = createKubeClient({ target, clock, logger: createLogger({ level: 'error' }) });
  const token = await accountToken(kube, options, signal);
  const { tls } = await target.access();
  return { server: target.server, config: { bearerToken: token, tlsClientConfig: trust(tls) } };
}

type Tls = Awaited<ReturnType<KubeTarget['access']>>['tls'];
const encode = (text: string) => Buffer.from(text).toString('base64');

function trust(tls: Tls) {
  if (!tls.rejectUnauthorized) return { insecure: true };
  const serverName = tls.servername === undefined ? {} : { serverName: tls.servername };
  return { insecure: false, ...(tls.ca === undefined ? {} : { caData: encode(tls.ca) }), ...serverName };
}

async function ownAccess(target: KubeTarget): Promise<ClusterAccess> {
  const { tls, headers } = await target.access();
  const bearer = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
  const token = /^Bearer (.+)$/.exec(bearer ?? '')?.[1];
  const pair = tls.cert && tls.key ? { certData: encode(tls.cert), keyData: encode(tls.key) } : {};
  if (token === undefined && !tls.cert)
    throw new AppError('unsupported', 'the context has neither a token nor a certificate that could be handed on', {
      hint: 'leave --own-credentials out: an account is made instead',
    });
  const tlsClientConfig = { ...trust(tls), ...pair };
  return { server: target.server, config: { ...(token ? { bearerToken: token } : {}), tlsClientConfig } };
}

function accountObjects({ namespaces, systemNamespace: namespace }: ClusterAccessOptions): KubeObject[] {
  const subjects = [{ kind: 'ServiceAccount', name: accountName, namespace }];
  const account: KubeObject = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: accountName, namespace } };
  const role = `${accountName}-role`;
  const apiGroup = 'rbac.authorization.k8s.io';
  if (namespaces.length === 0)
    return [
      account,
      { apiVersion: rbac, kind: 'ClusterRole', metadata: { name: role }, rules: everything },
      {
        apiVersion: rbac,
        kind: 'ClusterRoleBinding',
        metadata: { name: `${role}-binding` },
        roleRef: { apiGroup, kind: 'ClusterRole', name: role },
        subjects,
      },
    ];
  return [
    account,
    ...namespaces.flatMap((own): KubeObject[] => [
      { apiVersion: rbac, kind: 'Role', metadata: { name: role, namespace: own }, rules: everything.slice(0, 1) },
      {
        apiVersion: rbac,
        kind: 'RoleBinding',
        metadata: { name: `${role}-binding`, namespace: own },
        roleRef: { apiGroup, kind: 'Role', name: role },
        subjects,
      },
    ]),
  ];
}

async function accountToken(kube: KubeClient, options: ClusterAccessOptions, signal: AbortSignal): Promise<string> {
  const { systemNamespace: namespace, serviceAccount = accountName } = options;
  if (options.serviceAccount === undefined)
    for (const object of accountObjects(options)) await kube.apply(object, { fieldManager, force: true }, signal);
  const name = `${serviceAccount}-long-lived-token`;
  const notes = { 'kubernetes.io/service-account.name': serviceAccount };
  await kube.apply(
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/service-account-token',
      metadata: { name, namespace, annotations: notes },
    },
    { fieldManager, force: true },
    signal,
  );
  const secrets = await kube.discovery.find({ group: '', version: 'v1', kind: 'Secret' }, signal);
  for (let tries = 0; secrets && tries < tokenTries; tries += 1) {
    const token = getString(await kube.get(secrets, { name, namespace }, signal), 'data', 'token');
    if (token) return Buffer.from(token, 'base64').toString('utf8');
    await clock.sleep(200, signal);
  }
  throw new AppError('timeout', `the cluster made no token for ServiceAccount ${namespace}/${serviceAccount}`, {
    hint: 'is there such an account? --own-credentials works without one',
  });
}
