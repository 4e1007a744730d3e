import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ResourceNode } from '#apps/port.ts';
import { digestOf } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import type { ForgeClient, RunApproval, WorkflowRun } from '#forge/port.ts';
import type { GitMirrors } from '#git/port.ts';
import { TestingGitServer } from '#git/testing-server.ts';
import type { ApiResource, KubeClient, KubeObject } from '#kube/port.ts';
import type { ImageConfig, RegistryClient } from '#oci/port.ts';
import { testClock, testEntropy } from '../../test/clock.ts';
import { toolPath } from '../../test/tools.ts';
import { application } from '../../test/web/application.ts';
import { MemoryAudit, MemoryEngine } from '../../test/web/memory-engine.ts';
import type { TraceLink, TraceReport, Tracer, TraceStep } from './report.ts';
import { createTracer } from './trace.ts';

const { signal } = new AbortController();
const digest = digestOf('image');
const sourceSha = 'd'.repeat(40);
const web = 'https://forge.example/myshop/api';
const image = 'registry.example/myshop/myshop-api:1.5.0';

function notUsed(): never {
  throw new AppError('unsupported', 'this test does not need it');
}

/** Only what a trace reads of a cluster: objects by kind and name. */
function kubeOf(objects: KubeObject[]): KubeClient {
  const resource = (kind: string): ApiResource => ({
    group: '',
    version: 'v1',
    kind,
    plural: `${kind.toLowerCase()}s`,
    namespaced: true,
    verbs: ['get'],
    subresources: [],
  });
  return {
    server: 'https://cluster.example',
    discovery: { find: async ({ kind }) => resource(kind), all: async () => [], invalidate: () => {} },
    get: async ({ kind }, { name, namespace }) =>
      objects.find(
        (object) => object.kind === kind && object.metadata.name === name && object.metadata.namespace === namespace,
      ),
    version: notUsed,
    list: notUsed,
    watch: notUsed,
    create: notUsed,
    replace: notUsed,
    apply: notUsed,
    patch: notUsed,
    delete: notUsed,
    logs: notUsed,
    as: notUsed,
    [Symbol.asyncDispose]: async () => {},
  };
}

function registryOf(labels: Record<string, string> | AppError): RegistryClient {
  return {
    image: async () => {
      if (labels instanceof AppError) throw labels;
      const config: ImageConfig = {
        architecture: 'amd64',
        os: 'linux',
        created: '2026-01-01T10:03:00Z',
        config: { Labels: labels },
        rootfs: { type: 'layers', diff_ids: [] },
      };
      return { digest, manifestDigest: digest, config, layers: [] };
    },
    manifest: notUsed,
    blob: notUsed,
    hasBlob: notUsed,
    pushBlob: notUsed,
    pushManifest: notUsed,
    tags: notUsed,
  };
}

const run: WorkflowRun = {
  id: 41,
  name: 'Build and push',
  number: 7,
  attempt: 1,
  event: 'push',
  ref: 'v1.5.0',
  headSha: sourceSha,
  status: 'completed',
  conclusion: 'success',
  actor: 'dana',
  createdAt: Date.UTC(2026, 0, 1, 10),
  startedAt: Date.UTC(2026, 0, 1, 10, 1),
  updatedAt: Date.UTC(2026, 0, 1, 10, 3),
  url: `${web}/actions/runs/41`,
};
const approval: RunApproval = {
  state: 'approved',
  user: 'rita',
  environments: ['production'],
  comment: 'go',
  at: Date.UTC(2026, 0, 1, 10, 2),
};

function forgeOf(changes: Partial<ForgeClient> = {}): ForgeClient {
  return {
    repositoryOf: (url) => (url.startsWith('https://forge.example/') ? { owner: 'myshop', name: 'api' } : undefined),
    runOf: (url) => ({ repository: { owner: 'myshop', name: 'api' }, id: Number(url.split('/').at(-1)) }),
    commit: async (_repository, sha) => ({
      sha,
      message: 'Answer faster\n\nbody',
      authorName: 'Dana',
      authorLogin: 'dana',
      authoredAt: Date.UTC(2026, 0, 1, 9),
      url: `${web}/commit/${sha}`,
    }),
    workflowRuns: async () => [run],
    workflowRun: async () => run,
    runApprovals: async () => [approval],
    pullRequestsOfCommit: async () => [],
    tags: async () => [
      { name: 'v1.5.0', sha: sourceSha },
      { name: 'v1.4.2', sha: 'e'.repeat(40) },
    ],
    dispatch: notUsed,
    ...changes,
  };
}

const labels = {
  'org.opencontainers.image.revision': sourceSha,
  'org.opencontainers.image.source': web,
  'org.opencontainers.image.version': '1.5.0',
  'io.slipway.workflow-run': `${web}/actions/runs/41`,
};

let git: TestingGitServer;
let mirrors: GitMirrors;
let engine: MemoryEngine;
let audit: MemoryAudit;
const manifest: Record<'first' | 'bump' | 'other' | 'revert', string> = { first: '', bump: '', other: '', revert: '' };
const values = (tag: string) => `image:\n  repository: registry.example/myshop/myshop-api\n  tag: "${tag}"\n`;

