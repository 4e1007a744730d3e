import type { JsonObject } from '#base/json.ts';
import type { GroupVersionKind, KubeObject } from '#kube/port.ts';

/** How client-side apply merges a value. A value without a shape is merged member by member, its lists as wholes. */
export interface Shape {
  /** Of a member of an object; undefined when the type does not have it. */
  member(name: string): Shape | undefined;
  /** Of the items of a list. */
  readonly item: Shape | undefined;
  /** `merge`: items are matched, by `mergeKey` or as they are. `replace`: taken as a whole. */
  readonly strategy: 'merge' | 'replace' | undefined;
  readonly mergeKey: string | undefined;
  /** Members that the desired object does not name go. */
  readonly retainKeys: boolean;
}

/** What is known of a kind without asking a server. */
export interface KindKnowledge {
  shape: Shape;
  /** As a server of this version writes it: quantities, times, nothing empty. Undefined when it does not fit the kind. */
  canonical(object: JsonObject): JsonObject | undefined;
  /** With what a server fills in. */
  withDefaults(object: KubeObject): KubeObject;
  /** Server-side apply with force. Throws for what a server would refuse. */
  applied(live: KubeObject, desired: KubeObject, manager: string): KubeObject;
}

/** The built-in kinds and types of Kubernetes, for comparisons without a server. */
export interface TypeKnowledge {
  kind(kind: GroupVersionKind): KindKnowledge | undefined;
  /** The canonical form of values of a type as `knownTypeFields` names it (`core/v1/PodSpec`); undefined for others. */
  value(type: string): ((value: unknown) => unknown) | undefined;
}
