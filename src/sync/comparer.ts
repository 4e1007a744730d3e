import { isAppError, messageOf } from '#base/errors.ts';
import { type JsonObject, jsonEqual } from '#base/json.ts';
import { type KubeClient, type KubeObject, kindOf } from '#kube/port.ts';
import type { IgnoreDifference } from '#model/argocd/application.ts';
import { fieldManager } from '#model/argocd/names.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
import { fieldsOwnedBy, removeFields } from './fields-v1.ts';
import { objectKeyText } from './identity.ts';
import { type IgnoreRules, ignoreRulesFor, rulesText, withoutIgnored } from './ignore-differences.ts';
import { withKnownTypes } from './known-types.ts';
import { dropsLastApplied } from './last-applied.ts';
import { diffLocally } from './local-diff.ts';
import { withoutMutations } from './mutations.ts';
import { alignTracking, contentOf, normalizeForm, withoutLabel } from './normalize.ts';
import { atomicMapsOf, contentDigest, projectOn, readAtomicMaps } from './projection.ts';
import type { TypeKnowledge } from './type-knowledge.ts';
import type { Verdict, VerdictStore } from './verdicts.ts';

export interface Difference {
  modified: boolean;
  /** What an apply would make of the live object; undefined when nobody was asked. */
  predicted?: KubeObject | undefined;
  /** The server's reason for refusing the desired object. Whether it differs was then told without the server. */
  rejected?: string | undefined;
  /** What the ignored managers own, as `managedFields` writes it; only where there are such managers. */
  owned?: JsonObject | undefined;
}

export interface ComparerDeps {
  kube: Pick<KubeClient, 'apply' | 'get' | 'discovery'>;
  verdicts: VerdictStore;
  settings: () => ArgoSettings;
  /** For what the server refuses to answer, and for parts of custom resources; without it, what it refuses differs. */
  types?: TypeKnowledge | undefined;
}

/** A desired object with the digest that comparisons are remembered by. */
export interface DesiredObject {
  object: KubeObject;
  digest: string;
}

export interface CompareOptions {
  ignore: readonly IgnoreDifference[];
  /** What mutating webhooks add to an apply is a difference, too. */
  withMutations?: boolean;
  /** Says what would become of the object, even if the server has to be asked again for it. */
  withPrediction?: boolean;
}