const pod: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'myshop-api-abc-xyz',
    namespace: 'myshop',
    ownerReferences: [
      { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'myshop-api-abc', uid: '1', controller: true },
    ],
  },
  spec: {
    nodeName: 'laptop',
    containers: [
      { name: 'proxy', image: 'proxy:1' },
      { name: 'api', image },
    ],
  },
  status: {
    containerStatuses: [
      {
        name: 'api',
        imageID: `registry.example/myshop/myshop-api@${digest}`,
        state: { running: { startedAt: '2026-01-01T12:00:05Z' } },
      },
    ],
  },
};
const replicaSet: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: {
    name: 'myshop-api-abc',
    namespace: 'myshop',
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'myshop-api', uid: '2', controller: true }],
  },
};
const deployment: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'myshop-api', namespace: 'myshop' },
};

before(async () => {
  git = await TestingGitServer.start({ gitPath: toolPath('git'), clock: testClock, entropy: testEntropy });
  git.create('manifests');
  const file = 'charts/myshop-api/values-prod.yaml';
  manifest.first = git.commit('manifests', {
    [file]: values('1.4.2'),
    'charts/myshop-api/values.yaml': 'replicas: 2\n',
  });
  manifest.bump = git.commit(
    'manifests',
    { [file]: values('1.5.0') },
    'chore: bump to 1.5.0\n\nSigned-off-by: Dana <d@x>',
  );
  manifest.other = git.commit('manifests', { 'charts/myshop-api/values.yaml': 'replicas: 3\n' }, 'more replicas');
  mirrors = git.mirrors('mirrors');
  await (await mirrors.open(git.url('manifests'), signal)).fetch(signal);
  engine = new MemoryEngine();
  audit = new MemoryAudit();
  put([manifest.first, manifest.bump, manifest.other]);
  const node: ResourceNode = {
    uid: '9',
    group: '',
    version: 'v1',
    kind: 'Pod',
    namespace: 'myshop',
    name: pod.metadata.name,
    parentUid: undefined,
    createdAt: '2026-01-01T12:00:00Z',
    health: { status: 'Healthy' },
    images: ['proxy:1', image],
  };
  engine.nodes.set('myshop-api-prod', [node]);
  await audit.record({
    kind: 'sync-succeeded',
    actor: { kind: 'user', name: 'dana' },
    cause: 'slipway app sync',
    application: 'myshop-api-prod',
    commit: manifest.bump,
    message: 'synced',
    durationMs: 3400,
    at: Date.UTC(2026, 0, 2, 12),
  });
});
after(async () => {
  await mirrors?.[Symbol.asyncDispose]();
  await git?.[Symbol.asyncDispose]();
});

function put(revisions: string[]): void {
  engine.put(
    application({
      name: 'myshop-api-prod',
      automated: false,
      valuesFile: 'values-prod.yaml',
      repoURL: git.url('manifests'),
      path: 'charts/myshop-api',
      status: {
        sync: { status: 'Synced', revision: revisions.at(-1) ?? '' },
        summary: { images: ['proxy:1', image] },
        resources: [{ group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'myshop', name: 'myshop-api' }],
        history: revisions.map((revision, id) => ({
          id,
          revision,
          deployedAt: `2026-01-0${id + 1}T12:00:00Z`,
          initiatedBy: { username: 'dana' },
        })),
      },
    }),
  );
}

function tracer(changes: { labels?: Record<string, string> | AppError; forge?: ForgeClient | undefined } = {}): Tracer {
  return createTracer({
    kube: kubeOf([pod, replicaSet, deployment]),
    engine,
    audit,
    git: mirrors,
    registry: registryOf(changes.labels ?? labels),
    forge: 'forge' in changes ? changes.forge : forgeOf(),
  });
}

function stepOf(report: TraceReport, link: TraceLink): TraceStep {
  const found = report.steps.find((step) => step.link === link);
  assert.ok(found, `the report has ${link}`);
  return found;
}

function reason(report: TraceReport, link: TraceLink): string {
  const step = stepOf(report, link);
  assert.ok(!step.found, `${link} is not known`);
  return step.reason;
}

