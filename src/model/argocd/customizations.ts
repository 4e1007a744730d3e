import { load } from 'js-yaml';
import { z } from 'zod';
import { messageOf } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { IgnoreFields, ResourceCustomization } from './settings.ts';
import type { SettingsSource } from './settings-source.ts';

const prefix = 'resource.customizations';

const strings = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);
const ignoreFields = z.object({
  jsonPointers: strings,
  jqPathExpressions: strings,
  managedFieldsManagers: strings,
});
const knownTypeFields = z.array(z.object({ field: z.string(), type: z.string() }));

function ignoreFieldsOf(value: unknown): IgnoreFields {
  return ignoreFields.parse(value ?? {});
}

/** `group/Kind` (also `Kind`, of the core group) of the one form, `group_Kind` of the other; `all` is every kind. */
function groupKindOf(text: string): { group: string; kind: string } {
  if (text === 'all') return { group: '*', kind: '*' };
  const parts = text.split(text.includes('_') ? '_' : '/');
  if (text === '' || parts.length > 2) throw new Error(`"${text}" is not a group and kind like apps_Deployment`);
  const [first = '', second] = parts;
  return second === undefined ? { group: '', kind: first } : { group: first, kind: second };
}

function truth(text: string): boolean {
  if (!/^(1|t|true|0|f|false)$/i.test(text)) throw new Error(`"${text}" is neither true nor false`);
  return /^(1|t|true)$/i.test(text);
}

/** The second form, one key each: `resource.customizations.<what>.<group_Kind>`. */
function apply(entry: ResourceCustomization, what: string, text: string): void {
  switch (what) {
    case 'health':
      entry.health = text;
      return;
    case 'useOpenLibs':
      entry.useOpenLibs = truth(text.trim());
      return;
    case 'actions':
      entry.actions = text;
      return;
    case 'ignoreDifferences':
      entry.ignoreDifferences = ignoreFieldsOf(load(text));
      return;
    case 'ignoreResourceUpdates':
      entry.ignoreResourceUpdates = ignoreFieldsOf(load(text));
      return;
    case 'knownTypeFields':
      entry.knownTypeFields = knownTypeFields.parse(load(text));
      return;
    default:
      throw new Error(`there is no customization "${what}"`);
  }
}

const wholeKeys: Record<string, string> = {
  'health.lua': 'health',
  'health.lua.useOpenLibs': 'useOpenLibs',
  actions: 'actions',
  ignoreDifferences: 'ignoreDifferences',
  ignoreResourceUpdates: 'ignoreResourceUpdates',
};

/** The first form: one document with an entry per kind, whose own parts are YAML in strings. */
function applyWhole(entry: ResourceCustomization, value: unknown): void {
  if (!isObject(value)) throw new Error('is not a mapping');
  for (const [key, part] of Object.entries(value)) {
    const what = wholeKeys[key];
    if (key === 'knownTypeFields') entry.knownTypeFields = knownTypeFields.parse(part ?? []);
    else if (what === undefined) throw new Error(`there is no customization "${key}"`);
    else if (part !== null && part !== undefined) apply(entry, what, String(part));
  }
}

function reason(error: unknown): string {
  return error instanceof z.ZodError
    ? error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
    : messageOf(error);
}

/** Reads `resource.customizations` in both its forms; the second wins where both speak of one thing. */
export function parseCustomizations(source: SettingsSource): ResourceCustomization[] {
  const entries = new Map<string, ResourceCustomization>();
  const change = (key: string, name: string, work: (entry: ResourceCustomization) => void) => {
    try {
      const { group, kind } = groupKindOf(name);
      const id = `${group}/${kind}`;
      const entry = { ...(entries.get(id) ?? { group, kind }) };
      work(entry);
      entries.set(id, entry);
    } catch (error) {
      source.problem(key, reason(error));
    }
  };
  const whole = source.yaml<unknown>(prefix, undefined, (value) => value);
  if (isObject(whole))
    for (const [name, value] of Object.entries(whole))
      change(`${prefix} of ${name}`, name, (entry) => applyWhole(entry, value));
  else if (whole !== undefined && whole !== null) source.problem(prefix, 'is not a mapping of kinds');
  for (const key of Object.keys(source.data).sort()) {
    if (!key.startsWith(`${prefix}.`)) continue;
    const [, , what = '', ...rest] = key.split('.');
    if (rest.length === 0) source.problem(key, `has to be ${prefix}.<what>.<group_Kind>`);
    else change(key, rest.join('.'), (entry) => apply(entry, what, source.data[key] ?? ''));
  }
  return [...entries.values()];
}
