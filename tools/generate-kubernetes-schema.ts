/**
 * Writes `src/drydock/kubernetes/types/data/*.generated.json` from public packages:
 * - Debian 13's `golang-k8s-api-dev` and `golang-k8s-apimachinery-dev`, unpacked with `dpkg-deb -x FILE DIR`: field order,
 *   Go types, omitempty, patch and list markers, enums;
 * - npm's `@kubernetes/client-node`: apiextensions (not in Debian), and fields newer than Debian's packages.
 *
 *   node tools/generate-kubernetes-schema.ts DIR
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { modelClass, scalar } from './kubernetes-schema/client-models.ts';
import type { SchemaType } from './kubernetes-schema/go-source.ts';
import { goPackage } from './kubernetes-schema/go-source.ts';

const packages = [
  'core/v1',
  'apps/v1',
  'batch/v1',
  'networking/v1',
  'policy/v1',
  'rbac/v1',
  'autoscaling/v1',
  'autoscaling/v2',
  'storage/v1',
  'coordination/v1',
  'discovery/v1',
  'events/v1',
  'authentication/v1',
  'authorization/v1',
  'scheduling/v1',
  'admissionregistration/v1',
  'certificates/v1',
  'flowcontrol/v1',
  'node/v1',
] as const;

/** Kinds that became v1 after Debian's packages, with the fields of their beta version there. */
const promoted = {
  from: 'networking/v1beta1',
  to: 'networking/v1',
  names: /\.(IPAddress|ParentReference|ServiceCIDR)/,
};

/** client-node's class prefix where two groups share a type name. */
const classPrefixes: Record<string, string[]> = {
  'core/v1': ['CoreV1', 'V1'],
  'events/v1': ['EventsV1', 'V1'],
  'discovery/v1': ['DiscoveryV1', 'V1'],
  'rbac/v1': ['RbacV1', 'V1'],
  'storage/v1': ['StorageV1', 'V1'],
  'authentication/v1': ['AuthenticationV1', 'V1'],
  'autoscaling/v2': ['V2'],
};

const outputDir = join(import.meta.dirname, '../src/drydock/kubernetes/types/data');
const modelsDir = join(import.meta.dirname, '../node_modules/@kubernetes/client-node/dist/gen/models');

function main(root: string): void {
  const source = join(root, 'usr/share/gocode/src/k8s.io');
  if (!existsSync(source)) throw new Error(`${source} is missing: unpack the Debian packages into ${root} first`);
  const types = new Map<string, SchemaType>();
  for (const alias of packages) add(types, goPackage(join(source, 'api', alias), alias));
  add(types, goPackage(join(source, 'apimachinery/pkg/apis/meta/v1'), 'meta/v1'));
  for (const [name, type] of goPackage(join(source, 'api', promoted.from), promoted.to))
    if (promoted.names.test(name)) types.set(name, type);
  addNewerFields(types);
  addApiextensions(types);
  write(prune(types));
}

function add(into: Map<string, SchemaType>, from: Map<string, SchemaType>): void {
  for (const [name, type] of from) into.set(name, type);
}

/** Fields that client-node's release has and Debian's does not: optional, after the others. */
function addNewerFields(types: Map<string, SchemaType>): void {
  for (const [name, type] of [...types]) {
    if (type.fields === undefined || name.startsWith('meta/v1.')) continue;
    const dot = name.indexOf('.');
    const alias = name.slice(0, dot);
    for (const field of type.fields) {
      if (optionalSince133.has(`${name}.${field.name}`)) field.required = false;
    }
    const known = new Set(type.fields.map((field) => field.name));
    for (const prefix of classPrefixes[alias] ?? ['V1']) {
      const model = modelClass(modelsDir, prefix + name.slice(dot + 1));
      if (model === undefined || model.fields.filter((field) => known.has(field.name)).length * 2 < known.size)
        continue;
      for (const field of model.fields) {
        if (known.has(field.name) || newerThan133.has(`${name}.${field.name}`)) continue;
        if (type.isKind && ['apiVersion', 'kind', 'metadata'].includes(field.name)) continue;
        const resolved = scalarFields[`${name}.${field.name}`] ?? resolveModel(types, alias, field.type);
        if (resolved === undefined) continue;
        const container = resolved.startsWith('[]') || resolved.startsWith('{}');
        type.fields.push({ ...field, type: resolved, pointer: !container, omitEmpty: true, required: false });
      }
      break;
    }
  }
}

