import { AppError } from '#base/errors.ts';
import { isObject, type JsonObject } from '#base/json.ts';
import { CallError } from '#template/call-error.ts';
import { compileRegex } from '#template/regex.ts';

/** Undefined when the filter does not say anything about `name`. */
export function patternOf(filter: JsonObject, name: string): ((text: string) => boolean) | undefined {
  const pattern = filter[name];
  if (typeof pattern !== 'string') return undefined;
  try {
    const compiled = compileRegex(pattern);
    return (text) => compiled.matcher(text).find();
  } catch (error) {
    if (error instanceof CallError)
      throw new AppError('bad-input', `error compiling ${name} regexp ${JSON.stringify(pattern)}: ${error.message}`);
    throw error;
  }
}

export function filtersOf(spec: JsonObject): JsonObject[] {
  return Array.isArray(spec['filters']) ? spec['filters'].filter(isObject) : [];
}
