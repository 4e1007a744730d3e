import { isIPv4, isIPv6 } from 'node:net';
import { RE2JS } from 're2js';
import type { JsonObject } from '#base/json.ts';
import { canonicalTime } from '../timestamp.ts';
import type { Place } from './validate.ts';
import { bodyName, invalid } from './validate.ts';

const patterns = new Map<string, RE2JS | undefined>();
const maxPatterns = 1000;

export function checkString(schema: JsonObject, value: string, place: Place): void {
  const { minLength, maxLength, pattern, format } = schema;
  const length = [...value].length;
  if (typeof maxLength === 'number' && length > maxLength) {
    place.errors.push({
      field: place.path,
      reason: 'FieldValueTooLong',
      message: `Too long: may not be more than ${maxLength} bytes`,
    });
  }
  if (typeof minLength === 'number' && length < minLength)
    invalid(place, value, `should be at least ${minLength} chars long`);
  if (typeof pattern === 'string' && !matches(pattern, value)) invalid(place, value, `should match '${pattern}'`);
  const check = typeof format === 'string' ? formats[format] : undefined;
  if (check === undefined || check(value)) return;
  place.errors.push({
    field: place.path,
    reason: 'FieldValueTypeInvalid',
    message: `Invalid value: ${JSON.stringify(value)}: ${bodyName(place)} must be of type ${String(format)}: ${JSON.stringify(value)}`,
  });
}

/** A pattern that Go's syntax refuses matches nothing. */
function matches(pattern: string, value: string): boolean {
  if (!patterns.has(pattern)) {
    if (patterns.size >= maxPatterns) patterns.clear();
    patterns.set(pattern, compile(pattern));
  }
  return patterns.get(pattern)?.matcher(value).find() ?? false;
}

function compile(pattern: string): RE2JS | undefined {
  try {
    return RE2JS.compile(pattern);
  } catch {
    return undefined;
  }
}

const formats: Record<string, (value: string) => boolean> = {
  'date-time': isTime,
  date: (value) => /^\d{4}-\d{2}-\d{2}$/.test(value) && isTime(`${value}T00:00:00Z`),
  ipv4: isIPv4,
  ipv6: isIPv6,
  uuid: (value) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(value),
  byte: (value) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value),
  duration: (value) => /^[-+]?(\d+(\.\d*)?\s*(ns|us|µs|ms|s|m|h|d|w))+$/.test(value),
};

function isTime(value: string): boolean {
  try {
    canonicalTime(value, 0);
    return true;
  } catch {
    return false;
  }
}

export function checkNumber(schema: JsonObject, value: number, place: Place): void {
  const { minimum, maximum, multipleOf, format } = schema;
  if (typeof maximum === 'number') {
    if (schema['exclusiveMaximum'] === true ? value >= maximum : value > maximum) {
      invalid(
        place,
        value,
        `should be less than ${schema['exclusiveMaximum'] === true ? '' : 'or equal to '}${maximum}`,
      );
    }
  }
  if (typeof minimum === 'number') {
    if (schema['exclusiveMinimum'] === true ? value <= minimum : value < minimum) {
      invalid(
        place,
        value,
        `should be greater than ${schema['exclusiveMinimum'] === true ? '' : 'or equal to '}${minimum}`,
      );
    }
  }
  if (typeof multipleOf === 'number' && multipleOf > 0 && !Number.isInteger(value / multipleOf)) {
    invalid(place, value, `should be a multiple of ${multipleOf}`);
  }
  if (format === 'int32' && Number.isInteger(value) && Math.abs(value) > 2147483648) {
    invalid(place, value, 'must be of type int32');
  }
}
