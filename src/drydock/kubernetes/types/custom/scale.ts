import { getPath, isObject } from '#base/json.ts';
import type { ApiObject, CustomResourceVersion, FieldError } from '../../api/port.ts';
import { goText } from './go-text.ts';

type Scale = NonNullable<CustomResourceVersion['scale']>;

/** What the scale subresource reads must be numbers of replicas, and a text for the selector. */
export function checkScale(scale: Scale, object: ApiObject): FieldError[] {
  return [
    ...checkReplicas(scale.specReplicasPath, object),
    ...checkReplicas(scale.statusReplicasPath, object),
    ...(scale.labelSelectorPath === undefined ? [] : checkSelector(scale.labelSelectorPath, object)),
  ];
}

function checkReplicas(path: string, object: ApiObject): FieldError[] {
  const found = valueAt(path, object);
  const wrong = (shown: unknown, why: string): FieldError[] => [
    { field: path, reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(shown)}: ${why}` },
  ];
  if ('mistake' in found) return wrong(0, found.mistake);
  const { value } = found;
  if (value === undefined) return [];
  if (typeof value !== 'number' || !Number.isInteger(value)) return wrong(0, accessor(path, value, 'int64'));
  if (value < 0) return wrong(value, 'should be a non-negative integer');
  return value > 2147483647 ? wrong(value, 'should be less than or equal to 2147483647') : [];
}

function checkSelector(path: string, object: ApiObject): FieldError[] {
  const found = valueAt(path, object);
  const why = 'mistake' in found ? found.mistake : undefined;
  const value = 'mistake' in found ? undefined : found.value;
  const text = why ?? (value === undefined || typeof value === 'string' ? undefined : accessor(path, value, 'string'));
  return text === undefined
    ? []
    : [{ field: path, reason: 'FieldValueInvalid', message: `Invalid value: "": ${text}` }];
}

function valueAt(path: string, object: ApiObject): { value: unknown } | { mistake: string } {
  const steps = path.replace(/^\./, '').split('.');
  let at: unknown = object;
  for (const [index, step] of steps.entries()) {
    if (at === undefined) return { value: undefined };
    if (!isObject(at))
      return { mistake: accessor(`.${steps.slice(0, index + 1).join('.')}`, at, 'map[string]interface{}') };
    at = getPath(at, step);
  }
  return { value: at };
}

function accessor(path: string, value: unknown, wanted: string): string {
  const shown = typeof value === 'string' ? value : value === null ? '<nil>' : goText(value);
  return `${path} accessor error: ${shown} is of the type ${goType(value)}, expected ${wanted}`;
}

function goType(value: unknown): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'map[string]interface {}';
}
