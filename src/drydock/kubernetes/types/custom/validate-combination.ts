import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { FieldError } from '../../api/port.ts';
import { type Place, validateValue } from './validate.ts';

interface Attempt {
  errors: FieldError[];
  looked: number;
}

/**
 * `anyOf`, `oneOf`, `allOf` and `not`. Upstream tells no place of what they say themselves, only of what is wrong inside,
 * and of alternatives that all fail only the one that got furthest.
 */
export function checkCombinations(schema: JsonObject, value: unknown, place: Place): number {
  const attempt = (inner: JsonObject): Attempt => {
    const errors: FieldError[] = [];
    const looked = validateValue(inner, value, { path: place.path, old: undefined, errors });
    return { errors, looked };
  };
  const fail = (why: string): void => {
    place.errors.push({
      field: '<nil>',
      reason: 'FieldValueInvalid',
      message: `Invalid value: "": ${JSON.stringify(place.path)} ${why}`,
    });
  };
  let looked = 2;
  const anyOf = alternatives(schema['anyOf']).map(attempt);
  if (anyOf.length > 0 && !anyOf.some(succeeded)) {
    fail('must validate at least one schema (anyOf)');
    place.errors.push(...furthest(anyOf));
  }
  looked += reported(anyOf);
  const oneOf = alternatives(schema['oneOf']).map(attempt);
  const valid = oneOf.filter(succeeded).length;
  if (oneOf.length > 0 && valid !== 1) {
    const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`;
    fail(`must validate one and only one schema (oneOf). ${found}`);
    if (valid === 0) place.errors.push(...furthest(oneOf));
  }
  looked += reported(oneOf);
  const allOf = alternatives(schema['allOf']).map(attempt);
  for (const { errors } of allOf) place.errors.push(...errors);
  if (!allOf.every(succeeded))
    fail(`must validate all the schemas (allOf)${allOf.some(succeeded) ? '' : '. None validated'}`);
  looked += allOf.reduce((sum, each) => sum + each.looked, 0);
  const { not } = schema;
  if (isObject(not) && succeeded(attempt(not))) fail('must not validate the schema (not)');
  return looked;
}

function alternatives(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function succeeded({ errors }: Attempt): boolean {
  return errors.length === 0;
}

function furthest(attempts: Attempt[]): FieldError[] {
  return best(attempts)?.errors ?? [];
}

function best(attempts: Attempt[]): Attempt | undefined {
  let found: Attempt | undefined;
  for (const each of attempts) if (found === undefined || each.looked > found.looked) found = each;
  return found;
}

/** What counts of the alternatives: the first that fits, else the one that got furthest. */
function reported(attempts: Attempt[]): number {
  return (attempts.find(succeeded) ?? best(attempts))?.looked ?? 0;
}
