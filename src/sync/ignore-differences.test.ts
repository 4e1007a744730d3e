import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '#kube/port.ts';
import type { IgnoreDifference } from '#model/argocd/application.ts';
import { defaultSettings } from '#model/argocd/settings.ts';
import { ignoreRulesFor, type RuleSettings, rulesText, withoutIgnored } from './ignore-differences.ts';
import { respectIgnored } from './respect-ignored.ts';

const object = (fields: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', ...metadata },
  ...fields,
});
const none: RuleSettings = { ...defaultSettings, compare: { ...defaultSettings.compare, ignoreStatus: 'none' } };
const rulesOf = (rule: Partial<IgnoreDifference>, settings = none) =>
  ignoreRulesFor(object(), [{ group: 'apps', kind: 'Deployment', jsonPointers: ['/x'], ...rule }], settings);

const matches: { name: string; rule: Partial<IgnoreDifference>; want: boolean }[] = [
  { name: 'group and kind', rule: {}, want: true },
  { name: 'any', rule: { group: '*', kind: '*' }, want: true },
  { name: 'a part of the kind', rule: { kind: 'Deploy*' }, want: true },
  { name: 'another group', rule: { group: '' }, want: false },
  { name: 'another kind', rule: { kind: 'DaemonSet' }, want: false },
  { name: 'the name', rule: { name: 'web' }, want: true },
  { name: 'no glob in the name', rule: { name: 'w*' }, want: false },
  { name: 'another namespace', rule: { namespace: 'other' }, want: false },
];
for (const { name, rule, want } of matches)
  test(`ignore rules match by ${name}`, () => {
    assert.deepEqual(rulesOf(rule).jsonPointers, want ? ['/x'] : []);
  });

test('rules of the settings, and the status, are added to those of the application', () => {
  const fields = (jsonPointers: string[], managedFieldsManagers: string[] = []) => ({
    ignoreDifferences: { jsonPointers, jqPathExpressions: [], managedFieldsManagers },
  });
  const customizations = [
    { group: '*', kind: '*', ...fields(['/all']) },
    { group: 'apps', kind: 'Deployment', ...fields(['/own'], ['scaler']) },
    { group: 'batch', kind: 'Job', ...fields(['/job']) },
  ];
  const rules = rulesOf({}, { ...defaultSettings, customizations });
  assert.deepEqual(rules, { jsonPointers: ['/x', '/all', '/own', '/status'], jq: [], managers: ['scaler'] });
});

const statuses: ['all' | 'crd' | 'none', string, boolean][] = [
  ['all', 'Deployment', true],
  ['crd', 'Deployment', false],
  ['crd', 'CustomResourceDefinition', true],
  ['none', 'CustomResourceDefinition', false],
];
for (const [ignoreStatus, kind, want] of statuses)
  test(`ignoreResourceStatusField ${ignoreStatus} of a ${kind}`, () => {
    const settings = { ...none, compare: { ...none.compare, ignoreStatus } };
    assert.deepEqual(ignoreRulesFor({ ...object(), kind }, [], settings).jsonPointers, want ? ['/status'] : []);
  });

test('an expression that cannot be read is an error that quotes it', () => {
  assert.throws(
    () => rulesOf({ jqPathExpressions: ['.spec['] }),
    /jqPathExpressions .* for Deployment: jq expression "del\(\.spec\[\)"/,
  );
});

test('equal rules have equal texts', () => {
  const text = (expression: string) => rulesText(rulesOf({ jqPathExpressions: [expression] }));
  assert.equal(text('.a'), text('.a'));
  assert.notEqual(text('.a'), text('.b'));
});

