import type { JsonObject } from '#base/json.ts';
import type { Cluster } from '../suite/cluster.ts';

export const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
export const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
export const unchecked: [string, string] = [
  '<nil>',
  'Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
];

export const item = {
  type: 'object',
  properties: { name: { type: 'string' }, v: { type: 'string', default: 'd' } },
  required: ['name'],
};

export const specSchema: JsonObject = {
  type: 'object',
  required: ['mode'],
  properties: {
    mode: {
      type: 'string',
      enum: ['a', 'b', 'x'],
      'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'mode is immutable' }],
    },
    replicas: { type: 'integer', default: 1, maximum: 10 },
    max: { type: 'integer', default: 5 },
    note: { type: 'string', maxLength: 5 },
    when: { type: 'string', format: 'date-time' },
    nul: { type: 'string', nullable: true },
    port: { 'x-kubernetes-int-or-string': true },
    raw: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
    items: { type: 'array', items: item, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
  },
  'x-kubernetes-validations': [
    { rule: 'self.replicas <= self.max', message: 'replicas must be <= max' },
    { rule: "self.mode != 'x' || has(self.note)", messageExpression: "'note needed for ' + self.mode" },
  ],
};

export interface Custom {
  group: string;
  /** Below the area's namespace. */
  path(name?: string, subresource?: string): string;
  apiVersion: string;
  /** `Widget.<group>` as errors of an object say it. */
  kind: string;
}

export const made = new WeakMap<Cluster, Promise<Custom>>();

/** The one definition that the cases share; every run has a group of its own. */
export function custom(k: Cluster): Promise<Custom> {
  const known = made.get(k);
  if (known !== undefined) return known;
  const creating = createCustom(k);
  made.set(k, creating);
  return creating;
}

export function definition(group: string, version: JsonObject): JsonObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'], categories: ['suite'] },
      versions: [{ name: 'v1', served: true, storage: true, ...version }],
    },
  };
}

export async function createCustom(k: Cluster): Promise<Custom> {
  const group = `${k.name('custom')}.example.com`;
  const status = {
    type: 'object',
    properties: { sync: { type: 'string' }, replicas: { type: 'integer' }, selector: { type: 'string' } },
  };
  const version = {
    schema: { openAPIV3Schema: { type: 'object', properties: { spec: specSchema, status } } },
    subresources: {
      status: {},
      scale: {
        specReplicasPath: '.spec.replicas',
        statusReplicasPath: '.status.replicas',
        labelSelectorPath: '.status.selector',
      },
    },
    selectableFields: [{ jsonPath: '.spec.mode' }],
    additionalPrinterColumns: [
      { name: 'Sync', type: 'string', jsonPath: '.status.sync' },
      { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
      { name: 'N', type: 'integer', jsonPath: '.spec.replicas', priority: 1 },
    ],
  };
  await k.create(crds, definition(group, version));
  k.later(() => k.delete(`${crds}/widgets.${group}`));
  const apiVersion = `${group}/v1`;
  const path = (name?: string, subresource?: string) => k.at(`${group}/v1/widgets`, name, subresource);
  await k.eventually('the kind is served', async () => ((await k.get(path())).code === 200 ? true : undefined));
  return { group, path, apiVersion, kind: `Widget.${group}` };
}

export function widget({ apiVersion }: Custom, name: string, spec?: JsonObject): JsonObject {
  return { apiVersion, kind: 'Widget', metadata: { name }, ...(spec && { spec }) };
}
