import type { KindType, TypeRegistry } from '../api/port.ts';
import { builtinKind } from './builtin-kind.ts';
import { customKind } from './custom/custom-kind.ts';
import { fieldManagement } from './fields/field-management.ts';
import { jsonPatch } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';
import { openApiSchemas } from './openapi.ts';

/** Every built-in kind by schema, and custom ones by their definition. Kinds are compiled at first use. */
export function createTypeRegistry(): TypeRegistry {
  const kinds = new Map<string, KindType | undefined>();
  return {
    builtin(gvk) {
      const key = `${gvk.group}/${gvk.version}/${gvk.kind}`;
      if (!kinds.has(key)) kinds.set(key, builtinKind(gvk));
      return kinds.get(key);
    },
    custom: customKind,
    fields: fieldManagement,
    openApiSchemas,
    mergePatch,
    jsonPatch,
  };
}
