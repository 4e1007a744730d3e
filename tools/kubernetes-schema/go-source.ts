import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SchemaField {
  name: string;
  /** `string`, `[]core/v1.Container`, `{}Quantity`, ...; types of the same package without its name. */
  type: string;
  pointer: boolean;
  omitEmpty: boolean;
  required: boolean;
  doc: string;
  listType?: string;
  listKeys?: string[];
  mapType?: string;
  structType?: string;
  patchStrategy?: string;
  patchKey?: string;
  default?: string;
}

export interface SchemaType {
  doc: string;
  fields?: SchemaField[];
  /** A named scalar, list or map. */
  alias?: string;
  enum?: string[];
  isKind?: boolean;
  atomic?: boolean;
}

const scalars: Record<string, string> = {
  string: 'string',
  bool: 'bool',
  int: 'int64',
  int32: 'int32',
  int64: 'int64',
  float64: 'float64',
  'types.UID': 'UID',
  'types.NodeName': 'NodeName',
  'resource.Quantity': 'Quantity',
  'intstr.IntOrString': 'IntOrString',
  'runtime.RawExtension': 'RawExtension',
  'runtime.Object': 'RawExtension',
};

const metaScalars: Record<string, string> = {
  Time: 'Time',
  MicroTime: 'MicroTime',
  FieldsV1: 'FieldsV1',
  Duration: 'Duration',
};

/** The types of one Go package's `types.go`, by `alias.Name`. */
export function goPackage(dir: string, alias: string): Map<string, SchemaType> {
  const files = ['types.go', 'generated.proto.go'].map((name) => join(dir, name)).filter((file) => existsSync(file));
  const text = files.map((file) => readFileSync(file, 'utf8')).join('\n');
  const imports = new Map<string, string>();
  for (const match of text.matchAll(/^\s+(\w+ )?"k8s\.io\/(?:api|apimachinery\/pkg\/apis)\/(\w+\/v\w+)"$/gm)) {
    imports.set(match[1]?.trim() ?? match[2]?.split('/')[1] ?? '', match[2] ?? '');
  }
  const types = new Map<string, SchemaType>();
  const embedded = new Map<string, SchemaField[]>();
  const context: GoContext = { alias, imports, embedded, rest: new Map() };
  for (const match of text.matchAll(/((?:^\/\/.*\n)*)^type (\w+) struct \{\n([\s\S]*?)^\}/gm)) {
    context.rest.set(match[2] ?? '', { comment: match[1] ?? '', body: match[3] ?? '' });
  }
  for (const [name, { comment, body }] of context.rest) {
    const { fields, isKind } = structFields(context, body);
    const atomic = /\+structType=atomic/.test(comment);
    types.set(`${alias}.${name}`, { doc: firstSentence(commentText(comment)), fields, isKind, atomic });
  }
  for (const match of text.matchAll(/((?:^\/\/.*\n)*)^type (\w+) ((?!struct|interface|func)\S+)$/gm)) {
    const name = match[2] ?? '';
    const values = /\+enum/.test(match[1] ?? '') ? enumValues(text, name) : [];
    types.set(`${alias}.${name}`, { doc: '', alias: goType(context, match[3] ?? ''), enum: values });
  }
  return types;
}

interface GoContext {
  alias: string;
  imports: Map<string, string>;
  embedded: Map<string, SchemaField[]>;
  rest: Map<string, { comment: string; body: string }>;
}

