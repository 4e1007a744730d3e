import { isObject, jsonEqual } from '#base/json.ts';
import { type KubeObject, parseApiVersion } from '#kube/port.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
import type { TypeKnowledge } from './type-knowledge.ts';

interface Known {
  types: TypeKnowledge;
  settings: Pick<ArgoSettings, 'customizations'>;
}

/** What every instance knows without being told. */
const usual = [{ group: 'argoproj.io', kind: 'Rollout', field: 'spec.template.spec', type: 'core/v1/PodSpec' }];

function fieldsOf(object: KubeObject, { settings }: Known): { field: string; type: string }[] {
  const { group } = parseApiVersion(object.apiVersion);
  const own = settings.customizations.filter((each) => each.group === group && each.kind === object.kind);
  const fields = own.flatMap(({ knownTypeFields }) => knownTypeFields ?? []);
  if (fields.length > 0) return fields;
  return usual.filter((each) => each.group === group && each.kind === object.kind);
}

/**
 * `resource.customizations.knownTypeFields`: parts of custom resources that are of a built-in type, as that type writes them,
 * so that `1000m` and `1` are the same. A type that is not known, or a value that does not fit, leaves the part as it is.
 */
export function withKnownTypes(object: KubeObject, known: Known): KubeObject {
  let out: unknown = object;
  for (const { field, type } of fieldsOf(object, known)) {
    const canonical = known.types.value(type);
    if (canonical) out = rewrite(out, field.split('.'), canonical);
  }
  return out as KubeObject;
}

/** Lists on the way are followed item by item. */
function rewrite(value: unknown, path: readonly string[], canonical: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => rewrite(item, path, canonical));
  const [step, ...rest] = path;
  if (step === undefined) return fitting(value, canonical);
  if (!isObject(value) || value[step] === undefined) return value;
  const below = rewrite(value[step], rest, canonical);
  return jsonEqual(below, value[step]) ? value : { ...value, [step]: below };
}

function fitting(value: unknown, canonical: (value: unknown) => unknown): unknown {
  try {
    return canonical(value);
  } catch {
    // Of another type than was said: compared as it stands.
    return value;
  }
}
