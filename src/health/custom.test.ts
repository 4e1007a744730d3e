import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '#kube/port.ts';
import { parseSettings } from '#model/argocd/settings-parse.ts';
import { assessHealth } from './assess.ts';

const widget: KubeObject = {
  apiVersion: 'example.org/v1',
  kind: 'Widget',
  metadata: { name: 'w' },
  status: { colour: 'green' },
};

function healthOf(object: KubeObject, data: Record<string, string>): string | undefined {
  const settings = parseSettings(data, {});
  assert.deepEqual(settings.problems, []);
  const found = assessHealth(object, { settings, nowMs: 1_700_000_000_000 });
  return found && (found.message === undefined ? found.status : `${found.status}: ${found.message}`);
}

const key = (kind: string) => `resource.customizations.health.${kind}`;
const returns = (status: string, message = '') => `return {status = "${status}", message = "${message}"}`;

const rows: readonly { name: string; data: Record<string, string>; object?: KubeObject; want: string | undefined }[] = [
  { name: 'no check', data: {}, want: undefined },
  { name: 'own check', data: { [key('example.org_Widget')]: returns('Degraded', 'x') }, want: 'Degraded: x' },
  {
    name: 'reads the object',
    data: { [key('example.org_Widget')]: 'return {status = "Healthy", message = obj.status.colour}' },
    want: 'Healthy: green',
  },
  { name: 'by pattern of groups', data: { [key('*.org_Widget')]: returns('Healthy') }, want: 'Healthy' },
  { name: 'by pattern of kinds', data: { [key('example.org_*')]: returns('Healthy') }, want: 'Healthy' },
  { name: 'all kinds', data: { [key('all')]: returns('Healthy', 'all') }, want: 'Healthy: all' },
  {
    name: 'the exact one first',
    data: { [key('*_*')]: returns('Degraded'), [key('example.org_Widget')]: returns('Healthy') },
    want: 'Healthy',
  },
  { name: 'of another kind', data: { [key('example.org_Gadget')]: returns('Degraded') }, want: undefined },
  {
    name: 'the older form',
    data: { 'resource.customizations': `example.org/Widget:\n  health.lua: |\n    ${returns('Suspended', 'old')}\n` },
    want: 'Suspended: old',
  },
  {
    name: 'over a built-in check',
    object: { ...widget, apiVersion: 'apps/v1', kind: 'Deployment' },
    data: { [key('apps_Deployment')]: returns('Healthy', 'own') },
    want: 'Healthy: own',
  },
  {
    name: 'a kind of the core group',
    object: { ...widget, apiVersion: 'v1', kind: 'Pod' },
    data: { [key('Pod')]: returns('Healthy', 'pod') },
    want: 'Healthy: pod',
  },
  { name: 'nothing returned', data: { [key('example.org_Widget')]: 'return nil' }, want: undefined },
  { name: 'an empty table', data: { [key('example.org_Widget')]: 'return {}' }, want: undefined },
  { name: 'no return', data: { [key('example.org_Widget')]: 'local a = 1' }, want: undefined },
  {
    name: 'an unknown status',
    data: { [key('example.org_Widget')]: returns('Fine') },
    want: 'Unknown: Lua returned an invalid health status',
  },
  {
    name: 'no status',
    data: { [key('example.org_Widget')]: 'return {message = "x"}' },
    want: 'Unknown: Lua returned an invalid health status',
  },
  {
    name: 'no table',
    data: { [key('example.org_Widget')]: 'return "Healthy"' },
    want: 'Unknown: expect table output from Lua script, not string',
  },
  {
    name: 'capital names',
    data: { [key('example.org_Widget')]: 'return {Status = "Healthy", Message = "m"}' },
    want: 'Healthy: m',
  },
  {
    name: 'a failing script',
    data: { [key('example.org_Widget')]: 'return {status = obj.spec.x}' },
    want: "Unknown: <string>:1: attempt to index a non-table object(nil) with key 'x'",
  },
  {
    name: 'an endless script',
    data: { [key('example.org_Widget')]: 'while true do end' },
    want: 'Unknown: <string>:1: context deadline exceeded',
  },
  {
    name: 'closed libraries',
    data: { [key('example.org_Widget')]: 'return {status = string.upper("x")}' },
    want: "Unknown: <string>:1: attempt to index a non-table object(nil) with key 'upper'",
  },
  {
    name: 'open libraries',
    data: {
      [key('example.org_Widget')]: 'return {status = "Healthy", message = string.upper("x")}',
      'resource.customizations.useOpenLibs.example.org_Widget': 'true',
    },
    want: 'Healthy: X',
  },
  {
    name: 'the time',
    data: { [key('example.org_Widget')]: 'return {status = "Healthy", message = os.date("!%Y-%m-%d")}' },
    want: 'Healthy: 2023-11-14',
  },
  {
    name: 'an object on its way out',
    object: { ...widget, metadata: { name: 'w', deletionTimestamp: 'x' } },
    data: { [key('example.org_Widget')]: returns('Healthy') },
    want: 'Progressing: Pending deletion',
  },
];

