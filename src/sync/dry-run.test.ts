import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '#base/errors.ts';
import type { KubeObject } from '#kube/port.ts';
import { parseSyncOptions } from '#model/argocd/sync-options.ts';
import { AcceptedShapes, dryRunTasks, schemaShape } from './dry-run.ts';
import { task } from './testing-task.ts';
import { dropFields, unknownFields } from './unknown-fields.ts';

const deployment = (name: string, spec: unknown): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, labels: { app: name } },
  spec,
});

test('a shape knows fields and types, not values, names or free keys', () => {
  const one = schemaShape(deployment('a', { replicas: 1, template: { spec: { containers: [{ name: 'x' }] } } }));
  const same = deployment('b', { replicas: 7, template: { spec: { containers: [{ name: 'y' }, { name: 'z' }] } } });
  assert.equal(schemaShape({ ...same, metadata: { name: 'b', labels: { other: 'key', more: 'x' } } }), one);
  for (const spec of [
    { replicas: '1', template: { spec: { containers: [{ name: 'x' }] } } },
    { replicas: 1, template: { spec: { containers: [{ name: 'x', imagee: 'y' }] } } },
    { replicas: 1 },
  ])
    assert.notEqual(schemaShape(deployment('a', spec)), one);
});

/** Asks a server that knows no field `bad`, and one that does not know quota but refuses `big`. */
async function tried(tasks: ReturnType<typeof task>[], accepted = new AcceptedShapes()) {
  const asked: string[] = [];
  const apply = async (object: KubeObject): Promise<KubeObject> => {
    asked.push(object.metadata.name);
    const { name } = object.metadata;
    if ('bad' in object) throw new AppError('bad-input', `apply ${name}: .bad: field not declared in schema`);
    if ('big' in object) throw new AppError('bad-input', `apply ${name}: ConfigMap "${name}" is invalid: big`);
    if ('denied' in object) throw new AppError('forbidden', `apply ${name}: exceeded quota`);
    return object;
  };
  const failed = await dryRunTasks({ kube: { apply }, accepted }, tasks, AbortSignal.timeout(1000));
  return { asked, failed: failed.map(({ name, status, hookPhase }) => [name, status, hookPhase]) };
}
const map = (name: string, more: Record<string, unknown> = {}, fields: Partial<ReturnType<typeof task>> = {}) => {
  const base = task(name);
  return { ...base, target: { ...base.target, ...more } as KubeObject, ...fields };
};

test('one object of each unknown shape is asked about, and never again', async () => {
  const accepted = new AcceptedShapes();
  const tasks = [map('a'), map('b'), map('c', { data: { x: 'y' } })];
  assert.deepEqual((await tried(tasks, accepted)).asked, ['a', 'c']);
  assert.deepEqual((await tried(tasks, accepted)).asked, []);
  accepted.clear();
  assert.deepEqual((await tried(tasks, accepted)).asked, ['a', 'c']);
});

const failedRow = (name: string) => [[name, 'SyncFailed', 'Failed']];
const rows: { name: string; tasks: ReturnType<typeof task>[]; asked: string[]; failed: unknown[] }[] = [
  { name: 'malformed', tasks: [map('m', { bad: 1 })], asked: ['m'], failed: failedRow('m') },
  { name: 'a value that only the server can refuse', tasks: [map('v', { big: 1 })], asked: ['v'], failed: [] },
  { name: 'a quota', tasks: [map('q', { denied: 1 })], asked: ['q'], failed: [] },
  { name: 'a prune', tasks: [task('p', { prune: true })], asked: [], failed: [] },
  { name: 'not served yet', tasks: [map('s', { bad: 1 }, { skipDryRun: true })], asked: [], failed: [] },
  {
    name: 'Validate=false',
    tasks: [map('w', { bad: 1 }, { options: parseSyncOptions([], 'Validate=false') })],
    asked: [],
    failed: [],
  },
  {
    name: 'what the comparison has asked',
    tasks: [map('k', { bad: 1 }, { foreseen: { rejected: undefined } })],
    asked: [],
    failed: [],
  },
  {
    name: 'what the comparison was told',
    tasks: [map('r', {}, { foreseen: { rejected: 'apply r: .x: field not declared in schema' } })],
    asked: [],
    failed: failedRow('r'),
  },
  {
    name: 'an immutable field, as the comparison was told',
    tasks: [map('i', {}, { foreseen: { rejected: 'apply i: Job "i" is invalid: field is immutable' } })],
    asked: [],
    failed: [],
  },
  {
    name: 'in a namespace that is still to come',
    tasks: [map('x', { bad: 1 }), task('n', { kind: 'Namespace', key: { group: '', kind: 'Namespace', name: 'n' } })],
    asked: ['n'],
    failed: [],
  },
];
for (const row of rows)
  test(`dry run: ${row.name}`, async () => {
    assert.deepEqual(await tried(row.tasks), { asked: row.asked, failed: row.failed });
  });

test('Validate=false drops exactly the fields that the server names', () => {
  const message =
    'failed to create typed patch object (n/web; apps/v1, Kind=Deployment): errors:\n' +
    '  .spec.foo: field not declared in schema\n' +
    '  .spec.template.spec.containers[name="web"].imagePullPolicyy: field not declared in schema';
  const paths = unknownFields(message);
  assert.deepEqual(paths, ['.spec.foo', '.spec.template.spec.containers[name="web"].imagePullPolicyy']);
  const containers = [
    { name: 'web', imagePullPolicyy: 'x', image: 'i' },
    { name: 'other', imagePullPolicyy: 'y' },
  ];
  const out = dropFields(deployment('web', { foo: 1, bar: 2, template: { spec: { containers } } }), paths);
  assert.deepEqual(out['spec'], {
    bar: 2,
    template: {
      spec: {
        containers: [
          { name: 'web', image: 'i' },
          { name: 'other', imagePullPolicyy: 'y' },
        ],
      },
    },
  });
});
