/** Types of the Common Expression Language, as rules of custom resources see them. */
export type TypeKind =
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'null'
  | 'dyn'
  | 'error'
  | 'timestamp'
  | 'duration'
  | 'list'
  | 'map'
  | 'optional'
  | 'object'
  | 'opaque'
  | 'type'
  | 'param';

export interface CelType {
  readonly kind: TypeKind;
  /** Of objects, opaque types and type parameters; else the kind. */
  readonly name: string;
  readonly params: readonly CelType[];
  /** Of objects. */
  readonly fields?: ReadonlyMap<string, CelType>;
  /** Most elements, characters or bytes that the schema lets a value have; for the estimate of a rule's cost. */
  readonly maxElements?: number;
  /** The least bytes of a value in JSON. */
  readonly minSize?: number;
}

function simple(kind: TypeKind): CelType {
  return { kind, name: kind, params: [] };
}

export const bool = simple('bool');
export const int = simple('int');
export const uint = simple('uint');
export const double = simple('double');
export const string = simple('string');
export const bytes = simple('bytes');
export const nullType = simple('null');
export const dyn = simple('dyn');
export const errorType = simple('error');
export const timestampType = simple('timestamp');
export const durationType = simple('duration');

export function listOf(element: CelType): CelType {
  return { kind: 'list', name: 'list', params: [element] };
}

export function mapOf(key: CelType, value: CelType): CelType {
  return { kind: 'map', name: 'map', params: [key, value] };
}

export function optionalOf(value: CelType): CelType {
  return { kind: 'optional', name: 'optional_type', params: [value] };
}

export function typeOf(type: CelType): CelType {
  return { kind: 'type', name: 'type', params: [type] };
}

export function param(name: string): CelType {
  return { kind: 'param', name, params: [] };
}

export function opaque(name: string): CelType {
  return { kind: 'opaque', name, params: [] };
}

/** Types of the Kubernetes library by the short names that signatures use. */
export const libraryTypes = {
  Quantity: opaque('kubernetes.Quantity'),
  Url: opaque('kubernetes.URL'),
  Ip: opaque('net.IP'),
  Cidr: opaque('net.CIDR'),
  Format: opaque('kubernetes.NamedFormat'),
} as const;

const simpleTypes: Record<string, CelType> = {
  bool,
  int,
  uint,
  double,
  string,
  bytes,
  dyn,
  null: nullType,
  timestamp: timestampType,
  duration: durationType,
  ...libraryTypes,
};

/** The type at `index` of a parameterised type; what is missing is dynamic. */
export function paramOf(type: CelType, index: number): CelType {
  return type.params[index] ?? dyn;
}

export function isDynamic(type: CelType): boolean {
  return type.kind === 'dyn' || type.kind === 'error';
}

export function sameType(a: CelType, b: CelType): boolean {
  return (
    a.kind === b.kind &&
    a.name === b.name &&
    a.params.length === b.params.length &&
    a.params.every((each, index) => sameType(each, paramOf(b, index)))
  );
}

/** As compile errors name a type: `list(int)`, `map(string, dyn)`. */
export function typeText(type: CelType): string {
  if (type.kind === 'error') return '!error!';
  if (type.params.length === 0) return type.name;
  return `${type.name}(${type.params.map(typeText).join(', ')})`;
}

/** `list(A)`, `map(string, optional(Quantity))`; one upper-case letter is a type parameter. */
export function parseType(text: string): CelType {
  const open = text.indexOf('(');
  if (open < 0) return simpleTypes[text] ?? param(text);
  const inner = splitTypes(text.slice(open + 1, -1)).map(parseType);
  const [first = dyn, second = dyn] = inner;
  switch (text.slice(0, open)) {
    case 'list':
      return listOf(first);
    case 'map':
      return mapOf(first, second);
    case 'optional':
      return optionalOf(first);
    default:
      return typeOf(first);
  }
}

/** Splits at the commas outside of parentheses. */
export function splitTypes(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1;
    else if (text[at] === ')') depth -= 1;
    else if (text[at] === ',' && depth === 0) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  const last = text.slice(start).trim();
  return last === '' ? parts : [...parts, last];
}
