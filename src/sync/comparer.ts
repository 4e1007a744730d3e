import { isAppError, messageOf } from '#base/errors.ts';
import { jsonEqual } from '#base/json.ts';
import { type KubeClient, type KubeObject, kindOf } from '#kube/port.ts';
import type { IgnoreDifference } from '#model/argocd/application.ts';
import { fieldManager } from '#model/argocd/names.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
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
  settings: () => ArgoSettings;
}

/** A desired object with the digest that comparisons are remembered by. */
export interface DesiredObject {
  object: KubeObject;
  digest: string;
}

/** How often a comparison follows an object that changes under it. */
const currentTries = 3;

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
    const { difference, against } = await this.#ask(desired.object, live, rules, signal);
    if (!against) return difference;
    const judged = against === live ? verdict : this.#verdictOf(desired, against, rules);
    this.#deps.verdicts.set(key, { ...judged, modified: difference.modified });
    const judgedKey = `${judged.desired} ${judged.projection}`;
    if (difference.modified) this.#predictions.set(key, { verdictKey: judgedKey, difference });
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

  /**
   * Asks the server, and compares its answer with the very version of the live object that the answer is about: the
   * watch may lag behind, and a field that a controller has just written would look like drift. `against` is that
   * version; undefined when the object kept changing, so that the answer is not worth remembering.
   */
  async #ask(
    desired: KubeObject,
    live: KubeObject,
    rules: IgnoreRules,
    signal: AbortSignal,
  ): Promise<{ difference: Difference; against: KubeObject | undefined }> {
    let base = live;
    for (let tries = 1; ; tries += 1) {
      const answer = await this.#dryRun(desired, signal);
      if ('rejected' in answer) return { difference: { modified: true, rejected: answer.rejected }, against: base };
      const { predicted } = answer;
      const current = predicted.metadata.resourceVersion === base.metadata.resourceVersion;
      if (current || tries === currentTries) {
        const modified = await this.#differs({ desired, live: base, predicted, rules }, signal);
        return { difference: { modified, predicted }, against: current ? base : undefined };
      }
      const fresh = await this.#read(live, signal);
      if (!fresh) return { difference: { modified: true, predicted }, against: undefined };
      base = fresh;
    }
  }

  async #dryRun(desired: KubeObject, signal: AbortSignal): Promise<{ predicted: KubeObject } | { rejected: string }> {
    const { resourceVersion: _old, ...metadata } = desired.metadata;
    this.#dryRuns += 1;
    try {
      const options = { fieldManager, dryRun: true, force: true };
      return { predicted: await this.#deps.kube.apply({ ...desired, metadata }, options, signal) };
    } catch (error) {
      if (!isRejection(error)) throw error;
      return { rejected: messageOf(error) };
    }
  }

  async #differs(
    input: { desired: KubeObject; live: KubeObject; predicted: KubeObject; rules: IgnoreRules },
    signal: AbortSignal,
  ): Promise<boolean> {
    const { desired, live, predicted, rules } = input;
    let [before, after]: [unknown, unknown] = [contentOf(live), contentOf(predicted)];
    before = removePointers(before, rules.jsonPointers);
    after = removePointers(after, rules.jsonPointers);
    if (rules.managers.length > 0) {
      const owned = fieldsOwnedBy((await this.#read(live, signal)) ?? live, rules.managers);
      before = removeFields(before, owned);
      after = removeFields(after, owned);
    }
    return !jsonEqual(before, after) || dropsLastApplied(desired, live);
  }

  /** As the server has it now, with who owns what: the watch leaves that out. */
  async #read(live: KubeObject, signal: AbortSignal): Promise<KubeObject | undefined> {
    const resource = await this.#deps.kube.discovery.find(kindOf(live), signal);
    return resource && (await this.#deps.kube.get(resource, live.metadata, signal));
  }
}