/** In client-node's release and not yet in 1.33. */
const newerThan133 = new Set([
  'core/v1.Container.restartPolicyRules',
  'core/v1.EnvVarSource.fileKeyRef',
  'core/v1.EphemeralContainer.restartPolicyRules',
  'core/v1.NodeStatus.declaredFeatures',
  'core/v1.PodSpec.hostnameOverride',
  'core/v1.PodSpec.schedulingGroup',
  'core/v1.PodStatus.allocatedResources',
  'core/v1.PodStatus.extendedResourceClaimStatus',
  'core/v1.PodStatus.nodeAllocatableResourceClaimStatuses',
  'core/v1.PodStatus.resources',
  'core/v1.ResourceHealth.message',
  'core/v1.VolumeMountStatus.volumeStatus',
  'core/v1.VolumeProjection.podCertificate',
  'storage/v1.CSIDriverSpec.preventPodSchedulingIfMissing',
  'storage/v1.CSIDriverSpec.serviceAccountTokenInSecrets',
]);

/** Required in Debian's packages, optional in 1.33. */
const optionalSince133 = new Set(['apps/v1.StatefulSetSpec.serviceName']);

/** Fields whose scalar type client-node does not tell. */
const scalarFields: Record<string, string> = { 'autoscaling/v2.HPAScalingRules.tolerance': 'Quantity' };

/** Request parameters that are Go types but no objects. */
const noKinds = /Options$|\.(PodStatusResult|RangeAllocation|SerializedReference)$/;

function addApiextensions(types: Map<string, SchemaType>): void {
  addModel(types, 'apiextensions/v1', 'V1', 'CustomResourceDefinition');
  addModel(types, 'apiextensions/v1', 'V1', 'CustomResourceDefinitionList');
  const field = (type: string, name: string) =>
    types.get(`apiextensions/v1.${type}`)?.fields?.find((each) => each.name === name);
  const status = types.get('apiextensions/v1.CustomResourceDefinitionStatus');
  for (const each of status?.fields ?? []) each.omitEmpty = each.name === 'observedGeneration';
  const markers: [string, string, string, string[]][] = [
    ['CustomResourceDefinitionStatus', 'conditions', 'map', ['type']],
    ['JSONSchemaProps', 'x-kubernetes-validations', 'map', ['rule']],
  ];
  for (const [type, name, listType, listKeys] of markers)
    Object.assign(field(type, name) ?? {}, { listType, listKeys });
  Object.assign(field('JSONSchemaProps', 'x-kubernetes-validations') ?? {}, {
    patchStrategy: 'merge',
    patchKey: 'rule',
  });
  for (const [type, name] of [
    ['CustomResourceDefinition', 'status'],
    ['CustomResourceDefinitionStatus', 'acceptedNames'],
    ['CustomResourceDefinitionSpec', 'names'],
  ] as const) {
    Object.assign(field(type, name) ?? {}, { pointer: false });
  }
}

function addModel(types: Map<string, SchemaType>, alias: string, prefix: string, kind: string): string | undefined {
  const name = `${alias}.${kind}`;
  if (types.has(name)) return name;
  const model = modelClass(modelsDir, prefix + kind);
  if (model === undefined) return undefined;
  const type: SchemaType = { doc: model.doc, fields: [] };
  types.set(name, type);
  type.isKind = model.fields.some((field) => field.name === 'kind') && model.fields.some((f) => f.name === 'metadata');
  for (const field of model.fields) {
    if (type.isKind && (field.name === 'apiVersion' || field.name === 'kind')) continue;
    const resolved = resolveModel(types, alias, field.type) ?? 'JSON';
    const container = resolved.startsWith('[]') || resolved.startsWith('{}');
    const value = field.required || field.name === 'metadata';
    const plain = resolved === 'string' || resolved === 'bool' || field.name === 'priority';
    const pointer = !value && !container && (!plain || field.name === 'x-kubernetes-preserve-unknown-fields');
    type.fields?.push({ ...field, type: resolved, pointer, omitEmpty: !field.required });
  }
  return name;
}

