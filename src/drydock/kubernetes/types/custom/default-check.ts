import type { JsonObject } from '#base/json.ts';
import { isObject, jsonEqual } from '#base/json.ts';
import type { FieldError } from '../../api/port.ts';
import { invalidGo } from '../validate/finding.ts';
import { checkEmbedded } from './embedded.ts';
import { goText } from './go-text.ts';
import { pruneUnknown } from './prune.ts';
import { checkRules, ruleTree } from './rule-run.ts';
import { schemaNode } from './schema-node.ts';
import { entriesOf } from './structural.ts';
import { validateValue } from './validate.ts';

/** Defaults must themselves be valid, rules included, and have no unknown fields. */
export function checkDefaults(schema: JsonObject, path: string, isRoot = true): FieldError[] {
  const value = schema['default'] ?? undefined;
  const whole = isRoot ? { ...schema, 'x-kubernetes-embedded-resource': true } : schema;
  // A default of null counts as none.
  const errors = value === undefined ? [] : checkDefault(whole, value, `${path}.default`);
  const { items, properties } = schema;
  if (isObject(items)) errors.push(...checkDefaults(items, `${path}.items`, false));
  for (const [name, property] of entriesOf(properties))
    errors.push(...checkDefaults(property, `${path}.properties[${name}]`, false));
  return errors;
}

function checkDefault(schema: JsonObject, value: unknown, path: string): FieldError[] {
  const pruned = pruneUnknown(schemaNode(schema), value, { path: '', unknown: [] });
  const unknown = jsonEqual(pruned, value) ? [] : [invalidGo(path, goText(value), 'must not have unknown fields')];
  const embedded = checkEmbedded(schema, value, path);
  if (embedded.length > 0) return [...unknown, ...embedded];
  const found: FieldError[] = [];
  validateValue(schema, value, { path: '', old: undefined, errors: found });
  if (found.length > 0)
    return [
      ...unknown,
      ...found.map((error) => ({ ...error, field: error.field === '' ? path : `${path}.${error.field}` })),
    ];
  const rules = ruleTree(schema, false);
  if (rules === undefined) return unknown;
  const wrong = checkRules(rules, value, value);
  const alone = wrong.length > 0 ? wrong : checkRules(rules, value, undefined);
  return [...unknown, ...alone.map((error) => below(error, path))];
}

function below(error: FieldError, path: string): FieldError {
  const field = error.field === '<nil>' ? '' : error.field;
  return { ...error, field: field === '' || field.startsWith('[') ? `${path}${field}` : `${path}.${field}` };
}