describe('the chain', () => {
  test('from a pod to everyone who had a part in it', async () => {
    const report = await tracer().trace({ kind: 'pod', name: pod.metadata.name, namespace: undefined }, signal);
    assert.equal(report.application, 'myshop-api-prod');
    const lines = report.steps.map((step) => {
      if (!step.found) return `${step.link}: unknown, ${step.reason}`;
      return `${step.link}: ${step.title}${step.by ? ` by ${step.by}` : ''}`;
    });
    assert.deepEqual(lines, [
      `container: ${image}`,
      `image: ${digest}`,
      'workflow-run: Build and push #7 for v1.5.0 by dana',
      'commit: ddddddd Answer faster by Dana',
      'pull-request: unknown, the commit was pushed without a pull request',
      'tag: v1.5.0',
      'approval: environment production by rita',
      `manifest-commit: ${manifest.bump.slice(0, 7)} chore: bump to 1.5.0 by Dev`,
      `sync: revision ${manifest.bump.slice(0, 7)}, history 1 by dana`,
    ]);
    const container = stepOf(report, 'container');
    assert.deepEqual(container.found && container.facts, {
      pod: 'myshop/myshop-api-abc-xyz',
      container: 'api',
      digest,
      node: 'laptop',
    });
    const sync = stepOf(report, 'sync');
    assert.deepEqual(sync.found && [sync.facts['took'], sync.facts['cause']], ['3.4 s', 'slipway app sync']);
    const commit = stepOf(report, 'manifest-commit');
    assert.equal(commit.found && commit.facts['Signed-off-by'], 'Dana <d@x>');
  });

  test('from an application and from an image it is the same', async () => {
    const byApplication = await tracer().trace({ kind: 'application', name: 'myshop-api-prod' }, signal);
    const byImage = await tracer().trace({ kind: 'image', image: 'myshop/myshop-api:1.5.0' }, signal);
    assert.deepEqual(byImage.steps, byApplication.steps);
    assert.equal(stepOf(byImage, 'container').found, true);
  });

  test('a version that came back counts from its return', async () => {
    git.commit('manifests', { 'charts/myshop-api/values-prod.yaml': values('1.4.2') }, 'oops');
    const back = git.commit('manifests', { 'charts/myshop-api/values-prod.yaml': values('1.5.0') }, 'Revert "oops"');
    const gone = git.git('manifests', 'rev-parse', 'main~1');
    await (await mirrors.open(git.url('manifests'), signal)).fetch(signal);
    put([manifest.first, manifest.bump, gone, back]);
    const report = await tracer().trace({ kind: 'application', name: 'myshop-api-prod' }, signal);
    put([manifest.first, manifest.bump, manifest.other]);
    const sync = stepOf(report, 'sync');
    assert.equal(sync.found && sync.title, `revision ${back.slice(0, 7)}, history 3`);
    const writer = stepOf(report, 'manifest-commit');
    assert.equal(writer.found && writer.title, `${back.slice(0, 7)} Revert "oops"`);
  });
});

describe('what is not known says why, and the rest stands', () => {
  const query = { kind: 'application', name: 'myshop-api-prod' } as const;

  test('an image without labels', async () => {
    const report = await tracer({ labels: {} }).trace(query, signal);
    assert.match(reason(report, 'workflow-run'), /no label io\.slipway\.workflow-run/);
    assert.match(reason(report, 'commit'), /no label org\.opencontainers\.image\.revision/);
    assert.equal(stepOf(report, 'sync').found, true);
  });

  test('a registry that does not answer', async () => {
    const report = await tracer({ labels: new AppError('unavailable', 'registry.example does not answer') }).trace(
      query,
      signal,
    );
    assert.equal(reason(report, 'image'), 'registry.example does not answer');
    assert.equal(reason(report, 'commit'), 'the image could not be read');
    assert.equal(stepOf(report, 'manifest-commit').found, true);
  });

  test('no forge', async () => {
    const report = await tracer({ forge: undefined }).trace(query, signal);
    assert.match(reason(report, 'workflow-run'), /not on a forge that Slipway knows/);
    assert.match(reason(report, 'tag'), /not on a forge/);
  });

  test('a forge that refuses', async () => {
    const refuse = async () => {
      throw new AppError('forbidden', 'the token may not read runs');
    };
    const report = await tracer({ forge: forgeOf({ workflowRun: refuse, runApprovals: async () => [] }) }).trace(
      query,
      signal,
    );
    assert.equal(reason(report, 'workflow-run'), 'the token may not read runs');
    assert.equal(reason(report, 'approval'), 'the workflow run waited for nobody');
    assert.equal(stepOf(report, 'commit').found, true);
  });

  test('an image nobody runs', async () => {
    const report = await tracer().trace({ kind: 'image', image: 'registry.example/myshop/myshop-api:0.1.0' }, signal);
    assert.equal(reason(report, 'container'), 'no application runs this image');
    assert.equal(reason(report, 'sync'), 'it belongs to no application');
    assert.equal(stepOf(report, 'image').found, true);
  });

  test('a repository that cannot be read', async () => {
    const known = engine.get('myshop-api-prod');
    const elsewhere = application({
      name: 'myshop-api-prod',
      repoURL: git.url('missing'),
      ...(known.status ? { status: known.status } : {}),
    });
    engine.put(elsewhere);
    const report = await tracer().trace(query, signal);
    engine.put(known);
    assert.equal(stepOf(report, 'manifest-commit').found, false);
    assert.equal(stepOf(report, 'workflow-run').found, true);
  });

  test('a pod that does not exist ends the trace', async () => {
    await assert.rejects(tracer().trace({ kind: 'pod', name: 'nope', namespace: 'myshop' }, signal), /does not exist/);
    await assert.rejects(tracer().trace({ kind: 'application', name: 'nope' }, signal), /nope does not exist/);
  });
});