function resolveModel(types: Map<string, SchemaType>, alias: string, type: string): string | undefined {
  const list = /^Array<(.*)>$/.exec(type);
  if (list?.[1] !== undefined) return wrap('[]', resolveModel(types, alias, list[1]));
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (map?.[1] !== undefined) return wrap('{}', resolveModel(types, alias, map[1]));
  const model = /^(?:V\d|[A-Z][a-z]+V\d)([A-Z].*)$/.exec(type);
  if (model?.[1] === undefined) return scalar(type, '');
  for (const candidate of [alias, 'core/v1', 'meta/v1']) {
    const name = `${candidate}.${model[1]}`;
    if (types.has(name)) return candidate === alias ? model[1] : name;
  }
  const prefix = type.slice(0, type.length - model[1].length);
  return addModel(types, alias, prefix, model[1]) === undefined ? undefined : model[1];
}

function wrap(prefix: string, inner: string | undefined): string | undefined {
  return inner === undefined ? undefined : prefix + inner;
}

/** Keeps what kinds reach. */
function prune(types: Map<string, SchemaType>): Map<string, SchemaType> {
  const keep = new Set<string>();
  const visit = (name: string): void => {
    const type = types.get(name);
    if (type === undefined || keep.has(name)) return;
    keep.add(name);
    const alias = name.slice(0, name.indexOf('.'));
    const references = [
      ...(type.fields?.map((field) => field.type) ?? []),
      ...(type.alias === undefined ? [] : [type.alias]),
    ];
    for (const reference of references) {
      const bare = reference.replace(/^(\[\]|\{\})+/, '');
      visit(bare.includes('.') ? bare : `${alias}.${bare}`);
    }
  };
  for (const [name, type] of types) if (type.isKind && !name.startsWith('meta/v1.') && !noKinds.test(name)) visit(name);
  for (const kind of ['Status', 'DeleteOptions', 'ObjectMeta', 'ListMeta', 'Condition']) visit(`meta/v1.${kind}`);
  return new Map([...types].filter(([name]) => keep.has(name)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function write(types: Map<string, SchemaType>): void {
  const schema: Record<string, unknown> = {};
  const docs: Record<string, string[]> = {};
  for (const [name, type] of types) {
    if (type.alias !== undefined) {
      schema[name] = [type.alias, ...(type.enum ?? []).map((value) => value.replaceAll(' ', '_'))].join(' ');
      continue;
    }
    const flags = `${type.isKind ? 'kind ' : ''}${type.atomic ? 'atomic' : ''}`.trim();
    schema[name] = [flags, ...(type.fields ?? []).map(fieldLine)];
    docs[name] = [type.doc, ...(type.fields ?? []).map((field) => field.doc)];
  }
  writeFileSync(join(outputDir, 'schema.generated.json'), lines(schema));
  writeFileSync(join(outputDir, 'descriptions.generated.json'), lines(docs));
}

function fieldLine(field: NonNullable<SchemaType['fields']>[number]): string {
  const flags = (field.pointer ? 'p' : '') + (field.omitEmpty ? '' : 'w') + (field.required ? 'r' : '');
  const parts = [field.name, field.type, flags || '-'];
  if (field.listType !== undefined) parts.push(`list=${[field.listType, ...(field.listKeys ?? [])].join(',')}`);
  if (field.mapType !== undefined) parts.push(`map=${field.mapType}`);
  if (field.structType !== undefined) parts.push(`struct=${field.structType}`);
  if (field.patchStrategy !== undefined) parts.push(`patch=${field.patchStrategy}`);
  if (field.patchKey !== undefined) parts.push(`key=${field.patchKey}`);
  if (field.default !== undefined) parts.push(`default=${field.default}`);
  return parts.join(' ');
}

/** One type per line: a new package version gives a readable diff. */
function lines(record: Record<string, unknown>): string {
  const entries = Object.entries(record).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  return `{\n${entries.join(',\n')}\n}\n`;
}

const root = process.argv[2];
if (root === undefined || !existsSync(modelsDir) || !readFileSync(join(modelsDir, 'V1Pod.js'))) {
  process.stderr.write('usage: generate-kubernetes-schema.ts DIR, where the Debian packages are unpacked\n');
  process.exitCode = 2;
} else main(root);
