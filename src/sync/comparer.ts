import { isAppError, messageOf } from '#base/errors.ts';
import { jsonEqual } from '#base/json.ts';
import { type KubeClient, type KubeObject, kindOf } from '#kube/port.ts';
import type { IgnoreDifference } from '#model/argocd/application.ts';
import { fieldManager } from '#model/argocd/names.ts';
import { fieldsOwnedBy, removeFields } from './fields-v1.ts';
import { objectKeyText } from './identity.ts';
import { type IgnoreRules, ignoreRulesFor, removePointers } from './ignore-differences.ts';
import { dropsLastApplied } from './last-applied.ts';
import { contentOf } from './normalize.ts';
import { contentDigest, projectOn } from './projection.ts';
import type { VerdictStore } from './verdicts.ts';

export interface Difference {
  modified: boolean;
  /** What the server would make of the live object; undefined when it was not asked or refused. */
  predicted?: KubeObject | undefined;
  /** The server's reason for refusing the desired object. */
  rejected?: string | undefined;
}

export interface ComparerDeps {
  kube: Pick<KubeClient, 'apply' | 'get' | 'discovery'>;
  verdicts: VerdictStore;
}

/** A desired object with the digest that comparisons are remembered by. */
export interface DesiredObject {
  object: KubeObject;
  digest: string;
}

export function desiredObject(object: KubeObject): DesiredObject {
  return { object, digest: contentDigest(object) };
}

/** The API server understood the request and refuses the object: asking again changes nothing. */
function isRejection(error: unknown): boolean {
  if (isAppError(error, 'bad-input') || isAppError(error, 'forbidden')) return true;
  return messageOf(error).includes('failed to create typed patch object');
}

/**
 * Tells whether applying a desired object would change the live one. The API server itself answers, by a dry run of the
 * same server-side apply that a sync makes; its answer holds while neither the desired object nor the part of the live
 * object that it speaks about changes, so an object at rest costs no request.
 */
export class Comparer {
  readonly #deps: ComparerDeps;
  readonly #predictions = new Map<string, { verdictKey: string; difference: Difference }>();
  #dryRuns = 0;

  constructor(deps: ComparerDeps) {
    this.#deps = deps;
  }

  /** Questions asked of the API server so far. */
  get dryRuns(): number {
    return this.#dryRuns;
  }

  async compare(
    desired: DesiredObject,
    live: KubeObject,
    options: { ignore: readonly IgnoreDifference[]; withPrediction?: boolean },
    signal: AbortSignal,
  ): Promise<Difference> {
    const key = objectKeyText(live);
    const rules = ignoreRulesFor(live, options.ignore);
    const verdict = this.#verdictOf(desired, live, rules);
    const known = this.#deps.verdicts.get(key);
    const same = known?.desired === verdict.desired && known.projection === verdict.projection;
    if (same && (!options.withPrediction || !known.modified)) return { modified: known.modified };
    const verdictKey = `${verdict.desired} ${verdict.projection}`;
    const remembered = this.#predictions.get(key);
    if (same && remembered?.verdictKey === verdictKey) return remembered.difference;
    const difference = await this.#ask(desired.object, live, rules, signal);
    this.#deps.verdicts.set(key, { ...verdict, modified: difference.modified });
    if (difference.modified) this.#predictions.set(key, { verdictKey, difference });
    else this.#predictions.delete(key);
    return difference;
  }

  /** Remembers that `result` is what the server made of `desired`: they agree by definition. */
  noteApplied(desired: DesiredObject, result: KubeObject, ignore: readonly IgnoreDifference[]): void {
    const verdict = this.#verdictOf(desired, result, ignoreRulesFor(result, ignore));
    const key = objectKeyText(result);
    this.#deps.verdicts.set(key, { ...verdict, modified: false });
    this.#predictions.delete(key);
  }

  forget(key: string): void {
    this.#deps.verdicts.delete(key);
    this.#predictions.delete(key);
  }

  #verdictOf(desired: DesiredObject, live: KubeObject, rules: IgnoreRules): { desired: string; projection: string } {
    const hasRules = rules.jsonPointers.length > 0 || rules.managers.length > 0;
    const projection = contentDigest(projectOn(desired.object, contentOf(live)));
    return { desired: hasRules ? `${desired.digest}+${contentDigest(rules)}` : desired.digest, projection };
  }

  async #ask(desired: KubeObject, live: KubeObject, rules: IgnoreRules, signal: AbortSignal): Promise<Difference> {
    const { resourceVersion: _old, ...metadata } = desired.metadata;
    this.#dryRuns += 1;
    let predicted: KubeObject;
    try {
      predicted = await this.#deps.kube.apply(
        { ...desired, metadata },
        { fieldManager, dryRun: true, force: true },
        signal,
      );
    } catch (error) {
      if (!isRejection(error)) throw error;
      return { modified: true, rejected: messageOf(error) };
    }
    let [before, after]: [unknown, unknown] = [contentOf(live), contentOf(predicted)];
    before = removePointers(before, rules.jsonPointers);
    after = removePointers(after, rules.jsonPointers);
    if (rules.managers.length > 0) {
      const owned = fieldsOwnedBy(await this.#withManagedFields(live, signal), rules.managers);
      before = removeFields(before, owned);
      after = removeFields(after, owned);
    }
    const modified = !jsonEqual(before, after) || dropsLastApplied(desired, live);
    return { modified, predicted };
  }

  /** Live objects come from watches that leave out who owns what. */
  async #withManagedFields(live: KubeObject, signal: AbortSignal): Promise<KubeObject> {
    const resource = await this.#deps.kube.discovery.find(kindOf(live), signal);
    if (!resource) return live;
    return (await this.#deps.kube.get(resource, live.metadata, signal)) ?? live;
  }
}