interface Context {
  rules: IgnoreRules;
  settings: ArgoSettings;
  withMutations: boolean;
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
    options: CompareOptions,
    signal: AbortSignal,
  ): Promise<Difference> {
    const key = objectKeyText(live);
    const context = this.#contextOf(live, options);
    const known = this.#deps.verdicts.get(key);
    const verdict = this.#verdictOf(desired, live, context, known?.atomic);
    const same = known?.desired === verdict.desired && known.projection === verdict.projection;
    // What ignored managers own is needed when the object is applied; it is not kept.
    const needsMore = options.withPrediction || context.rules.managers.length > 0;
    const verdictKey = `${verdict.desired} ${verdict.projection}`;
    const remembered = this.#predictions.get(key);
    if (same && known.modified && remembered?.verdictKey === verdictKey) return remembered.difference;
    if (same && (!needsMore || !known.modified)) return { modified: known.modified };
    const { difference, against, atomic = known?.atomic } = await this.#ask(desired.object, live, context, signal);
    if (!against) return difference;
    const judged = this.#verdictOf(desired, against, context, atomic);
    this.#deps.verdicts.set(key, { ...judged, modified: difference.modified });
    const judgedKey = `${judged.desired} ${judged.projection}`;
    if (difference.modified) this.#predictions.set(key, { verdictKey: judgedKey, difference });
    else this.#predictions.delete(key);
    return difference;
  }

  /** Remembers that `result` is what the server made of `desired`: they agree by definition. */
  noteApplied(desired: DesiredObject, result: KubeObject, ignore: readonly IgnoreDifference[]): void {
    const atomic = atomicMapsOf(desired.object, result);
    const verdict = this.#verdictOf(desired, result, this.#contextOf(result, { ignore }), atomic);
    const key = objectKeyText(result);
    this.#deps.verdicts.set(key, { ...verdict, modified: false });
    this.#predictions.delete(key);
  }

  forget(key: string): void {
    this.#deps.verdicts.delete(key);
    this.#predictions.delete(key);
  }

  #contextOf(live: KubeObject, options: CompareOptions): Context {
    const settings = this.#deps.settings();
    const rules = ignoreRulesFor(live, options.ignore, settings);
    return { rules, settings, withMutations: options.withMutations ?? false };
  }

  #verdictOf(
    desired: DesiredObject,
    live: KubeObject,
    context: Context,
    atomic: string | undefined,
  ): Omit<Verdict, 'modified'> {
    const projection = contentDigest(projectOn(desired.object, contentOf(live), readAtomicMaps(atomic)));
    const how = howText(live, context);
    return {
      desired: how === usually ? desired.digest : `${desired.digest}+${contentDigest(how)}`,
      projection,
      atomic,
    };
  }

  /**
   * Asks the server, and compares its answer with the very version of the live object that the answer is about: the
   * watch may lag behind, and a field that a controller has just written would look like drift. `against` is that
   * version; undefined when the object kept changing, so that the answer is not worth remembering.
   */
  async #ask(
    desired: KubeObject,
    live: KubeObject,
    context: Context,
    signal: AbortSignal,
  ): Promise<{ difference: Difference; against: KubeObject | undefined; atomic?: string | undefined }> {
    let base = live;
    for (let tries = 1; ; tries += 1) {
      const answer = await this.#dryRun(desired, signal);
      if ('rejected' in answer)
        return { difference: this.#withoutServer(desired, base, answer.rejected, context), against: base };
      const current = answer.predicted.metadata.resourceVersion === base.metadata.resourceVersion;
      if (current || tries === currentTries) {
        const forms = { desired, live: base, predicted: answer.predicted };
        const difference = await this.#judge(forms, context, signal);
        const atomic = atomicMapsOf(desired, answer.predicted);
        return { difference, against: current ? base : undefined, atomic };
      }
      const fresh = await this.#read(live, signal);
      if (!fresh) return { difference: { modified: true, predicted: answer.predicted }, against: undefined };
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

  #withoutServer(desired: KubeObject, live: KubeObject, rejected: string, context: Context): Difference {
    const { types } = this.#deps;
    if (!types) return { modified: true, rejected };
    const [left, right] = alignTracking(live, desired, { desired, tracking: context.settings.tracking });
    const { modified, predicted } = diffLocally({ ...context, desired: right, live: left, types, serverSide: false });
    return { modified, predicted, rejected };
  }

  async #judge(
    forms: { desired: KubeObject; live: KubeObject; predicted: KubeObject },
    context: Context,
    signal: AbortSignal,
  ): Promise<Difference> {
    const { desired, live } = forms;
    const { rules, settings, withMutations } = context;
    const predicted = withMutations ? forms.predicted : withoutMutations(forms.predicted, live, fieldManager);
    const clean = (object: KubeObject) => this.#clean(object, context);
    const aligned = alignTracking(contentOf(live), contentOf(predicted), { desired, tracking: settings.tracking });
    let [before, after]: unknown[] = aligned.map(clean);
    let owned: JsonObject | undefined;
    if (rules.managers.length > 0) {
      owned = fieldsOwnedBy((await this.#read(live, signal)) ?? live, rules.managers);
      before = removeFields(before, owned);
      after = removeFields(after, owned);
    }
    const unlabelled = (object: KubeObject) => clean(withoutLabel(object, settings.tracking.labelKey));
    const modified = !jsonEqual(before, after) || dropsLastApplied(desired, live, unlabelled);
    return { modified, predicted, ...(owned ? { owned } : {}) };
  }

  #clean(object: KubeObject, { rules, settings }: Context): KubeObject {
    const plain = withoutIgnored(normalizeForm(object, settings), rules);
    return this.#deps.types ? withKnownTypes(plain, { types: this.#deps.types, settings }) : plain;
  }

  /** As the server has it now, with who owns what: the watch leaves that out. */
  async #read(live: KubeObject, signal: AbortSignal): Promise<KubeObject | undefined> {
    const resource = await this.#deps.kube.discovery.find(kindOf(live), signal);
    return resource && (await this.#deps.kube.get(resource, live.metadata, signal));
  }
}

/** Everything beside the two objects that a verdict depends on. */
function howText(live: KubeObject, { rules, settings, withMutations }: Context): string {
  const aggregated = settings.compare.ignoreAggregatedRoles && live.kind === 'ClusterRole';
  const types = settings.customizations.filter(({ kind, knownTypeFields }) => knownTypeFields && kind === live.kind);
  const label = settings.tracking.method === 'label';
  return [
    rulesText(rules),
    ...(withMutations ? ['mutations'] : []),
    ...(aggregated ? ['aggregated'] : []),
    ...(label ? ['label'] : []),
    ...types.map(({ knownTypeFields }) => JSON.stringify(knownTypeFields)),
  ].join(' ');
}

const usually = rulesText({ jsonPointers: ['/status'], jq: [], managers: [] });
