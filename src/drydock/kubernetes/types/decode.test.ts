import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '#base/json.ts';
import type { Gvk, KindType } from '../api/port.ts';
import { createTypeRegistry } from './registry.ts';

const registry = createTypeRegistry();
const gvks: Record<string, Gvk> = {
  Deployment: { group: 'apps', version: 'v1', kind: 'Deployment' },
  Pod: { group: '', version: 'v1', kind: 'Pod' },
  Service: { group: '', version: 'v1', kind: 'Service' },
  Secret: { group: '', version: 'v1', kind: 'Secret' },
  Event: { group: '', version: 'v1', kind: 'Event' },
  Lease: { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' },
  ConfigMap: { group: '', version: 'v1', kind: 'ConfigMap' },
};

function kind(name: string): KindType {
  const gvk = gvks[name];
  const type = gvk === undefined ? undefined : registry.builtin(gvk);
  assert.ok(type, `${name} is not served`);
  return type;
}

test('a Deployment is printed as Go prints it: empty structs stay, empty lists and maps go', () => {
  const { object, unknownFields } = kind('Deployment').decode({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop', labels: {}, annotations: { z: '1', a: '2' }, creationTimestamp: null },
    spec: {
      selector: { matchLabels: { app: 'shop' } },
      template: {
        metadata: { labels: { app: 'shop' } },
        spec: { containers: [{ name: 'web', image: 'shop:1', env: [], args: null }], volumes: [] },
      },
    },
  });
  assert.deepEqual(unknownFields, []);
  assert.deepEqual(object, {
    kind: 'Deployment',
    apiVersion: 'apps/v1',
    metadata: { name: 'shop', annotations: { a: '2', z: '1' } },
    spec: {
      selector: { matchLabels: { app: 'shop' } },
      template: {
        metadata: { creationTimestamp: null, labels: { app: 'shop' } },
        spec: { containers: [{ name: 'web', image: 'shop:1', resources: {} }] },
      },
      strategy: {},
    },
    status: {},
  });
});

test('a pointer keeps its zero, a plain value drops it', () => {
  const { object } = kind('Deployment').decode({ spec: { replicas: 0, minReadySeconds: 0, paused: false } });
  assert.deepEqual(Object.keys(object['spec'] as JsonObject).sort(), ['replicas', 'selector', 'strategy', 'template']);
});

test('values become canonical', () => {
  const pod = kind('Pod').decode({
    spec: { containers: [{ name: 'c', resources: { limits: { memory: '2048Ki', cpu: 0.25 } } }] },
  }).object;
  const [container] = (pod['spec'] as { containers: JsonObject[] }).containers;
  assert.deepEqual(container?.['resources'], { limits: { cpu: '250m', memory: '2Mi' } });
  const lease = kind('Lease').decode({ spec: { renewTime: '2026-01-01T01:00:00.500000+01:00' } }).object;
  assert.deepEqual(lease['spec'], { renewTime: '2026-01-01T00:00:00.500000Z' });
  const event = kind('Event').decode({ lastTimestamp: '2026-01-01T00:00:00.9Z' }).object;
  assert.equal(event['lastTimestamp'], '2026-01-01T00:00:00Z');
  assert.equal(event['firstTimestamp'], null);
});

test('unknown fields are dropped and told in the order of the document', () => {
  const { object, unknownFields } = kind('Deployment').decode({
    bogus: 1,
    spec: { foo: {}, template: { spec: { containers: [{ name: 'a' }, { imag: 'x' }], nodeSelector: { any: 'key' } } } },
    metadata: { owner: 'me' },
  });
  assert.deepEqual(unknownFields, ['bogus', 'spec.foo', 'spec.template.spec.containers[1].imag', 'metadata.owner']);
  assert.equal('bogus' in object, false);
});

test('the input is not changed', () => {
  const raw = { spec: { template: { spec: { containers: [{ name: 'c', resources: { limits: { cpu: '0.5' } } }] } } } };
  const before = structuredClone(raw);
  kind('Deployment').decode(raw);
  assert.deepEqual(raw, before);
});

const refusals: { name: string; of: string; raw: JsonObject; why: string }[] = [
  {
    name: 'text for a number',
    of: 'Deployment',
    raw: { spec: { replicas: 'three' } },
    why: 'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
  },
  {
    name: 'a number for text, deep in a list',
    of: 'Deployment',
    raw: { spec: { template: { spec: { containers: [{ name: 'a' }, { name: 7 }] } } } },
    why: 'json: cannot unmarshal number into Go struct field Container.spec.template.spec.containers.name of type string',
  },
  {
    name: 'a fraction for a whole number',
    of: 'Deployment',
    raw: { spec: { replicas: 1.5 } },
    why: 'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
  },
  {
    name: 'a number too big',
    of: 'Deployment',
    raw: { spec: { replicas: 3000000000 } },
    why: 'json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32',
  },
  {
    name: 'a label that is a truth value',
    of: 'ConfigMap',
    raw: { metadata: { labels: { a: true } } },
    why: 'json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string',
  },
  {
    name: 'an object for a named text',
    of: 'Service',
    raw: { spec: { type: {} } },
    why: 'json: cannot unmarshal object into Go struct field ServiceSpec.spec.type of type v1.ServiceType',
  },
  {
    name: 'an object for a list',
    of: 'Pod',
    raw: { spec: { containers: {} } },
    why: 'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container',
  },
  {
    name: 'the first of two, in the order of the document',
    of: 'Deployment',
    raw: { spec: { template: 1, replicas: 'x' } },
    why: 'json: cannot unmarshal number into Go struct field DeploymentSpec.spec.template of type v1.PodTemplateSpec',
  },
  {
    name: 'a number for a time',
    of: 'Pod',
    raw: { metadata: { creationTimestamp: 5 } },
    why: 'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string',
  },
  {
    name: 'a number for a uid',
    of: 'Pod',
    raw: { metadata: { uid: 5 } },
    why: 'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.uid of type types.UID',
  },
  {
    name: 'a quantity',
    of: 'Pod',
    raw: { spec: { containers: [{ name: 'c', resources: { limits: { cpu: 'lots' } } }] } },
    why: "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  },
  {
    name: 'base64',
    of: 'Secret',
    raw: { data: { key: 'not base64' } },
    why: 'illegal base64 data at input byte 3',
  },
];

for (const { name, of, raw, why } of refusals) {
  test(`wrong type: ${name}`, () => {
    const message = `${of} in version "v1" cannot be handled as a ${of}: ${why}`;
    assert.throws(() => kind(of).decode(raw), { code: 400, reason: 'BadRequest', message });
  });
}

test('an empty list of managed fields outlives decoding, because it asks to forget them', () => {
  assert.deepEqual(kind('ConfigMap').decode({ metadata: { managedFields: [] } }).object.metadata.managedFields, []);
});

test('unknown kinds are not served', () => {
  assert.equal(registry.builtin({ group: 'apps', version: 'v1beta1', kind: 'Deployment' }), undefined);
  assert.equal(registry.builtin({ group: '', version: 'v1', kind: 'PodExecOptions' }), undefined);
});