test('pointers and expressions take fields away; what does not fit changes nothing', () => {
  const rules = rulesOf({
    jsonPointers: ['/spec/replicas', '/nothing/here', '/spec/list/0', '/metadata/annotations/a~1b'],
    jqPathExpressions: ['.spec.items[] | select(.name == "a") | .value', '.absent[].x', '.metadata.labels | .[]'],
  });
  const value = object(
    {
      spec: {
        replicas: 1,
        list: [1, 2],
        items: [
          { name: 'a', value: 1 },
          { name: 'b', value: 2 },
        ],
      },
    },
    { labels: { l: '1' }, annotations: { 'a/b': '1', c: '2' } },
  );
  assert.deepEqual(
    withoutIgnored(value, rules),
    object(
      { spec: { list: [2], items: [{ name: 'a' }, { name: 'b', value: 2 }] } },
      { labels: {}, annotations: { c: '2' } },
    ),
  );
});

test('an expression that takes too long is an error that names the object', () => {
  const rules = rulesOf({ jqPathExpressions: ['last(.spec | range(infinite))'] });
  assert.throws(
    () => withoutIgnored(object({ spec: {} }), rules),
    /ignoreDifferences of Deployment web: .*too many steps/,
  );
});

const respected: { name: string; rule: Partial<IgnoreDifference>; desired: unknown; live: unknown; want: unknown }[] = [
  {
    name: 'a pointer: the live value',
    rule: { jsonPointers: ['/spec/replicas'] },
    desired: { replicas: 1, x: 1 },
    live: { replicas: 5 },
    want: { replicas: 5, x: 1 },
  },
  {
    name: 'a pointer: absent live',
    rule: { jsonPointers: ['/spec/replicas'] },
    desired: { replicas: 1 },
    live: {},
    want: {},
  },
  {
    name: 'a pointer: only live',
    rule: { jsonPointers: ['/spec/a/b'] },
    desired: {},
    live: { a: { b: 1, c: 2 } },
    want: { a: { b: 1 } },
  },
  {
    name: 'an item by its name, wherever it stands',
    rule: { jsonPointers: [], jqPathExpressions: ['.spec.items[] | select(.name == "b") | .value'] },
    desired: {
      items: [
        { name: 'b', value: 1 },
        { name: 'a', value: 1 },
      ],
    },
    live: {
      items: [
        { name: 'a', value: 7 },
        { name: 'b', value: 8 },
      ],
    },
    want: {
      items: [
        { name: 'b', value: 8 },
        { name: 'a', value: 1 },
      ],
    },
  },
  {
    name: 'an item that only is live',
    rule: { jsonPointers: [], jqPathExpressions: ['.spec.items[] | select(.name == "injected")'] },
    desired: { items: [{ name: 'a' }] },
    live: { items: [{ name: 'injected', x: 1 }, { name: 'a' }] },
    want: { items: [{ name: 'a' }, { name: 'injected', x: 1 }] },
  },
  {
    name: 'a field of all items',
    rule: { jsonPointers: [], jqPathExpressions: ['.spec.hooks[].ca'] },
    desired: { hooks: [{ name: 'a' }, { name: 'b', ca: 'mine' }] },
    live: {
      hooks: [
        { name: 'a', ca: 'A' },
        { name: 'b', ca: 'B' },
      ],
    },
    want: {
      hooks: [
        { name: 'a', ca: 'A' },
        { name: 'b', ca: 'B' },
      ],
    },
  },
];
for (const { name, rule, desired, live, want } of respected)
  test(`RespectIgnoreDifferences, ${name}`, () => {
    const out = respectIgnored(object({ spec: desired }), object({ spec: live }), rulesOf(rule));
    assert.deepEqual(out['spec'], want);
  });

test('RespectIgnoreDifferences never copies a status, and takes what ignored managers own', () => {
  const live = object({ spec: { replicas: 5, image: 'b' }, status: { x: 2 } });
  const desired = object({ spec: { replicas: 1, image: 'a' }, status: { x: 1 } });
  assert.deepEqual(respectIgnored(desired, live, rulesOf({ jsonPointers: ['/status'] })), desired);
  const owned = { 'f:spec': { 'f:replicas': {} }, 'f:status': { 'f:x': {} } };
  assert.deepEqual(
    respectIgnored(desired, live, rulesOf({ jsonPointers: [] }), owned),
    object({ spec: { replicas: 5, image: 'a' }, status: { x: 1 } }),
  );
});
