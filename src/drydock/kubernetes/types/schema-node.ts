/** The compiled schema that decoding, patches and server-side apply walk. */
export type ScalarType =
  | 'string'
  | 'bool'
  | 'int32'
  | 'int64'
  | 'float64'
  | 'bytes'
  | 'Time'
  | 'MicroTime'
  | 'Quantity'
  | 'IntOrString'
  | 'Duration';

export type SchemaNode = ScalarNode | StructNode | MapNode | ListNode | AnyNode;

export interface ScalarNode {
  kind: 'scalar';
  scalar: ScalarType;
  /** As Go prints the type in errors: `int32`, `v1.Protocol`. */
  goType: string;
  enum: readonly string[];
  nullable?: boolean;
}

export interface StructNode {
  kind: 'struct';
  type: StructType;
  atomic: boolean;
  nullable?: boolean;
}

export interface MapNode {
  kind: 'map';
  element: SchemaNode;
  goType: string;
  atomic: boolean;
}

export interface ListNode {
  kind: 'list';
  element: SchemaNode;
  goType: string;
  listType: 'atomic' | 'set' | 'map';
  keys: readonly string[];
}

/** Whatever JSON says: raw extensions, and what a custom resource's schema leaves open. */
export interface AnyNode {
  kind: 'any';
  /** Deduced: maps are granular and lists atomic. Otherwise one opaque leaf. */
  deduced: boolean;
}

export interface StructType {
  /** `apps/v1.DeploymentSpec`; empty for a custom resource's parts. */
  name: string;
  /** `DeploymentSpec`. */
  goName: string;
  readonly fields: readonly StructField[];
  readonly byName: ReadonlyMap<string, StructField>;
  /** For members that no field names (custom resources that preserve unknown fields). */
  rest?: SchemaNode | undefined;
}

export interface StructField {
  name: string;
  node: SchemaNode;
  pointer: boolean;
  omitEmpty: boolean;
  required: boolean;
  /** Strategic merge patch. */
  patchStrategies: readonly string[];
  patchMergeKey: string | undefined;
  /** Value for an absent list-map key. */
  default: unknown;
}

export function elementOf(node: SchemaNode, member: string): SchemaNode | undefined {
  if (node.kind === 'struct') return node.type.byName.get(member)?.node ?? node.type.rest;
  if (node.kind === 'map') return node.element;
  return node.kind === 'any' ? node : undefined;
}
