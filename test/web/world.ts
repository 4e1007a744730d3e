import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { ManagedResource, ResourceNode } from '#apps/port.ts';
import { silentLogger } from '#base/log.ts';
import type { Application, ApplicationStatus, HealthStatus, SyncStatusCode } from '#model/argocd/application.ts';
import { type ListeningServer, startServer } from '#server/server.ts';
import type { NewAuditEvent } from '#trace/event.ts';
import type { TraceReport } from '#trace/report.ts';
import { testClock, testEntropy } from '../clock.ts';
import { application } from './application.ts';
import { MemoryAudit, MemoryEngine } from './memory-engine.ts';
import { clearSight, MemoryInstance, noResources } from './memory-instance.ts';

/** A server over an engine without a cluster, with the applications of a small shop in every state the page knows. */
export interface PageWorld extends AsyncDisposable {
  engine: MemoryEngine;
  audit: MemoryAudit;
  server: ListeningServer;
  token: string;
}

export const webDist = join(import.meta.dirname, '..', '..', 'web', 'dist');

const minute = 60_000;
const sha = (seed: string) => Buffer.from(seed.padEnd(20, '·')).toString('hex').slice(0, 40);
const iso = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;

interface Traits {
  service: string;
  environment: string;
  version: string;
  sync?: SyncStatusCode;
  health?: HealthStatus;
  healthMessage?: string;
  automated?: boolean;
  ageMs: number;
  by?: string;
  status?: Partial<ApplicationStatus>;
}

export function shopApplication(traits: Traits): Application {
  const { service, environment, version, sync = 'Synced', health = 'Healthy', automated = true, ageMs, by } = traits;
  const name = `${service}-${environment}`;
  const at = iso(Date.now() - ageMs);
  const deployed = sha(`${name}${version}`);
  return application({
    name,
    automated,
    valuesFile: `values-${environment}.yaml`,
    namespace: environment === 'prod' ? 'myshop' : `myshop-${environment}`,
    path: `charts/${service}`,
    status: {
      sync: { status: sync, revision: sync === 'OutOfSync' ? sha(`${name}next`) : deployed },
      health: { status: health, ...(traits.healthMessage ? { message: traits.healthMessage } : {}) },
      summary: { images: [`127.0.0.1:5000/myshop/${service}:${version}`] },
      resources: ['Service', 'Deployment'].map((kind) => ({
        group: kind === 'Service' ? '' : 'apps',
        version: 'v1',
        kind,
        namespace: 'myshop',
        name: service,
        status: kind === 'Deployment' ? sync : 'Synced',
        health: { status: kind === 'Deployment' ? health : 'Healthy' },
      })),
      history: [
        {
          id: 0,
          revision: sha(`${name}0`),
          deployedAt: iso(Date.now() - ageMs - 3 * 24 * 60 * minute),
          initiatedBy: { username: 'mira' },
        },
        { id: 1, revision: deployed, deployedAt: at, initiatedBy: by ? { username: by } : { automated: true } },
      ],
      operationState: {
        phase: 'Succeeded',
        message: 'successfully synced (all tasks run)',
        operation: { sync: {}, initiatedBy: by ? { username: by } : { automated: true } },
        startedAt: at,
        finishedAt: at,
      },
      ...traits.status,
    },
  });
}

function deploymentText(service: string, version: string, replicas: number): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  labels:
    app.kubernetes.io/name: ${service}
  name: ${service}
  namespace: myshop
spec:
  replicas: ${replicas}
  selector:
    matchLabels:
      app.kubernetes.io/name: ${service}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: ${service}
    spec:
      containers:
        - env:
            - name: PORT
              value: "8080"
          image: 127.0.0.1:5000/myshop/${service}:${version}
          name: ${service}
          ports:
            - containerPort: 8080
