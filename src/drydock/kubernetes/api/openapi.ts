import { createHash } from 'node:crypto';
import { getArray, isObject, type JsonObject } from '#base/json.ts';
import type { Exchange } from './exchange.ts';
import { resourcePaths } from './openapi-paths.ts';
import type { TypeRegistry } from './port.ts';
import type { ServedResource, ServedResources } from './served.ts';

interface Document {
  text: string;
  hash: string;
}

/** OpenAPI v3: a root that names one document per group and version by its hash, live for custom resources. */
export class OpenApi {
  readonly #served: ServedResources;
  readonly #types: TypeRegistry;
  #computedFor = 0;
  readonly #documents = new Map<string, Document>();
  /** Documents of built-in groups never change. */
  readonly #builtin = new Map<string, Document>();

  constructor({ served, types }: { served: ServedResources; types: TypeRegistry }) {
    this.#served = served;
    this.#types = types;
  }

  /** `/openapi/v3` and what it names; false for other paths. */
  async answer(exchange: Exchange): Promise<boolean> {
    const { pathname } = exchange.url;
    if (pathname === '/openapi/v3' || pathname === '/openapi/v3/') {
      await exchange.text(200, this.#root(), 'text/plain; charset=utf-8');
      return true;
    }
    if (!pathname.startsWith('/openapi/v3/')) return false;
    const document = this.#document(pathname.slice('/openapi/v3/'.length));
    if (!document) return false;
    await sendDocument(exchange, document);
    return true;
  }

  #root(): string {
    const paths: JsonObject = {};
    for (const path of this.#groupVersionPaths())
      paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${this.#document(path)?.hash ?? ''}` };
    return `${JSON.stringify({ paths })}\n`;
  }

  #groupVersionPaths(): string[] {
    return [...new Set(this.#served.all().map(documentPath))].sort();
  }

  #document(path: string): Document | undefined {
    if (this.#computedFor !== this.#served.generation) {
      this.#computedFor = this.#served.generation;
      this.#documents.clear();
    }
    const known = this.#builtin.get(path) ?? this.#documents.get(path);
    if (known) return known;
    const resources = this.#served.all().filter((resource) => documentPath(resource) === path);
    const first = resources[0];
    if (!first) return undefined;
    const text = `${JSON.stringify(groupDocument(this.#types, first, resources))}\n`;
    const document = { text, hash: createHash('sha512').update(text).digest('hex').toUpperCase() };
    (resources.some((resource) => resource.custom) ? this.#documents : this.#builtin).set(path, document);
    return document;
  }
}

async function sendDocument(exchange: Exchange, { text, hash }: Document): Promise<void> {
  const { response, query, url } = exchange;
  const asked = query.get('hash');
  if (asked !== null && asked !== hash) {
    response.writeHead(301, { Location: `${url.pathname}?hash=${hash}` });
    response.end();
    return;
  }
  response.setHeader('ETag', `"${hash}"`);
  response.setHeader('Vary', 'Accept');
  response.setHeader('Cache-Control', asked === null ? 'no-cache, private' : 'public, immutable');
  if (exchange.header('if-none-match') === `"${hash}"`) {
    response.writeHead(304);
    response.end();
    return;
  }
  await exchange.text(200, text, 'application/json');
}

function documentPath(resource: ServedResource): string {
  return resource.group === '' ? `api/${resource.version}` : `apis/${resource.group}/${resource.version}`;
}

function groupDocument(types: TypeRegistry, group: ServedResource, resources: ServedResource[]): JsonObject {
  const custom = resources.filter((resource) => resource.custom);
  const schemas =
    custom.length === resources.length
      ? customSchemas(types, custom)
      : { ...types.openApiSchemas(group.group, group.version), ...customSchemas(types, custom) };
  const paths: JsonObject = {};
  for (const resource of resources) {
    const name = schemaNameOf(schemas, resource, resource.kind);
    const listName = schemaNameOf(schemas, resource, resource.listKind) ?? name;
    Object.assign(paths, resourcePaths(resource, { schema: name, listSchema: listName }));
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.33.0' },
    paths,
    components: { schemas },
  };
}

function schemaNameOf(schemas: JsonObject, resource: ServedResource, kind: string): string | undefined {
  return Object.entries(schemas).find(([, schema]) =>
    getArray(schema, 'x-kubernetes-group-version-kind').some(
      (gvk) =>
        isObject(gvk) &&
        gvk['kind'] === kind &&
        gvk['version'] === resource.version &&
        (gvk['group'] ?? '') === resource.group,
    ),
  )?.[0];
}

function customSchemas(types: TypeRegistry, resources: ServedResource[]): JsonObject {
  if (resources.length === 0) return {};
  const core = types.openApiSchemas('', 'v1');
  const objectMeta = Object.keys(core).find((name) => name.endsWith('.ObjectMeta'));
  const listMeta = Object.keys(core).find((name) => name.endsWith('.ListMeta'));
  const schemas: JsonObject = closure(core, [objectMeta, listMeta]);
  for (const resource of resources) {
    const base = `${resource.group.split('.').reverse().join('.')}.${resource.version}.${resource.kind}`;
    schemas[base] = customSchema(resource, objectMeta);
    schemas[`${base}List`] = customListSchema(resource, { base, listMeta });
  }
  return schemas;
}

const texts = {
  apiVersion:
    'APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values.',
  kind: 'Kind is a string value representing the REST resource this object represents. Cannot be updated. In CamelCase.',
};

function typeMembers(): JsonObject {
  return {
    apiVersion: { type: 'string', description: texts.apiVersion },
    kind: { type: 'string', description: texts.kind },
  };
}

function customSchema(resource: ServedResource, objectMeta: string | undefined): JsonObject {
  const schema = resource.custom?.schema ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  return {
    ...schema,
    properties: {
      ...properties,
      ...typeMembers(),
      metadata: objectMeta === undefined ? { type: 'object' } : { allOf: [reference(objectMeta)], default: {} },
    },
    'x-kubernetes-group-version-kind': [{ group: resource.group, version: resource.version, kind: resource.kind }],
  };
}

function customListSchema(
  resource: ServedResource,
  { base, listMeta }: { base: string; listMeta: string | undefined },
): JsonObject {
  return {
    type: 'object',
    description: `${resource.listKind} is a list of ${resource.kind}`,
    required: ['items'],
    properties: {
      ...typeMembers(),
      items: { type: 'array', items: reference(base) },
      metadata: listMeta === undefined ? { type: 'object' } : { allOf: [reference(listMeta)], default: {} },
    },
    'x-kubernetes-group-version-kind': [{ group: resource.group, version: resource.version, kind: resource.listKind }],
  };
}

function reference(name: string): JsonObject {
  return { $ref: `#/components/schemas/${name}` };
}

/** The named schemas and all they refer to. */
function closure(schemas: JsonObject, names: (string | undefined)[]): JsonObject {
  const found: JsonObject = {};
  const todo = names.filter((name) => name !== undefined);
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    const schema = schemas[name];
    if (found[name] !== undefined || schema === undefined) continue;
    found[name] = schema;
    for (const [, inner] of JSON.stringify(schema).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g))
      if (inner !== undefined) todo.push(inner);
  }
  return found;
}
