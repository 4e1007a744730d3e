import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { FieldError } from '../../api/port.ts';
import { goStringList, goStringMap } from '../go-format.ts';
import { forbidden, invalid, required } from './finding.ts';
import { validateLabels } from './metadata.ts';
import { labelValueErrors, qualifiedNameErrors } from './names.ts';

export function validateSelector(selector: unknown, path: string): FieldError[] {
  if (!isObject(selector)) return [];
  const errors = validateLabels(selector['matchLabels'], `${path}.matchLabels`);
  for (const [index, item] of requirements(selector).entries()) {
    errors.push(...validateRequirement(item, `${path}.matchExpressions[${index}]`));
  }
  return errors;
}

function requirements(selector: JsonObject): JsonObject[] {
  const list = selector['matchExpressions'];
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function validateRequirement(item: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { key, operator } = item;
  const values = valuesOf(item);
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) {
      errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      errors.push(forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    }
  } else errors.push(invalid(`${path}.operator`, operator ?? '', 'not a valid selector operator'));
  for (const why of qualifiedNameErrors(String(key ?? ''))) errors.push(invalid(`${path}.key`, key ?? '', why));
  for (const [index, value] of values.entries()) {
    for (const why of labelValueErrors(value)) errors.push(invalid(`${path}.values[${index}]`, value, why));
  }
  return errors;
}

function valuesOf(item: JsonObject): string[] {
  return Array.isArray(item['values']) ? item['values'].map(String) : [];
}

/** A null selector matches nothing, an empty one everything. */
export function selectorMatches(selector: unknown, labels: unknown): boolean {
  if (!isObject(selector)) return false;
  const have = isObject(labels) ? labels : {};
  const wanted = isObject(selector['matchLabels']) ? Object.entries(selector['matchLabels']) : [];
  if (!wanted.every(([key, value]) => have[key] === value)) return false;
  return requirements(selector).every((item) => requirementMatches(item, have));
}

function requirementMatches(item: JsonObject, labels: JsonObject): boolean {
  const value = labels[String(item['key'])];
  switch (item['operator']) {
    case 'In':
      return typeof value === 'string' && valuesOf(item).includes(value);
    case 'NotIn':
      return typeof value !== 'string' || !valuesOf(item).includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

export function isEmptySelector(selector: unknown): boolean {
  if (!isObject(selector)) return false;
  const labels = isObject(selector['matchLabels']) ? Object.keys(selector['matchLabels']).length : 0;
  return labels + requirements(selector).length === 0;
}

/** As Go's `%#v` prints it. */
export function goSelector(selector: unknown): string {
  if (!isObject(selector)) return 'v1.LabelSelector(nil)';
  const list = requirements(selector).map(
    (item) =>
      `v1.LabelSelectorRequirement{Key:${JSON.stringify(item['key'])}, Operator:${JSON.stringify(item['operator'])}, Values:${goStringList(item['values'])}}`,
  );
  const expressions =
    list.length === 0 ? '[]v1.LabelSelectorRequirement(nil)' : `[]v1.LabelSelectorRequirement{${list.join(', ')}}`;
  return `v1.LabelSelector{MatchLabels:${goStringMap(selector['matchLabels'])}, MatchExpressions:${expressions}}`;
}