for (const row of rows)
  test(`own checks: ${row.name}`, () => assert.equal(healthOf(row.object ?? widget, row.data), row.want));

test('a script that is no Lua says so for every object', () => {
  const found = healthOf(widget, { [key('example.org_Widget')]: 'return {' });
  assert.match(found ?? '', /^Unknown: <string> line:1/);
});

interface Conditioned {
  name: string;
  generation?: number;
  status: Record<string, unknown>;
  want: string | undefined;
}

const condition = (type: string, status: string, extra = {}) => ({ type, status, message: 'm', ...extra });
const unknownKinds: readonly Conditioned[] = [
  { name: 'nothing said', status: {}, want: undefined },
  { name: 'other conditions only', status: { conditions: [condition('Accepted', 'False')] }, want: undefined },
  { name: 'ready', status: { conditions: [condition('Ready', 'True')] }, want: 'Healthy: m' },
  {
    name: 'not ready is no failure',
    status: { conditions: [condition('Ready', 'False')] },
    want: 'Progressing: Ready is False: m',
  },
  {
    name: 'stalled',
    status: { conditions: [condition('Ready', 'False'), condition('Stalled', 'True')] },
    want: 'Degraded: Stalled: m',
  },
  {
    name: 'reconciling',
    status: { conditions: [condition('Ready', 'True'), condition('Reconciling', 'True')] },
    want: 'Progressing: Reconciling: m',
  },
  {
    name: 'not synced',
    status: { conditions: [condition('Ready', 'True'), condition('Synced', 'False')] },
    want: 'Progressing: Synced: m',
  },
  {
    name: 'available',
    status: { conditions: [condition('Available', 'True'), condition('Progressing', 'True')] },
    want: 'Healthy: m',
  },
  {
    name: 'not yet observed',
    generation: 3,
    status: { observedGeneration: 2, conditions: [condition('Ready', 'True')] },
    want: 'Progressing: Waiting for generation 3 to be observed, the status is of 2',
  },
  {
    name: 'a condition of before',
    generation: 3,
    status: { conditions: [condition('Ready', 'True', { observedGeneration: 2 })] },
    want: 'Progressing: Waiting for Ready of generation 3',
  },
];

for (const { name, generation = 1, status, want } of unknownKinds)
  test(`kinds without a check: ${name}`, () => {
    const object = { ...widget, metadata: { name: 'w', generation }, status };
    assert.equal(healthOf(object, {}), want);
    assert.equal(healthOf(object, { 'slipway.health.conditions': 'false' }), undefined);
  });

test('kinds of API servers have no opinion by conditions', () => {
  const status = { conditions: [condition('Ready', 'False')] };
  for (const apiVersion of ['v1', 'rbac.authorization.k8s.io/v1', 'storage.k8s.io/v1', 'policy/v1'])
    assert.equal(healthOf({ ...widget, apiVersion, status }, {}), undefined, apiVersion);
});
