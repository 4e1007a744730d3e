import { getArray, isObject, type JsonObject } from '#base/json.ts';

/** A file or folder that a kustomization names. */
export interface Reference {
  path: string;
  /** The field, for messages. */
  what: string;
  /** A kustomization may stand for a folder only where resources are named. */
  kind: 'file' | 'file or folder';
  remote: boolean;
  /** The field also takes text: what is no file is that. */
  inline: boolean;
  /** The file configures a generator, transformer or validator. */
  configuration: boolean;
}

const remotePattern =
  /^(?:[a-z][a-z0-9+.-]*:\/\/|git::|[\w.-]+@[\w.-]+:|(?:www\.)?(?:github|gitlab)\.com[/:]|bitbucket\.org[/:])/i;

function reference(path: unknown, what: string, options: Partial<Reference> = {}): Reference[] {
  if (typeof path !== 'string' || path === '') return [];
  if (options.inline && /[\n{]/.test(path)) return [];
  const remote =
    remotePattern.test(path) || /\?(?:ref|version|timeout|submodules)=/.test(path) || path.includes('.git/');
  return [{ path, what, kind: 'file', remote, inline: false, configuration: false, ...options }];
}

function listed(document: JsonObject, field: string, options: Partial<Reference> = {}): Reference[] {
  return getArray(document, field).flatMap((path) => reference(path, field, options));
}

function inMembers(document: JsonObject, field: string, member: string): Reference[] {
  return getArray(document, field).flatMap((item) =>
    isObject(item) ? reference(item[member], `${field}.${member}`) : [],
  );
}

/** `files` of generators are `path` or `key=path`. */
function ofGenerator(document: JsonObject, field: string): Reference[] {
  return getArray(document, field).flatMap((generator) => {
    if (!isObject(generator)) return [];
    const files = getArray(generator, 'files').map((file) => String(file).replace(/^[^=]*=/, ''));
    return [
      ...files.flatMap((path) => reference(path, `${field}.files`)),
      ...getArray(generator, 'envs').flatMap((path) => reference(path, `${field}.envs`)),
      ...reference(generator['env'], `${field}.env`),
    ];
  });
}

function ofCharts(document: JsonObject, field: string): Reference[] {
  return getArray(document, field).flatMap((chart) => {
    if (!isObject(chart)) return [];
    return [
      ...reference(chart['valuesFile'] ?? chart['values'], `${field}.valuesFile`),
      ...getArray(chart, 'additionalValuesFiles').flatMap((path) => reference(path, `${field}.additionalValuesFiles`)),
    ];
  });
}

/** Every file and folder that a kustomization names, field by field. */
export function fileReferences(document: JsonObject): Reference[] {
  const folders = { kind: 'file or folder' } as const;
  const plugins = { ...folders, inline: true, configuration: true } as const;
  const openapi = document['openapi'];
  return [
    ...listed(document, 'resources', folders),
    ...listed(document, 'bases', folders),
    ...listed(document, 'components', folders),
    ...listed(document, 'crds'),
    ...listed(document, 'configurations'),
    ...listed(document, 'patchesStrategicMerge', { inline: true }),
    ...listed(document, 'generators', plugins),
    ...listed(document, 'transformers', plugins),
    ...listed(document, 'validators', plugins),
    ...inMembers(document, 'patches', 'path'),
    ...inMembers(document, 'patchesJson6902', 'path'),
    ...inMembers(document, 'replacements', 'path'),
    ...ofGenerator(document, 'configMapGenerator'),
    ...ofGenerator(document, 'secretGenerator'),
    ...ofCharts(document, 'helmCharts'),
    ...ofCharts(document, 'helmChartInflationGenerator'),
    ...(isObject(openapi) ? reference(openapi['path'], 'openapi.path') : []),
  ];
}

/** Plugins that are written into the kustomization itself may read files that nothing tells. */
export function hasOpenReferences(document: JsonObject): boolean {
  return ['generators', 'transformers', 'validators']
    .flatMap((field) => getArray(document, field))
    .some(
      (item) =>
        typeof item === 'string' &&
        /\n/.test(item) &&
        /\b(?:path|files|envs?|valuesFile|chartName|chartHome)\b/.test(item),
    );
}
