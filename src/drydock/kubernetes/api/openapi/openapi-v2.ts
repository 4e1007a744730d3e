import { getArray, getObject, getString, isObject, type JsonObject } from '#base/json.ts';

/** One OpenAPI v3 document of a group-version, as far as its translation needs it. */
export interface GroupDocument {
  paths: JsonObject;
  schemas: JsonObject;
}

const componentPrefix = '#/components/schemas/';

/** What version 2 cannot say, and defaults, which the real server leaves out of it. */
const unsaid = new Set(['oneOf', 'anyOf', 'not', 'nullable', 'default', 'allOf', 'example']);

/** An OpenAPI v3 schema as version 2 knows it: what only version 3 can say is left out, as upstream does. */
export function swaggerSchema(schema: unknown): JsonObject {
  if (!isObject(schema)) return {};
  const reference = getString(schema, '$ref') ?? getString(getArray(schema, 'allOf')[0], '$ref');
  const description = getString(schema, 'description');
  const shown = description === undefined ? {} : { description };
  if (reference?.startsWith(componentPrefix) === true)
    return { ...shown, $ref: `#/definitions/${reference.slice(componentPrefix.length)}` };
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const typeless = schema['nullable'] === true || schema['x-kubernetes-int-or-string'] === true;
  const out: JsonObject = {};
  for (const [key, value] of Object.entries(schema)) {
    if (unsaid.has(key) || (typeless && key === 'type')) continue;
    if (key === 'properties') {
      if (!open && isObject(value)) out[key] = mapped(value);
    } else if (key === 'items') {
      if (!open) out[key] = swaggerSchema(value);
    } else if (key === 'additionalProperties') out[key] = isObject(value) ? swaggerSchema(value) : value;
    else out[key] = value;
  }
  // Quantities and numbers-or-strings: version 2 calls both strings.
  if (out['type'] === undefined && !typeless && getArray(schema, 'oneOf').length > 0) out['type'] = 'string';
  return out;
}

function mapped(properties: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, swaggerSchema(schema)]));
}

const methods = ['get', 'put', 'post', 'delete', 'patch'] as const;

/** One path of an OpenAPI v3 document as version 2 has it. */
export function swaggerPath(item: unknown): JsonObject {
  const out: JsonObject = {};
  for (const method of methods) {
    const operation = isObject(item) ? item[method] : undefined;
    if (isObject(operation)) out[method] = swaggerOperation(operation);
  }
  return { ...out, parameters: getArray(item, 'parameters').map(swaggerParameter) };
}

function swaggerOperation(operation: JsonObject): JsonObject {
  const bodies = getObject(operation, 'requestBody', 'content');
  const body = Object.values(bodies)[0];
  const bodyParameter = {
    name: 'body',
    in: 'body',
    required: true,
    schema: swaggerSchema(isObject(body) ? body['schema'] : undefined),
  };
  const extensions = Object.entries(operation).filter(([key]) => key.startsWith('x-'));
  return {
    consumes: body === undefined ? ['*/*'] : Object.keys(bodies),
    produces: ['application/json'],
    schemes: ['https'],
    parameters: [
      ...(body === undefined ? [] : [bodyParameter]),
      ...getArray(operation, 'parameters').map(swaggerParameter),
    ],
    responses: Object.fromEntries(
      Object.entries(getObject(operation, 'responses')).map(([code, response]) => {
        const schema = getObject(response, 'content', 'application/json')['schema'];
        return [
          code,
          {
            description: getString(response, 'description') ?? '',
            ...(schema ? { schema: swaggerSchema(schema) } : {}),
          },
        ];
      }),
    ),
    ...Object.fromEntries(extensions),
  };
}

function swaggerParameter(parameter: unknown): JsonObject {
  if (!isObject(parameter)) return {};
  const { schema, ...rest } = parameter;
  return { ...rest, ...swaggerSchema(schema) };
}
