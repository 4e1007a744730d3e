import { canonicalJson } from '#base/digest.ts';
import { AppError, messageOf } from '#base/errors.ts';
import { cloneJson, isObject, type JsonObject } from '#base/json.ts';
import { parseYamlDocuments } from '#base/yaml.ts';
import { parseApplication } from '#model/argocd/application-schema.ts';
import type { ApplicationSet } from '#model/argocd/application-set.ts';
import { finalizers } from '#model/argocd/names.ts';
import type { Params } from './params.ts';
import type { Placeholders } from './placeholders.ts';
import { strategicMerge } from './strategic-merge.ts';

/** Whole values, whatever they hold. */
const opaque = new Set(['valuesObject']);

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false || value === 0) return true;
  return Array.isArray(value) ? value.length === 0 : false;
}

/** What a generator's own template leaves empty is taken from the set's. */
export function fillTemplate(own: JsonObject, general: JsonObject): JsonObject {
  const out = { ...own };
  for (const [key, value] of Object.entries(general)) {
    const mine = out[key];
    if (isObject(mine) && isObject(value) && !opaque.has(key)) out[key] = fillTemplate(mine, value);
    else if (isEmpty(mine)) out[key] = value;
  }
  return out;
}

const metadataFields = ['name', 'labels', 'annotations', 'finalizers'];

/** Functions whose result is another one each time. */
const changing = /\b(?:now|ago|date\w*|date_\w+|htmlDate\w*|durationRound|rand\w+|uuidv4|shuffle|encryptAES)\b/;

/** One template of a set, to be filled with many parameters. */
export class ApplicationTemplate {
  readonly #set: ApplicationSet;
  readonly #fill: Placeholders;
  readonly #template: JsonObject;
  /** Two of one identity give the same for the same parameters; undefined when nobody can tell. */
  readonly identity: string | undefined;

  constructor(set: ApplicationSet, own: unknown, fill: Placeholders) {
    this.#set = set;
    this.#fill = fill;
    const general = set.spec.template;
    const template = isObject(own) && Object.keys(own).length > 0 ? fillTemplate(own, general) : general;
    const { metadata, spec } = template;
    const known = isObject(metadata) ? metadata : {};
    this.#template = {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: Object.fromEntries(
        metadataFields
          .filter((name) => known[name] !== undefined && known[name] !== null)
          .map((name) => [name, known[name]]),
      ),
      spec: isObject(spec) ? spec : {},
    };
    const { goTemplate, goTemplateOptions, templatePatch = '', syncPolicy } = set.spec;
    const { name, namespace } = set.metadata;
    const basis = {
      goTemplate,
      goTemplateOptions,
      templatePatch,
      syncPolicy,
      name,
      namespace,
      template: this.#template,
    };
    const text = canonicalJson(basis);
    this.identity = goTemplate && changing.test(text) ? undefined : text;
  }

  /** The Application for one set of parameters, in the namespace of the set. Throws AppError bad-input or limit. */
  render(params: Params): JsonObject {
    const { spec, metadata } = this.#set;
    const empty = Object.keys(params).length === 0;
    const filled = empty ? cloneJson(this.#template) : this.#fill.value(this.#template, params);
    let application = isObject(filled) ? filled : {};
    if (!empty && !spec.syncPolicy.preserveResourcesOnDeletion) addFinalizer(application);
    if (spec.templatePatch !== undefined)
      application = patched(application, this.#fill.text(spec.templatePatch, params));
    const own = isObject(application['metadata']) ? application['metadata'] : {};
    return { ...application, metadata: { ...own, namespace: metadata.namespace ?? '' } };
  }
}

function addFinalizer(application: JsonObject): void {
  const { metadata } = application;
  if (!isObject(metadata)) return;
  const own = metadata['finalizers'];
  if (!Array.isArray(own) || own.length === 0) metadata['finalizers'] = [finalizers.foreground[0]];
}

function patched(application: JsonObject, text: string): JsonObject {
  const patch = parsePatch(text);
  const result = strategicMerge(application, patch);
  const { problems } = parseApplication({ metadata: { name: 'patched' }, ...result, status: undefined });
  if (problems.length > 0) throw new AppError('bad-input', `invalid templatePatch: ${problems.join('; ')}`);
  const spec = isObject(result['spec']) ? result['spec'] : {};
  const before = isObject(application['spec']) ? application['spec']['project'] : undefined;
  return { ...result, spec: { ...spec, project: before ?? '' } };
}

function parsePatch(text: string): JsonObject {
  let parsed: unknown;
  try {
    parsed = parseYamlDocuments(text, 'templatePatch')[0] ?? {};
  } catch (error) {
    throw new AppError(
      'bad-input',
      `error while converting template to json ${JSON.stringify(text)}: ${messageOf(error)}`,
    );
  }
  if (!isObject(parsed))
    throw new AppError('bad-input', `invalid templatePatch ${JSON.stringify(text)}: it is no object`);
  return parsed;
}
