import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultSettings } from './settings.ts';
import { parseSettings } from './settings-parse.ts';

const of = (data: Record<string, string>, params: Record<string, string> = {}) => parseSettings(data, params);

test('nothing said is the default', () => {
  const { id, ...settings } = of({});
  const { id: _none, ...defaults } = defaultSettings;
  assert.deepEqual(settings, defaults);
  assert.notEqual(id, of({ a: 'b' }).id);
});

test('customizations in both forms, the second over the first', () => {
  const { customizations, problems } = of({
    'resource.customizations': [
      'apps/Deployment:',
      '  health.lua: whole',
      '  health.lua.useOpenLibs: true',
      '  ignoreDifferences: |',
      '    jsonPointers: [/spec/replicas]',
      'ConfigMap:',
      '  knownTypeFields: [{field: data, type: core/v1/X}]',
      '"*.io/*":',
      '  actions: "discovery.lua: x"',
    ].join('\n'),
    'resource.customizations.health.apps_Deployment': 'split',
    'resource.customizations.useOpenLibs.cert-manager.io_Certificate': 'true',
    'resource.customizations.ignoreResourceUpdates.all': 'jqPathExpressions: [.status]',
    'resource.customizations.ignoreDifferences.ConfigMap': 'managedFieldsManagers: [kubectl]',
  });
  assert.deepEqual(problems, []);
  const entry = (group: string, kind: string) =>
    customizations.find((customization) => customization.group === group && customization.kind === kind);
  const none = { jsonPointers: [], jqPathExpressions: [], managedFieldsManagers: [] };
  assert.deepEqual(entry('apps', 'Deployment'), {
    group: 'apps',
    kind: 'Deployment',
    health: 'split',
    useOpenLibs: true,
    ignoreDifferences: { ...none, jsonPointers: ['/spec/replicas'] },
  });
  assert.deepEqual(entry('', 'ConfigMap'), {
    group: '',
    kind: 'ConfigMap',
    knownTypeFields: [{ field: 'data', type: 'core/v1/X' }],
    ignoreDifferences: { ...none, managedFieldsManagers: ['kubectl'] },
  });
  assert.equal(entry('*.io', '*')?.actions, 'discovery.lua: x');
  assert.equal(entry('cert-manager.io', 'Certificate')?.useOpenLibs, true);
  assert.deepEqual(entry('*', '*')?.ignoreResourceUpdates, { ...none, jqPathExpressions: ['.status'] });
});

const wrong: { data?: Record<string, string>; params?: Record<string, string>; want: RegExp }[] = [
  {
    data: { 'application.resourceTrackingMethod': 'magic' },
    want: /argocd-cm: application.resourceTrackingMethod: "magic" is none of/,
  },
  { data: { 'resource.exclusions': '- apiGroups: x' }, want: /resource.exclusions: 0.apiGroups/ },
  { data: { 'resource.exclusions': '[' }, want: /resource.exclusions: / },
  { data: { 'timeout.reconciliation': 'often' }, want: /timeout.reconciliation: "often" is not a duration/ },
  { data: { 'resource.compareoptions': 'ignoreResourceStatusField: some' }, want: /"some" is none of all, crd, none/ },
  { data: { 'resource.customizations': 'a' }, want: /is not a mapping of kinds/ },
  { data: { 'resource.customizations.health': 'x' }, want: /has to be resource.customizations.<what>/ },
  { data: { 'resource.customizations.taste.a_B': 'x' }, want: /there is no customization "taste"/ },
  { data: { 'resource.customizations.health.a_b_c': 'x' }, want: /is not a group and kind/ },
  { data: { 'kustomize.path.v1': '/a', 'kustomize.version.v1': '/b' }, want: /declared twice/ },
  { data: { globalProjects: '- labelSelector: {}' }, want: /has no projectName/ },
  {
    params: { 'controller.sync.timeout.seconds': 'x' },
    want: /argocd-cmd-params-cm: controller.sync.timeout.seconds: "x" is not a whole number/,
  },
  { params: { 'applicationsetcontroller.policy': 'all' }, want: /is none of sync, create-only/ },
  { params: { 'reposerver.max.combined.directory.manifests.size': 'big' }, want: /is not a size/ },
];
for (const { data = {}, params = {}, want } of wrong)
  test(`${JSON.stringify({ ...data, ...params })} is a problem, and its default holds`, () => {
    const { problems, id: _id, data: _data, params: _params, ...settings } = of(data, params);
    assert.equal(problems.length, 1, problems.join('; '));
    assert.match(problems[0] ?? '', want);
    assert.deepEqual(
      { ...settings.tracking, ...settings.timeouts },
      { ...defaultSettings.tracking, ...defaultSettings.timeouts },
    );
  });

