import { invalidOptions } from './status-error.ts';

/** `dryRun` is `All` or absent; anything else is 422. */
export function isDryRun(optionsKind: string, value: unknown): boolean {
  const values = Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
  const wrong = values.filter((item) => item !== 'All');
  if (wrong.length > 0)
    throw invalidOptions(optionsKind, {
      field: 'dryRun',
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: []string{${values.map((item) => JSON.stringify(item)).join(', ')}}: supported values: "All"`,
    });
  return values.length > 0;
}
