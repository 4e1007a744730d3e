import { AppError } from '#base/errors.ts';
import type { JsonObject } from '#base/json.ts';
import type { InputDefinition } from '../actions/workflow.ts';

export type InputValues = Record<string, string | number | boolean>;

/** Checks inputs of a manual or called workflow against its definitions and fills in defaults. */
export function dispatchInputs(definitions: Record<string, InputDefinition>, given: JsonObject): InputValues {
  const unknown = Object.keys(given).filter((name) => definitions[name] === undefined);
  if (unknown.length > 0) throw new AppError('bad-input', `Unexpected inputs provided: ${JSON.stringify(unknown)}`);
  const inputs: InputValues = {};
  for (const [name, definition] of Object.entries(definitions)) {
    const value = given[name] ?? definition.default;
    if (value === undefined || value === '') {
      if (definition.required) throw new AppError('bad-input', `Required input '${name}' not provided`);
      inputs[name] = definition.type === 'boolean' ? false : definition.type === 'number' ? 0 : '';
    } else inputs[name] = typed(name, definition, value);
  }
  return inputs;
}

function typed(name: string, definition: InputDefinition, value: unknown): string | number | boolean {
  switch (definition.type) {
    case 'boolean':
      if (value !== true && value !== false && value !== 'true' && value !== 'false') break;
      return value === true || value === 'true';
    case 'number':
      if (Number.isNaN(Number(value))) break;
      return Number(value);
    case 'choice':
      if (!definition.options.includes(String(value))) break;
      return String(value);
    default:
      return String(value);
  }
  const options = definition.options.length > 0 ? `, which has the options ${definition.options.join(', ')}` : '';
  throw new AppError(
    'bad-input',
    `Provided value '${String(value)}' for input '${name}' is not a ${definition.type}${options}`,
  );
}