test('what people set', () => {
  const settings = of(
    {
      'application.resourceTrackingMethod': 'annotation+label',
      'application.instanceLabelKey': 'team/app',
      installationID: 'blue',
      'resource.exclusions': '- {apiGroups: [cilium.io], kinds: [CiliumIdentity], clusters: ["*"]}',
      'resource.inclusions': '- {kinds: [ConfigMap]}',
      'resource.compareoptions': 'ignoreAggregatedRoles: true\nignoreResourceStatusField: crd\n',
      'resource.sensitive.mask.annotations': 'a/b, c/d',
      'resource.ignoreResourceUpdatesEnabled': 'false',
      'timeout.reconciliation': '0',
      'timeout.hard.reconciliation': '1h',
      'helm.enable': 'false',
      'helm.valuesFileSchemes': '',
      'kustomize.buildOptions': '--enable-helm',
      'kustomize.path.v5': '/bin/k5',
      'kustomize.buildOptions.v5': '--x',
      'application.sync.impersonation.enabled': 'true',
      globalProjects: '- projectName: shared\n  labelSelector: {matchLabels: {a: b}}\n',
      'cluster.inClusterEnabled': 'false',
    },
    {
      'application.namespaces': 'team-*, /^x$/',
      'controller.sync.timeout.seconds': '60',
      'controller.self.heal.timeout.seconds': '5',
      'reposerver.max.combined.directory.manifests.size': '20Mi',
      'applicationsetcontroller.policy': 'create-only',
    },
  );
  assert.deepEqual(settings.problems, []);
  assert.deepEqual(settings.tracking, { method: 'annotation+label', labelKey: 'team/app', installationId: 'blue' });
  assert.deepEqual(settings.exclusions, [{ apiGroups: ['cilium.io'], kinds: ['CiliumIdentity'], clusters: ['*'] }]);
  assert.deepEqual(settings.inclusions, [{ apiGroups: [], kinds: ['ConfigMap'], clusters: [] }]);
  assert.deepEqual(settings.compare, {
    ignoreStatus: 'crd',
    ignoreAggregatedRoles: true,
    ignoreResourceUpdates: false,
    sensitiveAnnotations: ['a/b', 'c/d'],
  });
  assert.deepEqual(settings.timeouts, { reconcileMs: 0, jitterMs: 60_000, hardReconcileMs: 3_600_000 });
  assert.deepEqual(settings.render.helm, { enabled: false, valuesFileSchemes: [] });
  assert.deepEqual(settings.render.kustomize.versions.get('v5'), { path: '/bin/k5', buildOptions: '--x' });
  assert.equal(settings.render.maxDirectoryBytes, 20 * 2 ** 20);
  assert.equal(settings.sync.timeoutMs, 60_000);
  assert.equal(settings.sync.impersonation, true);
  assert.equal(settings.selfHeal.fixedMs, 5000);
  assert.deepEqual(settings.applicationNamespaces, ['team-*', '/^x$/']);
  assert.deepEqual(settings.globalProjects, [{ projectName: 'shared', labelSelector: { matchLabels: { a: 'b' } } }]);
  assert.equal(settings.applicationSets.policyOverride, false, 'a policy of the instance holds for all');
  assert.equal(settings.inClusterEnabled, false);
});
