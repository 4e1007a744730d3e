import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiObject } from '../api/port.ts';
import { type GarbageAction, type OwnerState, planGarbage } from './garbage-plan.ts';

const reference = (name: string, blockOwnerDeletion = true) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name,
  uid: name,
  blockOwnerDeletion,
});
const object = (name: string, metadata: Partial<ApiObject['metadata']> = {}): ApiObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, uid: name, ...metadata },
});
const deleted = { deletionTimestamp: '2026-01-01T00:00:00Z' };
const child = object('child', { ownerReferences: [reference('o')] });
const looseChild = object('loose', { ownerReferences: [reference('o', false)] });

const cases: {
  name: string;
  object: ApiObject;
  states?: OwnerState[];
  dependents?: ApiObject[];
  want: GarbageAction[];
}[] = [
  { name: 'no owners', object: object('a'), want: [] },
  { name: 'a living owner', object: child, states: ['solid'], want: [] },
  {
    name: 'an absent owner',
    object: child,
    states: ['absent'],
    want: [{ kind: 'delete', propagationPolicy: 'Background' }],
  },
  { name: 'an owner of a kind nobody serves', object: child, states: ['unknown'], want: [] },
  {
    name: 'one of two owners is absent',
    object: object('c', { ownerReferences: [reference('gone'), reference('o')] }),
    states: ['absent', 'solid'],
    want: [{ kind: 'keep-owners', owners: [reference('o')] }],
  },
  {
    name: 'the owner waits',
    object: child,
    states: ['waiting'],
    want: [{ kind: 'delete', propagationPolicy: 'Background' }],
  },
  {
    name: 'the owner waits and there are dependents below',
    object: child,
    states: ['waiting'],
    dependents: [object('grandchild')],
    want: [{ kind: 'delete', propagationPolicy: 'Foreground' }],
  },
  {
    name: 'foreground: dependents first',
    object: object('o', { ...deleted, finalizers: ['foregroundDeletion'] }),
    dependents: [child],
    want: [{ kind: 'delete-dependents', dependents: [child] }],
  },
  {
    name: 'foreground: a dependent that does not block is deleted and not waited for',
    object: object('o', { ...deleted, finalizers: ['foregroundDeletion'] }),
    dependents: [looseChild],
    want: [
      { kind: 'delete-dependents', dependents: [looseChild] },
      { kind: 'remove-finalizer', finalizer: 'foregroundDeletion' },
    ],
  },
  {
    name: 'foreground: waits for those being deleted',
    object: object('o', { ...deleted, finalizers: ['foregroundDeletion'] }),
    dependents: [object('child', { ...deleted, ownerReferences: [reference('o')] })],
    want: [],
  },
  {
    name: 'orphan: dependents are let go',
    object: object('o', { ...deleted, finalizers: ['orphan'] }),
    dependents: [child],
    want: [
      { kind: 'orphan-dependents', dependents: [child] },
      { kind: 'remove-finalizer', finalizer: 'orphan' },
    ],
  },
  {
    name: 'being deleted with finalizers of others',
    object: object('o', { ...deleted, finalizers: ['x.io/y'] }),
    dependents: [child],
    want: [],
  },
];

for (const { name, object: subject, states = [], dependents = [], want } of cases)
  test(`garbage: ${name}`, () => assert.deepEqual(planGarbage(subject, states, dependents), want));