function structFields(context: GoContext, body: string): { fields: SchemaField[]; isKind: boolean } {
  const fields: SchemaField[] = [];
  let isKind = false;
  let comment: string[] = [];
  for (const raw of body.split('\n')) {
    const line = raw.trim();
    if (line.startsWith('//')) {
      comment.push(line);
      continue;
    }
    const match = /^(?:(\w+)\s+)?([^\s`]+)\s+`([^`]*)`/.exec(line);
    if (match !== null) {
      const field = goField(context, match[2] ?? '', match[3] ?? '', comment.join('\n'));
      if (field === 'kind') isKind = true;
      else fields.push(...field);
    }
    comment = [];
  }
  return { fields, isKind };
}

function goField(context: GoContext, type: string, tags: string, comment: string): SchemaField[] | 'kind' {
  const [name = '', ...options] = (/json:"([^"]*)"/.exec(tags)?.[1] ?? '').split(',');
  if (name === '-' || tags === '') return [];
  if (name === '' && options.includes('inline')) {
    if (type.endsWith('TypeMeta')) return 'kind';
    const embedded = context.rest.get(type);
    if (embedded === undefined) throw new Error(`embedded type ${type} not found in ${context.alias}`);
    return structFields(context, embedded.body).fields;
  }
  const omitEmpty = options.includes('omitempty');
  const field: SchemaField = {
    name,
    type: goType(context, type.replace(/^\*/, '')),
    pointer: type.startsWith('*'),
    omitEmpty,
    required: !omitEmpty && !/\+optional/.test(comment),
    doc: firstSentence(commentText(comment)),
  };
  const listType = /\+listType=(\w+)/.exec(comment)?.[1];
  if (listType !== undefined) field.listType = listType;
  const keys = [...comment.matchAll(/\+listMapKey=(\w+)/g)].map((key) => key[1] ?? '');
  if (keys.length > 0) field.listKeys = keys;
  const mapType = /\+mapType=(\w+)/.exec(comment)?.[1];
  if (mapType !== undefined) field.mapType = mapType;
  const structType = /\+structType=(\w+)/.exec(comment)?.[1];
  if (structType !== undefined) field.structType = structType;
  const strategy = /patchStrategy:"([^"]*)"/.exec(tags)?.[1];
  if (strategy !== undefined) field.patchStrategy = strategy;
  const patchKey = /patchMergeKey:"([^"]*)"/.exec(tags)?.[1];
  if (patchKey !== undefined) field.patchKey = patchKey;
  const value = /\+default=(\S+)/.exec(comment)?.[1];
  if (value !== undefined && !value.startsWith('ref(')) field.default = value;
  return [field];
}

function goType(context: GoContext, type: string): string {
  const bare = type.replace(/^\*/, '');
  if (bare === '[]byte') return 'bytes';
  if (bare.startsWith('[]')) return `[]${goType(context, bare.slice(2))}`;
  const map = /^map\[[\w.]+\](.*)$/.exec(bare);
  if (map !== null) return `{}${goType(context, map[1] ?? '')}`;
  const scalar = scalars[bare];
  if (scalar !== undefined) return scalar;
  const [head = '', name] = bare.split('.');
  if (name === undefined) {
    if (context.alias === 'meta/v1') return metaScalars[bare] ?? bare;
    return bare;
  }
  const alias = context.imports.get(head);
  if (alias === 'meta/v1' && metaScalars[name] !== undefined) return metaScalars[name];
  if (alias === undefined) throw new Error(`unknown package of ${bare} in ${context.alias}`);
  return alias === context.alias ? name : `${alias}.${name}`;
}

function enumValues(text: string, type: string): string[] {
  const values = [...text.matchAll(new RegExp(`^\\s+\\w+\\s+${type} = "([^"]*)"`, 'gm'))].map(
    (match) => match[1] ?? '',
  );
  return [...new Set(values)].filter((value) => value !== '').sort();
}

function commentText(comment: string): string {
  const kept = comment
    .split('\n')
    .map((line) => line.replace(/^\/\/ ?/, '').trim())
    .filter((line) => !line.startsWith('+'));
  const end = kept.findIndex((line) => /^T[O]DO/.test(line) || line === '---');
  return (end < 0 ? kept : kept.slice(0, end)).join(' ');
}

/** Up to the first full stop that ends a sentence; at most 300 characters. */
export function firstSentence(text: string): string {
  const flat = text.replace(/\s+/g, ' ').trim();
  const end = /(?<!\b(?:e\.g|i\.e|etc|vs))\.(?=\s|$)/.exec(flat);
  return (end === null ? flat : flat.slice(0, end.index + 1)).slice(0, 300);
}
