import { z } from 'zod';
import { AppError } from '#base/errors.ts';
import { getArray, isObject, type JsonObject } from '#base/json.ts';
import { compareBytes } from './entry-order.ts';

const texts = z.record(z.string(), z.string());
const strings = z.array(z.string());
const flag = z.boolean().nullish();

/** `spec.source.kustomize`. */
const blockSchema = z.strictObject({
  namePrefix: z.string().nullish(),
  nameSuffix: z.string().nullish(),
  images: strings.nullish(),
  commonLabels: texts.nullish(),
  commonAnnotations: texts.nullish(),
  forceCommonLabels: flag,
  forceCommonAnnotations: flag,
  commonAnnotationsEnvsubst: flag,
  labelWithoutSelector: flag,
  labelIncludeTemplates: flag,
  namespace: z.string().nullish(),
  replicas: z.array(z.looseObject({ name: z.string(), count: z.union([z.number().int(), z.string()]) })).nullish(),
  patches: z
    .array(
      z.looseObject({
        path: z.string().optional(),
        patch: z.string().optional(),
        target: z.record(z.string(), z.unknown()).nullish(),
        options: z.record(z.string(), z.boolean()).nullish(),
      }),
    )
    .nullish(),
  components: strings.nullish(),
  ignoreMissingComponents: flag,
  version: z.string().nullish(),
  kubeVersion: z.string().nullish(),
  apiVersions: strings.nullish(),
});

export type KustomizeBlock = z.infer<typeof blockSchema>;

export function parseKustomizeBlock(block: unknown): KustomizeBlock {
  const parsed = blockSchema.safeParse(block ?? {});
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new AppError(
    'bad-input',
    `spec.source.kustomize is wrong: ${[...(issue?.path ?? []), issue?.message ?? ''].join(': ')}`,
    { hint: 'a field that is not one of the block is set in the kustomization.yaml itself' },
  );
}

/** The block with the build environment written into images, labels and, when it asks for that, annotations. */
export function expandBlock(block: KustomizeBlock, expand: (text: string) => string): KustomizeBlock {
  const values = (members: Record<string, string>) =>
    Object.fromEntries(Object.entries(members).map(([name, value]) => [name, expand(value)]));
  const out = { ...block };
  if (block.images) out.images = block.images.map(expand);
  if (block.commonLabels) out.commonLabels = values(block.commonLabels);
  if (block.commonAnnotations && block.commonAnnotationsEnvsubst)
    out.commonAnnotations = values(block.commonAnnotations);
  return out;
}

const keep = '*';

/** `old=new:tag`, `old=new@digest`, `old=new`, `name:tag`, `name@digest`; `*` keeps what the kustomization says. */
export function parseImage(text: string): JsonObject {
  const equals = text.indexOf('=');
  const [old, rest] = equals < 0 ? [undefined, text] : [text.slice(0, equals), text.slice(equals + 1)];
  const at = rest.indexOf('@');
  const named = at < 0 ? rest : rest.slice(0, at);
  const tagged = /^(.*):([a-zA-Z0-9._-]*|\*)$/.exec(named);
  if (at < 0 && !tagged && old === undefined)
    throw new AppError('bad-input', `spec.source.kustomize.images holds "${text}", which is no image`, {
      hint: 'write name:tag, name@digest, old=new, old=new:tag or old=new@digest',
    });
  const name = tagged?.[1] ?? named;
  const out: JsonObject = { name: old ?? name };
  if (old !== undefined) out['newName'] = name;
  if (tagged) out['newTag'] = tagged[2] ?? '';
  if (at >= 0) out['digest'] = rest.slice(at + 1);
  return out;
}

function mergeImages(own: readonly unknown[], added: readonly string[]): unknown[] {
  const known = new Map(own.filter(isObject).map((image) => [String(image['name']), image] as const));
  const byName = new Map(known);
  for (const text of added) {
    const image = parseImage(text);
    const old = known.get(String(image['name']));
    for (const field of ['newName', 'newTag', 'digest']) {
      if (image[field] === keep) image[field] = old?.[field];
      if (image[field] === undefined || image[field] === '') delete image[field];
    }
    byName.set(String(image['name']), image);
  }
  return [...byName.values()].sort((a, b) => compareBytes(String(a['name']), String(b['name'])));
}

