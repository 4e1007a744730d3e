import type { FieldError } from '../../api/port.ts';

/** Findings in the real server's words; `shown` is the value as Go prints it, strings quoted. */
export function invalid(field: string, shown: unknown, why: string): FieldError {
  return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${show(shown)}: ${why}` };
}

/** For values that Go prints in its own syntax. */
export function invalidGo(field: string, shown: string, why: string): FieldError {
  return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${shown}: ${why}` };
}

export function required(field: string, why = ''): FieldError {
  return { field, reason: 'FieldValueRequired', message: why === '' ? 'Required value' : `Required value: ${why}` };
}

export function notSupported(field: string, shown: unknown, values: readonly string[]): FieldError {
  const list = values.map((value) => JSON.stringify(value)).join(', ');
  return {
    field,
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${show(shown)}: supported values: ${list}`,
  };
}

export function forbidden(field: string, why: string): FieldError {
  return { field, reason: 'FieldValueForbidden', message: `Forbidden: ${why}` };
}

export function duplicate(field: string, shown: unknown): FieldError {
  return { field, reason: 'FieldValueDuplicate', message: `Duplicate value: ${show(shown)}` };
}

export function tooLong(field: string, maximum: number): FieldError {
  return { field, reason: 'FieldValueTooLong', message: `Too long: may not be more than ${maximum} bytes` };
}

function show(value: unknown): string {
  return value === undefined ? 'null' : JSON.stringify(value);
}

/** A number that may not be negative. */
export function nonNegative(field: string, value: unknown): FieldError[] {
  return typeof value === 'number' && value < 0 ? [invalid(field, value, 'must be greater than or equal to 0')] : [];
}

/** Absent values are not checked; `''` counts as absent. */
export function oneOf(field: string, value: unknown, values: readonly string[]): FieldError[] {
  if (value === undefined || value === null || value === '') return [];
  return typeof value === 'string' && values.includes(value) ? [] : [notSupported(field, value, values)];
}
