import type { JsonObject } from '#base/json.ts';
import { compilePattern } from '../cel/functions/pattern.ts';
import { isOfFormat } from '../string-format.ts';
import type { Place } from './validate.ts';
import { bodyName, invalid } from './validate.ts';

/** Length and pattern, of which the first that fails is reported, and the format. */
export function checkString(schema: JsonObject, value: string, place: Place): void {
  const { format } = schema;
  checkText(schema, value, place);
  if (typeof format !== 'string' || isOfFormat(format, value)) return;
  place.errors.push({
    field: place.path,
    reason: 'FieldValueTypeInvalid',
    message: `Invalid value: ${JSON.stringify(value)}: ${bodyName(place)} must be of type ${format}: ${JSON.stringify(value)}`,
  });
}

function checkText({ minLength, maxLength, pattern }: JsonObject, value: string, place: Place): void {
  const length = [...value].length;
  if (typeof maxLength === 'number' && length > maxLength)
    place.errors.push({
      field: place.path,
      reason: 'FieldValueTooLong',
      message: `Too long: may not be more than ${maxLength} bytes`,
    });
  else if (typeof minLength === 'number' && length < minLength)
    invalid(place, value, `should be at least ${minLength} chars long`);
  else if (typeof pattern === 'string' && !(compilePattern(pattern)?.matcher(value).find() ?? false))
    invalid(place, value, `should match '${pattern}'`);
}

export function checkNumber(schema: JsonObject, value: number, place: Place): void {
  const { multipleOf, exclusiveMaximum, exclusiveMinimum } = schema;
  const maximum = limitFor(value, schema['maximum']);
  const minimum = limitFor(value, schema['minimum']);
  if (typeof multipleOf === 'number' && multipleOf > 0 && !Number.isInteger(value / multipleOf))
    invalid(place, value, `should be a multiple of ${multipleOf}`);
  if (maximum !== undefined && (exclusiveMaximum === true ? value >= maximum : value > maximum))
    invalid(place, value, `should be less than ${exclusiveMaximum === true ? '' : 'or equal to '}${maximum}`);
  if (minimum !== undefined && (exclusiveMinimum === true ? value <= minimum : value < minimum))
    invalid(place, value, `should be greater than ${exclusiveMinimum === true ? '' : 'or equal to '}${minimum}`);
}

/** Upstream compares whole numbers with the whole part of a limit. */
function limitFor(value: number, limit: unknown): number | undefined {
  if (typeof limit !== 'number') return undefined;
  return Number.isInteger(value) ? Math.trunc(limit) : limit;
}
