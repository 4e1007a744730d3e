import { readFileSync } from 'node:fs';
import type { Gvk } from '../api/port.ts';
import type { ListNode, ScalarType, SchemaNode, StructField, StructType } from './schema-node.ts';

type TypeLines = Record<string, string | string[]>;

const groupOfPackage: Record<string, string> = {
  core: '',
  apps: 'apps',
  batch: 'batch',
  policy: 'policy',
  autoscaling: 'autoscaling',
  networking: 'networking.k8s.io',
  rbac: 'rbac.authorization.k8s.io',
  storage: 'storage.k8s.io',
  coordination: 'coordination.k8s.io',
  discovery: 'discovery.k8s.io',
  events: 'events.k8s.io',
  authentication: 'authentication.k8s.io',
  authorization: 'authorization.k8s.io',
  scheduling: 'scheduling.k8s.io',
  admissionregistration: 'admissionregistration.k8s.io',
  certificates: 'certificates.k8s.io',
  flowcontrol: 'flowcontrol.apiserver.k8s.io',
  node: 'node.k8s.io',
  apiextensions: 'apiextensions.k8s.io',
  meta: 'meta.k8s.io',
};

const packageOfGroup = new Map(Object.entries(groupOfPackage).map(([name, group]) => [group, name]));

const scalars = new Set<string>([
  'string',
  'bool',
  'int32',
  'int64',
  'float64',
  'bytes',
  'Time',
  'MicroTime',
  'Quantity',
  'IntOrString',
  'Duration',
] satisfies ScalarType[]);

/** Texts with a Go type of their own in another package. */
const namedTexts: Record<string, string> = { UID: 'types.UID', NodeName: 'types.NodeName' };

/** The generated schema of every built-in type; a type is compiled at its first use. */
export interface BuiltinSchema {
  /** `apps/v1.Deployment` for a kind that is served; undefined for unknown ones. */
  typeName(gvk: Gvk): string | undefined;
  struct(name: string): StructType;
  has(name: string): boolean;
  /** All kinds of one group-version, lists included. */
  kinds(group: string, version: string): string[];
}

let loaded: BuiltinSchema | undefined;

/** Reads the generated file once per process. */
export function builtinSchema(): BuiltinSchema {
  if (loaded === undefined) {
    const lines: TypeLines = JSON.parse(readFileSync(new URL('./data/schema.generated.json', import.meta.url), 'utf8'));
    loaded = compileSchema(lines);
  }
  return loaded;
}

export function gvkOfType(name: string): Gvk {
  const [path = '', kind = ''] = name.split('.');
  const [pkg = '', version = ''] = path.split('/');
  return { group: groupOfPackage[pkg] ?? pkg, version, kind };
}

function compileSchema(lines: TypeLines): BuiltinSchema {
  const structs = new Map<string, StructType>();
  const compiler: Compiler = { lines, struct };
  function struct(name: string): StructType {
    let type = structs.get(name);
    if (type === undefined) {
      type = lazyStruct(compiler, name);
      structs.set(name, type);
    }
    return type;
  }
  function isKind(name: string): boolean {
    const line = lines[name];
    return Array.isArray(line) && (line[0] ?? '').startsWith('kind');
  }
  return {
    struct,
    has: (name) => Array.isArray(lines[name]),
    typeName(gvk) {
      const pkg = packageOfGroup.get(gvk.group);
      const name = `${pkg}/${gvk.version}.${gvk.kind}`;
      return pkg !== undefined && isKind(name) ? name : undefined;
    },
    kinds(group, version) {
      const prefix = `${packageOfGroup.get(group)}/${version}.`;
      return Object.keys(lines).filter((name) => name.startsWith(prefix) && isKind(name));
    },
  };
}

interface Compiler {
  lines: TypeLines;
  struct(name: string): StructType;
}

function lazyStruct(compiler: Compiler, name: string): StructType {
  let fields: StructField[] | undefined;
  let byName: Map<string, StructField> | undefined;
  const compiled = (): StructField[] => {
    fields ??= compileFields(compiler, name);
    return fields;
  };
  return {
    name,
    goName: name.slice(name.indexOf('.') + 1),
    get fields() {
      return compiled();
    },
    get byName() {
      byName ??= new Map(compiled().map((field) => [field.name, field]));
      return byName;
    },
  };
}

