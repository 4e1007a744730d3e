import type { ApplicationEngine } from '#apps/port.ts';
import type { Application } from '#model/argocd/application.ts';
import { projectNameOf } from './access/guard.ts';

export interface SyncCount {
  labels: Record<string, string>;
  count: number;
  seconds: number;
}

const combinationsMax = 20_000;

/** Counts operations that end while this process looks on, by application and phase. Bounded; the oldest go first. */
export class SyncCounter implements Disposable {
  readonly #counts = new Map<string, SyncCount>();
  /** By application: the beginning of the operation whose end was seen. */
  readonly #ended = new Map<string, string>();
  readonly #unsubscribe: () => void;

  constructor(engine: ApplicationEngine) {
    for (const application of engine.list()) this.#note(application, false);
    this.#unsubscribe = engine.subscribe(({ type, application }) => {
      if (type === 'delete') this.#ended.delete(keyOf(application));
      else this.#note(application, true);
    });
  }

  get counts(): Iterable<SyncCount> {
    return this.#counts.values();
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
  }

  #note(application: Application, counts: boolean): void {
    const state = application.status?.operationState;
    if (!state?.finishedAt || state.phase === 'Running' || state.phase === 'Terminating') return;
    const key = keyOf(application);
    const before = this.#ended.get(key);
    this.#ended.set(key, state.startedAt);
    if (!counts || before === state.startedAt) return;
    const { metadata, spec } = application;
    const labels = {
      namespace: metadata.namespace ?? '',
      name: metadata.name,
      project: projectNameOf(application),
      dest_server: spec.destination.server ?? spec.destination.name ?? '',
      phase: state.phase,
      dry_run: String(state.operation.sync?.dryRun ?? false),
    };
    const id = JSON.stringify(labels);
    const known = this.#counts.get(id) ?? { labels, count: 0, seconds: 0 };
    const seconds = (Date.parse(state.finishedAt) - Date.parse(state.startedAt)) / 1000;
    this.#counts.delete(id);
    this.#counts.set(id, { labels, count: known.count + 1, seconds: known.seconds + (seconds > 0 ? seconds : 0) });
    if (this.#counts.size <= combinationsMax) return;
    const [oldest] = this.#counts.keys();
    if (oldest !== undefined) this.#counts.delete(oldest);
  }
}

function keyOf({ metadata }: Application): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
