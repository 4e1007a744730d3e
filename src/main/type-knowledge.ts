import { cloneJson, isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject, KindType } from '#drydock/kubernetes/api/port.ts';
import { builtinSchema, gvkOfType } from '#drydock/kubernetes/types/builtin-schema.ts';
import { decodeStruct } from '#drydock/kubernetes/types/decode.ts';
import { schemaOf } from '#drydock/kubernetes/types/kind-schema.ts';
import { canonicalQuantity } from '#drydock/kubernetes/types/quantity.ts';
import { createTypeRegistry } from '#drydock/kubernetes/types/registry.ts';
import type { SchemaNode, StructField } from '#drydock/kubernetes/types/schema-node.ts';
import type { KubeObject } from '#kube/port.ts';
import type { KindKnowledge, Shape, TypeKnowledge } from '#sync/type-knowledge.ts';

/** The schemas that Drydock serves, for comparisons that no server is asked for. */
export function builtinTypeKnowledge(): TypeKnowledge {
  const registry = createTypeRegistry();
  const kinds = new Map<string, KindKnowledge | undefined>();
  return {
    kind(gvk) {
      const key = `${gvk.group}/${gvk.version}/${gvk.kind}`;
      if (!kinds.has(key)) {
        const type = registry.builtin(gvk);
        kinds.set(key, type && knowledgeOf(type, registry.fields));
      }
      return kinds.get(key);
    },
    value: namedType,
  };
}

function knowledgeOf(type: KindType, fields: ReturnType<typeof createTypeRegistry>['fields']): KindKnowledge {
  return {
    shape: shapeOf(schemaOf(type).node, undefined),
    canonical(object) {
      try {
        const decoded = type.decode(object);
        return decoded.unknownFields.length === 0 ? decoded.object : undefined;
      } catch {
        // The object does not fit its kind: there is no canonical form of it.
        return undefined;
      }
    },
    withDefaults(object) {
      const copy = apiObject(object);
      type.applyDefaults(copy);
      return kubeObject(copy);
    },
    applied(live, desired, manager) {
      const input = { type, live: apiObject(live), applied: cloneJson(desired), manager, force: true };
      return kubeObject(fields.apply({ ...input, now: '1970-01-01T00:00:00Z' }));
    },
  };
}

/** The two rooms type the same documents each for itself. */
function apiObject(object: KubeObject): ApiObject {
  const copy: unknown = cloneJson(object);
  return copy as ApiObject;
}

function kubeObject(object: ApiObject): KubeObject {
  const same: unknown = object;
  return same as KubeObject;
}

function shapeOf(node: SchemaNode | undefined, field: StructField | undefined): Shape {
  const strategy = field?.patchStrategies.find((each) => each !== 'retainKeys');
  return {
    member(name) {
      if (node?.kind === 'map') return shapeOf(node.element, undefined);
      if (node?.kind !== 'struct') return undefined;
      const found = node.type.byName.get(name);
      return found && shapeOf(found.node, found);
    },
    get item() {
      return node?.kind === 'list' ? shapeOf(node.element, undefined) : undefined;
    },
    strategy: strategy === 'merge' || strategy === 'replace' ? strategy : undefined,
    mergeKey: field?.patchMergeKey,
    retainKeys: field?.patchStrategies.includes('retainKeys') ?? false,
  };
}

function namedType(name: string): ((value: unknown) => unknown) | undefined {
  if (name === 'core/Quantity') return (value) => canonicalQuantity(String(value)) ?? value;
  if (name === 'meta/v1/Duration') return canonicalDuration;
  const match = /^core\/v1\/(\w+)$/.exec(name);
  if (!match) return undefined;
  const typeName = `core/v1.${match[1]}`;
  if (typeName === 'core/v1.ResourceList') return quantities;
  const schema = builtinSchema();
  if (!schema.has(typeName)) return undefined;
  const type = schema.struct(typeName);
  return (value) => (isObject(value) ? decodeStruct(type, value, gvkOfType(typeName)).object : value);
}

function quantities(value: unknown): unknown {
  if (!isObject(value)) return value;
  const out: JsonObject = {};
  for (const [key, amount] of Object.entries(value)) out[key] = canonicalQuantity(String(amount)) ?? amount;
  return out;
}

const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 1e-3, µs: 1e-3, ns: 1e-6 };

/** As Go prints a duration of whole seconds or more: `1h0m0s`. */
function canonicalDuration(value: unknown): unknown {
  if (typeof value !== 'string' || !/^[+-]?(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))+$/.test(value)) return value;
  let milliseconds = 0;
  for (const [, amount = '0', unit = 's'] of value.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g))
    milliseconds += Number(amount) * (units[unit] ?? 0);
  const sign = value.startsWith('-') ? '-' : '';
  if (milliseconds === 0) return '0s';
  if (milliseconds < 1) return `${sign}${milliseconds * 1000}µs`;
  if (milliseconds < 1000) return `${sign}${milliseconds}ms`;
  const seconds = milliseconds / 1000;
  const [h, m] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const s = Number((seconds - h * 3600 - m * 60).toFixed(9));
  return `${sign}${h > 0 ? `${h}h` : ''}${h > 0 || m > 0 ? `${m}m` : ''}${s}s`;
}
