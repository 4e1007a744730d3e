import { isObject, type JsonObject } from '#base/json.ts';
import { childrenOf, type GeneratorKind, generatorKinds } from './generate.ts';

/** Of generators whose source is asked in short intervals, where nothing else is said. */
export const defaultRequeueMs = 180_000;
const forgeMs = 30 * 60_000;

const defaults: Record<GeneratorKind, number | 'general' | undefined> = {
  list: undefined,
  clusters: undefined,
  git: 'general',
  scmProvider: forgeMs,
  clusterDecisionResource: 'general',
  pullRequest: forgeMs,
  matrix: undefined,
  merge: undefined,
  plugin: forgeMs,
};

/** How soon generators want to be asked again; undefined when events tell all. */
export function requeueAfterMs(
  generators: readonly JsonObject[],
  generalMs: number = defaultRequeueMs,
): number | undefined {
  let least: number | undefined;
  for (const entry of generators) {
    for (const kind of generatorKinds) {
      const spec = entry[kind];
      if (!isObject(spec)) continue;
      const seconds = spec['requeueAfterSeconds'];
      const usual = defaults[kind] === 'general' ? generalMs : defaults[kind];
      const own = typeof seconds === 'number' ? seconds * 1000 : usual;
      const wanted = kind === 'matrix' || kind === 'merge' ? requeueAfterMs(childrenOf(spec), generalMs) : own;
      if (wanted !== undefined && wanted > 0 && (least === undefined || wanted < least)) least = wanted;
    }
  }
  return least;
}
