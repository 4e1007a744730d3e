import { getArray, getObject, getString, isObject, type JsonObject } from '#base/json.ts';
import type { Cluster } from '../suite/cluster.ts';

export const resource = 'apps/v1/deployments';

export interface Shape {
  replicas?: number | null;
  labels?: Record<string, string>;
  finalizers?: string[];
  env?: JsonObject[] | null;
  ports?: JsonObject[];
}

/** A whole Deployment as one manager wants it. Of no replicas: pods are no part of these cases. */
export function whole(name: string, shape: Shape = {}): JsonObject {
  const { replicas = 0, labels, finalizers, env, ports = [{ containerPort: 80 }] } = shape;
  const metadata = { name, ...(labels && { labels }), ...(finalizers && { finalizers }) };
  const container = { name: 'c', image: 'x:1', args: ['a'], ports, ...(env === undefined ? {} : { env }) };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      ...(shape.replicas === undefined && replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: [container] } },
    },
  };
}

/** What another manager says about it. */
export function part(name: string, more: JsonObject): JsonObject {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, ...more };
}

export function without(object: JsonObject, key: string): JsonObject {
  const { [key]: _, ...spec } = getObject(object, 'spec');
  return { ...object, spec };
}

export interface Owned {
  manager: string;
  operation: string;
  subresource: string | undefined;
  fields: JsonObject;
}

/** Who owns what, without the controllers. */
export function owned(object: JsonObject): Record<string, Owned> {
  const entries = getArray(object, 'metadata', 'managedFields').filter(isObject);
  const kept = entries.filter((entry) => !/controller/.test(String(entry['manager'])));
  return Object.fromEntries(
    kept.map((entry) => {
      const manager = String(entry['manager']);
      const operation = String(entry['operation']);
      const subresource = getString(entry, 'subresource');
      return [
        [manager, operation, ...(subresource === undefined ? [] : [subresource])].join('/'),
        { manager, operation, subresource, fields: getObject(entry, 'fieldsV1') },
      ];
    }),
  );
}

export const fieldsOf = (object: JsonObject): Record<string, JsonObject> =>
  Object.fromEntries(Object.entries(owned(object)).map(([key, entry]) => [key, entry.fields]));

export const envKey = (name: string) => `k:{"name":"${name}"}`;
export const envEntry = { '.': {}, 'f:name': {}, 'f:value': {} };
export const port80 = { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } };

export function containerFields(more: JsonObject = {}): JsonObject {
  return {
    'f:containers': {
      'k:{"name":"c"}': { '.': {}, 'f:args': {}, 'f:image': {}, 'f:name': {}, 'f:ports': port80, ...more },
    },
  };
}

export function wholeFields(more: JsonObject = {}, spec: JsonObject = { 'f:replicas': {} }): JsonObject {
  return {
    'f:spec': {
      ...spec,
      'f:selector': {},
      'f:template': { 'f:metadata': { 'f:labels': { 'f:a': {} } }, 'f:spec': containerFields(more) },
    },
  };
}

export async function applied(k: Cluster, manager: string, body: JsonObject, query = ''): Promise<JsonObject> {
  const answer = await k.apply(k.at(resource, getString(body, 'metadata', 'name')), manager, body, query);
  if (answer.code !== 200 && answer.code !== 201) throw new Error(`apply answered ${answer.code}: ${answer.text}`);
  return answer.body;
}

export const env = [
  { name: 'A', value: '1' },
  { name: 'B', value: '2' },
];
