import { isObject, type JsonObject } from '#base/json.ts';
import type { FieldError } from '../../api/port.ts';
import { forbidden } from '../validate/finding.ts';
import { checkDefaults } from './default-check.ts';
import { checkRuleDefinitions } from './rule-definition.ts';
import { checkSchema } from './schema-check.ts';
import { checkStructural } from './structural.ts';

/**
 * All that is wrong with a version's schema, at `path`. Rules are compiled only when all else is right; without `costs`
 * they are not refused for what they may cost, as when the schema was there before.
 */
export function checkSchemaDefinition(schema: JsonObject, path: string, { costs }: { costs: boolean }): FieldError[] {
  const errors: FieldError[] = [];
  if (schema['nullable'] === true) errors.push(forbidden(`${path}.nullable`, 'nullable cannot be true at the root'));
  // What structural schemas have no word for is told alone.
  const readable = !hasForeign(schema);
  const structural = readable ? checkStructural(schema, path) : [];
  const shape = structural.length > 0 || !readable ? structural : checkDefaults(schema, path);
  errors.push(...shape);
  const other = checkSchema(schema, path);
  const rules = checkRuleDefinitions(schema, path, { costs, compile: shape.length === 0 && other.length === 0 });
  return [...errors, ...other, ...rules];
}

const foreign = ['id', '$schema', '$ref', 'patternProperties', 'dependencies', 'additionalItems', 'definitions'];

function hasForeign(schema: JsonObject): boolean {
  if (Array.isArray(schema['items']) || foreign.some((name) => (schema[name] ?? '') !== '')) return true;
  const { items, additionalProperties, not, properties } = schema;
  const below = [items, additionalProperties, not, ...Object.values(isObject(properties) ? properties : {})];
  for (const name of ['allOf', 'anyOf', 'oneOf']) if (Array.isArray(schema[name])) below.push(...schema[name]);
  return below.some((each) => isObject(each) && hasForeign(each));
}
