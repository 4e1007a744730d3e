import { isAppError } from '#base/errors.ts';
import { jsonEqual } from '#base/json.ts';
import type { Assess } from '#health/assess.ts';
import type { KubeObject } from '#kube/port.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
import { ignoreRulesFor, withoutIgnored } from './ignore-differences.ts';

export interface UpdateRules {
  settings: Pick<ArgoSettings, 'customizations' | 'compare'>;
  assess: Assess;
}

/** What every write moves, whatever it says. */
function withoutBookkeeping(object: KubeObject): KubeObject {
  const { resourceVersion: _version, generation: _generation, managedFields: _fields, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/**
 * `ignoreResourceUpdates`: true when a change of a live object is only of fields that the settings ignore, for updates or for
 * differences, and its health is the same: no application needs to look. Without a rule for the kind every change counts.
 */
export function isIgnoredUpdate(before: KubeObject, after: KubeObject, { settings, assess }: UpdateRules): boolean {
  if (!settings.compare.ignoreResourceUpdates || before.metadata.uid !== after.metadata.uid) return false;
  const customizations = settings.customizations.flatMap(({ group, kind, ignoreResourceUpdates, ignoreDifferences }) =>
    [ignoreResourceUpdates, ignoreDifferences].flatMap((fields) =>
      fields ? [{ group, kind, ignoreDifferences: fields }] : [],
    ),
  );
  if (customizations.length === 0) return false;
  try {
    const compare = { ...settings.compare, ignoreStatus: 'none' } as const;
    const rules = ignoreRulesFor(after, [], { customizations, compare });
    if (rules.jsonPointers.length === 0 && rules.jq.length === 0) return false;
    const form = (object: KubeObject) => withoutIgnored(withoutBookkeeping(object), rules);
    return jsonEqual(form(before), form(after)) && jsonEqual(assess(before), assess(after));
  } catch (error) {
    // A rule that cannot be read, or takes too long: the comparison says so, and every change counts.
    if (isAppError(error)) return false;
    throw error;
  }
}