function mergeReplicas(own: readonly unknown[], added: KustomizeBlock['replicas']): unknown[] {
  const byName = new Map(own.filter(isObject).map((replica) => [String(replica['name']), replica] as const));
  for (const { name, count } of added ?? []) {
    const number = Number(count);
    if (!Number.isInteger(number))
      throw new AppError('bad-input', `spec.source.kustomize.replicas: the count of ${name} is "${count}", no integer`);
    byName.set(name, { name, count: number });
  }
  return [...byName.values()].sort((a, b) => compareBytes(String(a['name']), String(b['name'])));
}

function mergeMetadata(
  own: unknown,
  added: Record<string, string>,
  what: { kind: 'label' | 'annotation'; force: boolean; option: string },
): JsonObject {
  const out: JsonObject = isObject(own) ? { ...own } : {};
  for (const [name, value] of Object.entries(added)) {
    if (name in out && !what.force)
      throw new AppError('bad-input', `the ${what.kind} ${name} is already in the kustomization`, {
        hint: `remove it from one of the two, or set spec.source.kustomize.${what.option}`,
      });
    out[name] = value;
  }
  return out;
}

function addLabels(out: JsonObject, block: KustomizeBlock): void {
  const added = block.commonLabels ?? {};
  if (Object.keys(added).length === 0) return;
  const what = { kind: 'label', force: block.forceCommonLabels ?? false, option: 'forceCommonLabels' } as const;
  const templates = block.labelIncludeTemplates ?? false;
  if (!block.labelWithoutSelector) {
    if (templates)
      throw new AppError('bad-input', 'spec.source.kustomize.labelIncludeTemplates needs labelWithoutSelector');
    out['commonLabels'] = mergeMetadata(out['commonLabels'], added, what);
    return;
  }
  const labels = getArray(out, 'labels').slice();
  const at = labels.findIndex(
    (label) => isObject(label) && !label['includeSelectors'] && Boolean(label['includeTemplates']) === templates,
  );
  const known = at >= 0 ? labels[at] : undefined;
  const entry: JsonObject = isObject(known) ? { ...known } : { includeSelectors: false, includeTemplates: templates };
  entry['pairs'] = mergeMetadata(entry['pairs'], added, what);
  if (at >= 0) labels[at] = entry;
  else labels.push(entry);
  out['labels'] = labels;
}

/**
 * The kustomization with the application's block written into it, as `kustomize edit` would, in Argo CD's order. The
 * components are those of the block that are there.
 */
export function withBlock(document: JsonObject, block: KustomizeBlock, components: readonly string[]): JsonObject {
  const out: JsonObject = { ...document };
  if (block.namePrefix) out['namePrefix'] = block.namePrefix;
  if (block.nameSuffix) out['nameSuffix'] = block.nameSuffix;
  if (block.images?.length) out['images'] = mergeImages(getArray(out, 'images'), block.images);
  if (block.replicas?.length) out['replicas'] = mergeReplicas(getArray(out, 'replicas'), block.replicas);
  addLabels(out, block);
  if (block.commonAnnotations && Object.keys(block.commonAnnotations).length > 0)
    out['commonAnnotations'] = mergeMetadata(out['commonAnnotations'], block.commonAnnotations, {
      kind: 'annotation',
      force: block.forceCommonAnnotations ?? false,
      option: 'forceCommonAnnotations',
    });
  if (block.namespace) out['namespace'] = block.namespace;
  if (block.patches?.length) out['patches'] = [...getArray(out, 'patches'), ...block.patches];
  const known = getArray(out, 'components');
  const added = components.filter((component) => !known.includes(component));
  if (added.length > 0) out['components'] = [...known, ...added];
  return out;
}
