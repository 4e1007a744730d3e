import { createHash } from 'node:crypto';
import type { Clock } from '#base/clock.ts';
import { getArray, isObject, type JsonObject } from '#base/json.ts';
import type { TypeRegistry } from '../port.ts';
import type { Exchange } from '../protocol/exchange.ts';
import type { ServedResource, ServedResources } from '../served.ts';
import { resourcePaths } from './openapi-paths.ts';
import type { GroupDocument } from './openapi-v2.ts';
import { type SwaggerForm, swaggerDocument } from './openapi-v2-document.ts';

interface Document {
  text: string;
  hash: string;
}

const protobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/** OpenAPI v2 as one document; v3: a root that names one document per group and version by its hash, live for custom resources. */
export class OpenApi {
  readonly #served: ServedResources;
  readonly #types: TypeRegistry;
  #computedFor = 0;
  readonly #documents = new Map<string, Document>();
  /** Documents of built-in groups never change. */
  readonly #builtin = new Map<string, Document>();
  readonly #swagger = new Map<SwaggerForm, Promise<Buffer>>();
  readonly #clock: Clock;
  #changedAt: number;

  constructor({ served, types, clock }: { served: ServedResources; types: TypeRegistry; clock: Clock }) {
    this.#served = served;
    this.#types = types;
    this.#clock = clock;
    this.#changedAt = clock.now();
  }

  /** `/openapi/v2`, `/openapi/v3` and what that names; false for other paths. */
  async answer(exchange: Exchange): Promise<boolean> {
    const { pathname } = exchange.url;
    this.#refresh();
    if (pathname === '/openapi/v2') {
      await this.#sendSwagger(exchange);
      return true;
    }
    if (pathname === '/openapi/v3' || pathname === '/openapi/v3/') {
      await this.#sendRoot(exchange);
      return true;
    }
    if (!pathname.startsWith('/openapi/v3/')) return false;
    const document = this.#document(pathname.slice('/openapi/v3/'.length));
    if (!document) return false;
    await sendDocument(exchange, document, this.#clock.now() + keptMs);
    return true;
  }

  #refresh(): void {
    if (this.#computedFor === this.#served.generation) return;
    this.#computedFor = this.#served.generation;
    this.#changedAt = this.#clock.now();
    this.#documents.clear();
    this.#swagger.clear();
  }

  async #sendRoot(exchange: Exchange): Promise<void> {
    const changed = Math.floor(this.#changedAt / 1000) * 1000;
    // Dates count whole seconds: within the one of the change, what was read may be what was there before it.
    const settled = this.#clock.now() >= changed + 1000;
    if (settled) exchange.response.setHeader('Last-Modified', new Date(changed).toUTCString());
    if (settled && Date.parse(exchange.header('if-modified-since') ?? '') >= changed) {
      exchange.response.writeHead(304);
      exchange.response.end();
      return;
    }
    await exchange.text(200, this.#root(), 'text/plain; charset=utf-8');
  }

  async #sendSwagger(exchange: Exchange): Promise<void> {
    const form = /spec\.v2[@.]v1\.0\+protobuf/.test(exchange.header('accept') ?? '') ? 'protobuf' : 'json';
    let made = this.#swagger.get(form);
    if (!made) {
      made = swaggerDocument(this.#groupDocuments(), form);
      this.#swagger.set(form, made);
    }
    const { response } = exchange;
    const bytes = await made;
    response.writeHead(200, {
      'Content-Type': form === 'protobuf' ? protobufType : 'application/json',
      'Content-Length': bytes.length,
      Vary: 'Accept',
    });
    response.end(exchange.method === 'HEAD' ? undefined : bytes);
  }

  *#groupDocuments(): Iterable<GroupDocument> {
    for (const path of this.#groupVersionPaths()) yield groupParts(this.#types, this.#resourcesOf(path));
  }

  #resourcesOf(path: string): ServedResource[] {
    return this.#served.all().filter((resource) => documentPath(resource) === path);
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
    const known = this.#builtin.get(path) ?? this.#documents.get(path);
    if (known) return known;
    const resources = this.#resourcesOf(path);
    if (resources.length === 0) return undefined;
    const text = `${JSON.stringify(groupDocument(groupParts(this.#types, resources)))}\n`;
    const document = { text, hash: createHash('sha512').update(text).digest('hex').toUpperCase() };
    (resources.some((resource) => resource.custom) ? this.#documents : this.#builtin).set(path, document);
    return document;
  }
}

const keptMs = 365 * 24 * 3_600_000;

async function sendDocument(exchange: Exchange, { text, hash }: Document, expires: number): Promise<void> {
  const { response, query, url } = exchange;
  const asked = query.get('hash');
  if (asked !== null && asked !== hash) {
    response.writeHead(301, { Location: `${url.pathname}?hash=${hash}` });
    response.end();
    return;
  }
  response.setHeader('ETag', `"${hash}"`);
  response.setHeader('Vary', 'Accept');
  if (asked !== null) response.setHeader('Expires', new Date(expires).toUTCString());
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

function groupDocument({ paths, schemas }: GroupDocument): JsonObject {
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.33.0' },
    paths,
    components: { schemas },
  };
}

/** `resources` are those of one group and version. */
function groupParts(types: TypeRegistry, resources: ServedResource[]): GroupDocument {
  const { group = '', version = '' } = resources[0] ?? {};
  const custom = resources.filter((resource) => resource.custom);
  const schemas =
    custom.length === resources.length
      ? customSchemas(types, custom)
      : { ...types.openApiSchemas(group, version), ...customSchemas(types, custom) };
  const paths: JsonObject = {};
  for (const resource of resources) {
    const name = schemaNameOf(schemas, resource, resource.kind);
    const listName = schemaNameOf(schemas, resource, resource.listKind) ?? name;
    Object.assign(paths, resourcePaths(resource, { schema: name, listSchema: listName }));
  }
  return { paths, schemas };
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
