import type { Logger } from '#base/log.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
import { keysWithoutEffect } from '#model/argocd/settings-keys.ts';
import { parseSettings } from '#model/argocd/settings-parse.ts';
import { configMapData, type Instance } from './instance.ts';

export interface SettingsWatchDeps {
  instance: Instance;
  logger: Logger;
}

const names = ['argocd-cm', 'argocd-cmd-params-cm'] as const;

/** The settings as the instance's ConfigMaps say them now. */
export class SettingsWatch implements Disposable {
  readonly #deps: SettingsWatchDeps;
  readonly #listeners = new Set<(now: ArgoSettings, before: ArgoSettings) => void>();
  readonly #unsubscribe: () => void;
  /** Keys without effect that were told of. */
  readonly #unread = new Set<string>();
  #current: ArgoSettings;

  constructor(deps: SettingsWatchDeps) {
    this.#deps = deps;
    this.#current = this.#read([]);
    this.#unsubscribe = deps.instance.configMaps.subscribe(({ object }) => {
      if (names.some((name) => name === object.metadata.name)) this.#update();
    });
  }

  /** The same object while nothing changes. */
  get current(): ArgoSettings {
    return this.#current;
  }

  /** Tells of each change that says something else than before. */
  subscribe(listener: (now: ArgoSettings, before: ArgoSettings) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
    this.#listeners.clear();
  }

  #read(told: readonly string[]): ArgoSettings {
    const [data, params] = names.map((name) => configMapData(this.#deps.instance, name));
    const settings = parseSettings(data ?? {}, params ?? {});
    for (const problem of settings.problems)
      if (!told.includes(problem))
        this.#deps.logger.warn({}, `a setting cannot be read, its default holds: ${problem}`);
    for (const key of keysWithoutEffect(settings.data, settings.params)) {
      if (this.#unread.has(key)) continue;
      this.#unread.add(key);
      this.#deps.logger.info({}, `a setting has no effect here: ${key}`);
    }
    return settings;
  }

  #update(): void {
    const before = this.#current;
    const now = this.#read(before.problems);
    if (now.id === before.id) return;
    this.#current = now;
    for (const listener of [...this.#listeners]) listener(now, before);
  }
}
