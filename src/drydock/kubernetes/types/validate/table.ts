import type { ApiObject, FieldError } from '../../api/port.ts';

export function validateKind(_name: string, _object: ApiObject, _old: ApiObject | undefined): FieldError[] {
  return [];
}
