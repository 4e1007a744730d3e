import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '#kube/port.ts';
import { defaultSettings, type IgnoreFields } from '#model/argocd/settings.ts';
import { isIgnoredUpdate } from './ignore-updates.ts';

const fields = (part: Partial<IgnoreFields>): IgnoreFields => ({
  ...{ jsonPointers: [], jqPathExpressions: [], managedFieldsManagers: [] },
  ...part,
});
const object = (version: string, status: Record<string, unknown>, metadata: object = {}): KubeObject => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name: 'a', uid: 'u', resourceVersion: version, ...metadata },
  spec: { size: 1 },
  status,
});
const before = object('1', { seen: 1, phase: 'Ready' });
const rule = (part: Partial<IgnoreFields>) => ({
  group: 'example.com',
  kind: 'Widget',
  ignoreResourceUpdates: fields(part),
});
const seen = rule({ jsonPointers: ['/status/seen'] });

const rows: {
  name: string;
  after: KubeObject;
  customizations?: (typeof defaultSettings)['customizations'];
  on?: boolean;
  want: boolean;
}[] = [
  { name: 'only what is ignored', after: object('2', { seen: 2, phase: 'Ready' }), want: true },
  { name: 'something else too', after: object('2', { seen: 2, phase: 'Failed' }), want: false },
  {
    name: 'another object of the name',
    after: { ...object('2', { seen: 2, phase: 'Ready' }), metadata: { name: 'a', uid: 'v' } },
    want: false,
  },
  {
    name: 'it is being deleted',
    after: object('2', { seen: 2, phase: 'Ready' }, { deletionTimestamp: 'now' }),
    want: false,
  },
  {
    name: 'no rule for the kind',
    after: object('2', { seen: 2, phase: 'Ready' }),
    customizations: [{ ...seen, kind: 'Other' }],
    want: false,
  },
  {
    name: 'by a jq expression, for all kinds',
    after: object('2', { seen: 2, phase: 'Ready' }),
    customizations: [{ ...rule({ jqPathExpressions: ['.status.seen'] }), group: '*', kind: '*' }],
    want: true,
  },
  {
    name: 'what is ignored as a difference',
    after: object('2', { seen: 2, phase: 'Ready' }),
    customizations: [
      { group: 'example.com', kind: 'Widget', ignoreDifferences: fields({ jsonPointers: ['/status/seen'] }) },
    ],
    want: true,
  },
  {
    name: 'the health changes with it',
    after: object('2', { seen: 2, phase: 'Failed' }),
    customizations: [rule({ jsonPointers: ['/status'] })],
    want: false,
  },
  {
    name: 'an expression that cannot be read',
    after: object('2', { seen: 2, phase: 'Ready' }),
    customizations: [rule({ jqPathExpressions: ['.a['] })],
    want: false,
  },
  { name: 'switched off', after: object('2', { seen: 2, phase: 'Ready' }), on: false, want: false },
];
for (const { name, after, customizations = [seen], on = true, want } of rows)
  test(`an update is ignored: ${name}`, () => {
    const compare = { ...defaultSettings.compare, ignoreResourceUpdates: on };
    const assess = ({ status }: KubeObject) =>
      ({ status: (status as { phase: string }).phase === 'Ready' ? 'Healthy' : 'Degraded' }) as const;
    assert.equal(isIgnoredUpdate(before, after, { settings: { customizations, compare }, assess }), want);
  });
