import { isObject, type JsonObject } from '#base/json.ts';
import { childrenOf, type GeneratorKind, generatorKinds } from './generate.ts';

const gitMs = 180_000;
const forgeMs = 30 * 60_000;

const defaults: Record<GeneratorKind, number | undefined> = {
  list: undefined,
  clusters: undefined,
  git: gitMs,
  scmProvider: forgeMs,
  clusterDecisionResource: gitMs,
  pullRequest: forgeMs,
  matrix: undefined,
  merge: undefined,
  plugin: forgeMs,
};

/** How soon generators want to be asked again; undefined when events tell all. */
export function requeueAfterMs(generators: readonly JsonObject[]): number | undefined {
  let least: number | undefined;
  for (const entry of generators) {
    for (const kind of generatorKinds) {
      const spec = entry[kind];
      if (!isObject(spec)) continue;
      const seconds = spec['requeueAfterSeconds'];
      const own = typeof seconds === 'number' ? seconds * 1000 : defaults[kind];
      const wanted = kind === 'matrix' || kind === 'merge' ? requeueAfterMs(childrenOf(spec)) : own;
      if (wanted !== undefined && wanted > 0 && (least === undefined || wanted < least)) least = wanted;
    }
  }
  return least;
}
