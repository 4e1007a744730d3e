import { setImmediate as nextTurn } from 'node:timers/promises';
import { isObject, type JsonObject } from '#base/json.ts';
import { type GroupDocument, swaggerPath, swaggerSchema } from './openapi-v2.ts';
import { encodeDefinition, encodeDocument, encodePath } from './openapi-v2-protobuf.ts';

export type SwaggerForm = 'json' | 'protobuf';

const info = { title: 'Kubernetes', version: 'v1.33.0' };

/** Work is cut after this many milliseconds, so that others get their turn. */
const stepMs = 4;

/**
 * The OpenAPI v2 document of all groups, as JSON or in the protobuf form. What two groups share is said once. Made in
 * short steps: it is about two megabytes long.
 */
export async function swaggerDocument(documents: Iterable<GroupDocument>, form: SwaggerForm): Promise<Buffer> {
  const definitions = new Map<string, Buffer>();
  const paths = new Map<string, Buffer>();
  const steps = new Steps();
  for (const { schemas, paths: items } of documents) {
    for (const [name, schema] of Object.entries(schemas)) {
      if (definitions.has(name)) continue;
      const definition = swaggerSchema(schema);
      definitions.set(name, form === 'json' ? entry(name, definition) : encodeDefinition(name, definition));
      await steps.pause();
    }
    for (const [name, item] of Object.entries(items)) {
      if (!isObject(item)) continue;
      const path = swaggerPath(item);
      paths.set(name, form === 'json' ? entry(name, path) : encodePath(name, path));
      await steps.pause();
    }
  }
  const parts = { definitions: [...definitions.values()], paths: [...paths.values()] };
  return form === 'json' ? jsonDocument(parts) : encodeDocument(info, parts);
}

class Steps {
  #began = performance.now();

  async pause(): Promise<void> {
    if (performance.now() - this.#began < stepMs) return;
    await nextTurn();
    this.#began = performance.now();
  }
}

function entry(name: string, value: JsonObject): Buffer {
  return Buffer.from(`${JSON.stringify(name)}:${JSON.stringify(value)}`, 'utf8');
}

function jsonDocument({ definitions, paths }: { definitions: Buffer[]; paths: Buffer[] }): Buffer {
  const listed = (entries: Buffer[]): Buffer[] =>
    entries.flatMap((bytes, index) => (index === 0 ? [bytes] : [Buffer.from(','), bytes]));
  return Buffer.concat([
    Buffer.from(`{"swagger":"2.0","info":${JSON.stringify(info)},"paths":{`),
    ...listed(paths),
    Buffer.from('},"definitions":{'),
    ...listed(definitions),
    Buffer.from('}}\n'),
  ]);
}