function compileFields(compiler: Compiler, name: string): StructField[] {
  const line = compiler.lines[name];
  if (!Array.isArray(line)) throw new Error(`no struct ${name} in the schema data`);
  const path = name.slice(0, name.indexOf('.'));
  const fields = line.slice(1).map((text) => compileField(compiler, path, text));
  if (!(line[0] ?? '').startsWith('kind')) return fields;
  return [textField('kind'), textField('apiVersion'), ...fields];
}

function textField(name: string): StructField {
  return {
    name,
    node: { kind: 'scalar', scalar: 'string', goType: 'string', enum: [] },
    pointer: false,
    omitEmpty: true,
    required: false,
    patchStrategies: [],
    patchMergeKey: undefined,
    default: undefined,
  };
}

function compileField(compiler: Compiler, path: string, text: string): StructField {
  const [name = '', type = '', flags = '', ...rest] = text.split(' ');
  const options = new Map(rest.map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]));
  const strategies = options.get('patch')?.split(',') ?? [];
  const mergeKey = options.get('key');
  const node = compileType(compiler, path, type);
  const value = options.get('default');
  if (node.kind === 'list') markList(node, options.get('list'), { strategies, mergeKey });
  else if (node.kind === 'map') node.atomic = options.get('map') === 'atomic';
  else if (node.kind === 'struct') {
    const marker = options.get('struct') ?? options.get('map');
    if (marker !== undefined) node.atomic = marker === 'atomic';
  }
  return {
    name,
    node,
    pointer: flags.includes('p'),
    omitEmpty: !flags.includes('w'),
    required: flags.includes('r'),
    patchStrategies: strategies,
    patchMergeKey: mergeKey,
    default: value === undefined ? undefined : JSON.parse(value),
  };
}

/** Without a list type, the older patch markers count; without those a list is atomic. */
function markList(
  node: ListNode,
  marker: string | undefined,
  patch: { strategies: string[]; mergeKey: string | undefined },
): void {
  const [listType, ...keys] = marker?.split(',') ?? [];
  if (listType === 'map' || listType === 'set' || listType === 'atomic') {
    node.listType = listType;
    node.keys = keys;
  } else if (patch.strategies.includes('merge')) {
    node.listType = patch.mergeKey === undefined ? 'set' : 'map';
    node.keys = patch.mergeKey === undefined ? [] : [patch.mergeKey];
  }
}

function compileType(compiler: Compiler, path: string, type: string): SchemaNode {
  if (type.startsWith('[]')) {
    const element = compileType(compiler, path, type.slice(2));
    return { kind: 'list', element, goType: `[]${goTypeOf(element)}`, listType: 'atomic', keys: [] };
  }
  if (type.startsWith('{}')) {
    const element = compileType(compiler, path, type.slice(2));
    return { kind: 'map', element, goType: `map[string]${goTypeOf(element)}`, atomic: false };
  }
  if (scalars.has(type)) return { kind: 'scalar', scalar: type as ScalarType, goType: scalarGoType(type), enum: [] };
  const named = namedTexts[type];
  if (named !== undefined) return { kind: 'scalar', scalar: 'string', goType: named, enum: [] };
  if (type === 'RawExtension' || type === 'FieldsV1' || type === 'JSON') return { kind: 'any', deduced: false };
  const name = type.includes('.') ? type : `${path}.${type}`;
  const line = compiler.lines[name];
  if (line === undefined) throw new Error(`no type ${name} in the schema data`);
  if (Array.isArray(line)) {
    return { kind: 'struct', type: compiler.struct(name), atomic: (line[0] ?? '').includes('atomic') };
  }
  const [base = '', ...values] = line.split(' ');
  const node = compileType(compiler, name.slice(0, name.indexOf('.')), base);
  if (node.kind === 'scalar') {
    // Some values have blanks (`cert sign`); none has an underscore.
    node.enum = values.map((value) => value.replaceAll('_', ' '));
    node.goType = goNameOf(name);
  } else if (node.kind === 'list' || node.kind === 'map') node.goType = goNameOf(name);
  return node;
}

function goNameOf(name: string): string {
  return name.slice(name.indexOf('/') + 1);
}

function goTypeOf(node: SchemaNode): string {
  switch (node.kind) {
    case 'struct':
      return goNameOf(node.type.name);
    case 'any':
      return 'interface {}';
    default:
      return node.goType;
  }
}

function scalarGoType(type: string): string {
  if (type === 'IntOrString') return 'int32';
  return type === 'bytes' ? '[]uint8' : type;
}
