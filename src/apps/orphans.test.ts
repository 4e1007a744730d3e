import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiResource, KubeObject } from '#kube/port.ts';
import { type AppProject, allowAllProject } from '#model/argocd/app-project.ts';
import { namespacedKinds, orphansOf, withOwned } from './orphans.ts';

const object = (
  kind: string,
  name: string,
  metadata: Partial<KubeObject['metadata']> = {},
  apiVersion = 'v1',
): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'shop', uid: `${kind}-${name}`, ...metadata },
});
const owner = (of: KubeObject) => ({
  ownerReferences: [{ apiVersion: of.apiVersion, kind: of.kind, name: of.metadata.name, uid: of.metadata.uid ?? '' }],
});
const watching: AppProject = { ...allowAllProject, orphanedResources: { warn: true, ignore: [] } };
const search = (project: Partial<AppProject> = {}) => ({
  project: { ...watching, ...project },
  namespace: 'shop',
  own: new Set(['/ConfigMap:shop/mine']),
  isTracked: ({ metadata }: KubeObject) => metadata.name === 'of-another',
});
const ignoring = (ignore: AppProject['namespaceResourceBlacklist']) => ({ orphanedResources: { warn: true, ignore } });
const lost = object('ConfigMap', 'lost');

const rows: { name: string; objects: KubeObject[]; project?: Partial<AppProject>; want: string[] }[] = [
  { name: 'nobody has it', objects: [lost], want: ['lost'] },
  { name: 'it is wanted', objects: [object('ConfigMap', 'mine')], want: [] },
  { name: 'another application has it', objects: [object('ConfigMap', 'of-another')], want: [] },
  { name: 'something owns it', objects: [object('Pod', 'p', owner(lost))], want: [] },
  { name: 'it stands elsewhere', objects: [object('ConfigMap', 'x', { namespace: 'other' })], want: [] },
  {
    name: 'every namespace has it',
    objects: [object('ServiceAccount', 'default'), object('ConfigMap', 'kube-root-ca.crt')],
    want: [],
  },
  {
    name: 'a Service kubernetes elsewhere is none of those',
    objects: [object('Service', 'kubernetes')],
    want: ['kubernetes'],
  },
  { name: 'ignored by kind', objects: [lost], project: ignoring([{ group: '', kind: 'Config*' }]), want: [] },
  { name: 'ignored by name', objects: [lost], project: ignoring([{ group: '', kind: '', name: 'lo*' }]), want: [] },
  {
    name: 'another group is ignored',
    objects: [lost],
    project: ignoring([{ group: 'apps', kind: '*' }]),
    want: ['lost'],
  },
  {
    name: 'the project does not permit the kind',
    objects: [lost],
    project: { namespaceResourceBlacklist: [{ group: '', kind: 'ConfigMap' }] },
    want: [],
  },
];
for (const { name, objects, project, want } of rows)
  test(`orphaned: ${name}`, () => {
    const found = orphansOf(objects, search(project));
    assert.deepEqual(
      found.map(({ metadata }) => metadata.name),
      want,
    );
  });

test('what orphans own counts with them, once', () => {
  const set = object('ReplicaSet', 'set', owner(lost), 'apps/v1');
  const pod = object('Pod', 'pod', owner(set));
  const all = withOwned([lost], [pod, set, lost, object('Pod', 'other')]);
  assert.deepEqual(
    all.map(({ metadata }) => metadata.name),
    ['lost', 'set', 'pod'],
  );
});

test('kinds are watched in one version, where they can be', () => {
  const kind = (name: string, version: string, fields: Partial<ApiResource> = {}): ApiResource => ({
    ...{ group: 'g', version, kind: name, plural: name, namespaced: true, verbs: ['list', 'watch'], subresources: [] },
    ...fields,
  });
  const all = [
    kind('A', 'v2'),
    kind('A', 'v1'),
    kind('B', 'v1', { namespaced: false }),
    kind('C', 'v1', { verbs: ['create'] }),
  ];
  assert.deepEqual(namespacedKinds(all), [{ group: 'g', version: 'v2', kind: 'A' }]);
});