`;
}

function managedDeployment(service: string, live: [string, number], desired: [string, number]): ManagedResource {
  return {
    group: 'apps',
    version: 'v1',
    kind: 'Deployment',
    namespace: 'myshop',
    name: service,
    sync: 'OutOfSync',
    health: { status: 'Healthy' },
    requiresPruning: false,
    hook: false,
    liveText: deploymentText(service, ...live),
    desiredText: deploymentText(service, ...desired),
  };
}

function podTree(service: string, version: string): ResourceNode[] {
  const node = (kind: string, name: string, parentUid?: string): ResourceNode => ({
    uid: `${kind}-${name}`,
    group: kind === 'Deployment' || kind === 'ReplicaSet' ? 'apps' : '',
    version: 'v1',
    kind,
    namespace: 'myshop',
    name,
    parentUid,
    createdAt: iso(Date.now() - 140 * minute),
    health: kind === 'ReplicaSet' ? undefined : { status: 'Healthy' },
    images: kind === 'Pod' ? [`127.0.0.1:5000/myshop/${service}:${version}`] : [],
  });
  const set = `${service}-7c9f4d5b86`;
  return [
    node('Service', service),
    node('Deployment', service),
    node('ReplicaSet', set, `Deployment-${service}`),
    node('Pod', `${set}-h2x7k`, `ReplicaSet-${set}`),
    node('Pod', `${set}-q9w4m`, `ReplicaSet-${set}`),
  ];
}

function traceReport(subject: string): TraceReport {
  const at = Date.now() - 140 * minute;
  const commit = sha('commit');
  return {
    subject,
    application: 'myshop-api-prod',
    steps: [
      {
        link: 'container',
        found: true,
        title: 'myshop-api-7c9f4d5b86-h2x7k',
        at,
        facts: { image: '127.0.0.1:5000/myshop/myshop-api:1.4.2', digest: `sha256:${'4f'.repeat(32)}` },
      },
      {
        link: 'image',
        found: true,
        title: 'myshop/myshop-api:1.4.2',
        at: at - 9 * minute,
        facts: { revision: commit, source: 'http://127.0.0.1:3000/myshop/myshop-api' },
      },
      {
        link: 'workflow-run',
        found: true,
        title: 'ci #41',
        at: at - 11 * minute,
        by: 'mira',
        url: 'http://127.0.0.1:3000/myshop/myshop-api/actions/runs/41',
        facts: { event: 'push', ref: 'v1.4.2', took: '1 min 52 s' },
      },
      {
        link: 'commit',
        found: true,
        title: 'Answer with the build version',
        at: at - 30 * minute,
        by: 'jonas',
        facts: { sha: commit },
      },
      { link: 'tag', found: true, title: 'v1.4.2', facts: { object: commit } },
      {
        link: 'approval',
        found: true,
        title: 'environment production',
        at: at - 10 * minute,
        by: 'priya',
        facts: { comment: 'ship it' },
      },
      {
        link: 'manifest-commit',
        found: true,
        title: 'chore: myshop-api 1.4.2 in prod',
        at: at - 5 * minute,
        by: 'mira',
        facts: { sha: sha('manifest') },
      },
      {
        link: 'sync',
        found: true,
        title: `revision ${sha('manifest').slice(0, 7)}`,
        at,
        by: 'mira',
        facts: { took: '3.4 s', cause: 'slipway app sync' },
      },
    ],
  };
}

export async function startPageWorld(options: { empty?: boolean; anonymousRead?: boolean } = {}): Promise<PageWorld> {
  const engine = new MemoryEngine();
  const audit = new MemoryAudit();
  const token = randomBytes(16).toString('hex');
  if (!options.empty) await fill(engine, audit);
  const server = await startServer({
    engine,
    resources: noResources,
    instance: new MemoryInstance(),
    sight: clearSight,
    audit,
    tracer: { trace: async (query) => traceReport(query.kind === 'image' ? query.image : query.name) },
    logger: silentLogger,
    clock: testClock,
    entropy: testEntropy,
    host: '127.0.0.1',
    port: 0,
    webhookSecret: undefined,
    token,
    anonymousRead: options.anonymousRead ?? false,
    version: '0.1.0',
    webDir: webDist,
  });
  return { engine, audit, server, token, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

async function fill(engine: MemoryEngine, audit: MemoryAudit): Promise<void> {
  engine.resources.set('myshop-api-prod', [managedDeployment('myshop-api', ['1.4.2', 2], ['1.5.0', 2])]);
  engine.resources.set('checkout-prod', [managedDeployment('checkout', ['2.3.1', 5], ['2.3.1', 2])]);
  engine.nodes.set('myshop-api-prod', podTree('myshop-api', '1.4.2'));
  engine.nodes.set('myshop-api-dev', podTree('myshop-api', 'main-4be81d0'));
  for (const traits of shop()) engine.put(shopApplication(traits));
  engine.put(rootApplication());
  for (const event of story()) await audit.record(event);
}

function shop(): Traits[] {
  const hour = 60 * minute;
  return [
    { service: 'myshop-api', environment: 'dev', version: 'main-4be81d0', ageMs: 4 * minute },
    { service: 'myshop-api', environment: 'staging', version: '1.5.0', ageMs: 50 * minute },
    {
      service: 'myshop-api',
      environment: 'prod',
      version: '1.4.2',
      sync: 'OutOfSync',
      automated: false,
      ageMs: 26 * hour,
      by: 'mira',
    },
    {
      service: 'checkout',
      environment: 'dev',
      version: 'main-90c2f3a',
      health: 'Progressing',
      healthMessage: 'waiting for rollout: 1 of 2 updated replicas are available',
      ageMs: minute / 3,
    },
    { service: 'checkout', environment: 'staging', version: '2.3.1', ageMs: 7 * hour },
    {
      service: 'checkout',
      environment: 'prod',
      version: '2.3.1',
      sync: 'OutOfSync',
      automated: false,
      ageMs: 3 * 24 * hour,
      by: 'priya',
      status: { sync: { status: 'OutOfSync', revision: sha('checkout-prod2.3.1') } },
    },
    {
      service: 'search',
      environment: 'dev',
      version: 'main-1d7e55c',
      health: 'Degraded',
      healthMessage: 'back-off pulling image "127.0.0.1:5000/myshop/search:main-1d7e55c": manifest unknown',
      ageMs: 12 * minute,
    },
    { service: 'search', environment: 'prod', version: '0.9.4', automated: false, ageMs: 9 * 24 * hour, by: 'jonas' },
  ];
}

function rootApplication(): Application {
  return application({
    name: 'root',
    namespace: 'argocd',
    path: 'argocd/applications',
    status: {
      sync: { status: 'Synced', revision: sha('root') },
      health: { status: 'Healthy' },
      summary: { isAppOfApps: true },
      history: [{ id: 0, revision: sha('root'), deployedAt: iso(Date.now() - 9 * 24 * 60 * minute) }],
    },
  });
}

function story(): NewAuditEvent[] {
  const now = Date.now();
  const user = (name: string) => ({ kind: 'user' as const, name });
  const slipway = { kind: 'controller' as const, name: 'slipway' };
  const workflow = { kind: 'workflow' as const, name: 'update-image #88' };
  const on = (application: string, agoMs: number) => ({ application, at: now - agoMs });
  const hour = 60 * minute;
  return [
    {
      ...on('myshop-api-prod', 26 * hour),
      kind: 'rollback',
      actor: user('mira'),
      cause: 'slipway rollback',
      commit: sha('revert'),
      message: 'Revert "chore: myshop-api 1.4.3 in prod"',
    },
    {
      ...on('myshop-api-prod', 25.9 * hour),
      kind: 'sync-succeeded',
      actor: user('mira'),
      cause: 'slipway app sync',
      commit: sha('revert'),
      durationMs: 3400,
      message: 'synced to 1.4.2',
    },
    {
      ...on('checkout-staging', 7 * hour),
      kind: 'sync-succeeded',
      actor: slipway,
      cause: 'webhook',
      commit: sha('c-stg'),
      durationMs: 2100,
      message: 'synced to 2.3.1',
    },
    {
      ...on('myshop-api-staging', 51 * minute),
      kind: 'approval',
      actor: user('priya'),
      cause: 'workflow',
      message: 'approved environment production of ci #42',
    },
    {
      ...on('myshop-api-staging', 50 * minute),
      kind: 'sync-succeeded',
      actor: slipway,
      cause: 'webhook',
      commit: sha('a-stg'),
      durationMs: 2600,
      message: 'synced to 1.5.0',
    },
    {
      ...on('checkout-prod', 34 * minute),
      kind: 'drift-detected',
      actor: slipway,
      cause: 'watch',
      message: 'Deployment checkout: spec.replicas is 5, Git wants 2',
    },
    {
      ...on('myshop-api-dev', 31 * minute),
      kind: 'drift-healed',
      actor: slipway,
      cause: 'self-heal',
      durationMs: 184,
      message: 'Deployment myshop-api: spec.replicas back to 2',
    },
    {
      ...on('myshop-api-prod', 18 * minute),
      kind: 'manifest-commit',
      actor: workflow,
      cause: 'repository_dispatch',
      commit: sha('a-prod'),
      message: 'chore: bump myshop-api to 1.5.0 (prod)',
    },
    {
      ...on('search-dev', 11 * minute),
      kind: 'health-changed',
      actor: slipway,
      cause: 'watch',
      message: 'Progressing to Degraded: manifest unknown',
    },
    {
      at: now - 4.3 * minute,
      kind: 'webhook-received',
      actor: user('jonas'),
      cause: 'webhook',
      repository: 'myshop/myshop-manifests',
      commit: sha('push'),
      message: 'jonas pushed main of myshop/myshop-manifests',
    },
    {
      ...on('myshop-api-dev', 4.2 * minute),
      kind: 'revision-observed',
      actor: slipway,
      cause: 'webhook',
      commit: sha('push'),
      message: 'charts/myshop-api changed on main',
    },
    {
      ...on('myshop-api-dev', 4.1 * minute),
      kind: 'sync-succeeded',
      actor: slipway,
      cause: 'webhook',
      commit: sha('push'),
      durationMs: 1870,
      message: 'synced to main-4be81d0',
    },
    {
      ...on('checkout-dev', 0.3 * minute),
      kind: 'sync-started',
      actor: slipway,
      cause: 'webhook',
      commit: sha('c-dev'),
      message: 'syncing to main-90c2f3a',
    },
  ];
}
