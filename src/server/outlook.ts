import type { ApplicationEngine } from '#apps/port.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Application } from '#model/argocd/application.ts';
import type { AuditLog } from '#trace/event.ts';
import type { Outlook } from './view.ts';

const concurrency = 2;

interface Known {
  key: string;
  images: string[] | undefined;
}

/** Images named by `image:` members of a manifest, in order, each once. */
export function imagesIn(manifest: string): string[] {
  const found = new Set<string>();
  for (const match of manifest.matchAll(/^[\s-]*"?image"?:\s*["']?([^\s"',]+)/gm)) if (match[1]) found.add(match[1]);
  return [...found];
}

/**
 * Looks up, behind the scenes and once per state, which images Git wants for applications that are out of sync, and
 * remembers which of them drifted by hand. `onChange` is called when an answer is new.
 */
export class OutlookTracker {
  readonly #engine: ApplicationEngine;
  readonly #logger: Logger;
  readonly #onChange: (name: string) => void;
  readonly #known = new Map<string, Known>();
  readonly #queued = new Map<string, string>();
  readonly #drifted = new Set<string>();
  readonly #abort = new AbortController();
  readonly #work = new Set<Promise<void>>();
  readonly #unsubscribe: () => void;

  constructor(deps: { engine: ApplicationEngine; audit: AuditLog; logger: Logger }, onChange: (name: string) => void) {
    this.#engine = deps.engine;
    this.#logger = deps.logger;
    this.#onChange = onChange;
    this.#unsubscribe = deps.audit.subscribe((event) => {
      if (event.application === undefined) return;
      if (event.kind === 'drift-detected') this.#drifted.add(event.application);
      if (event.kind === 'drift-healed' || event.kind === 'sync-succeeded') this.#drifted.delete(event.application);
    });
  }

  /** What is known now of an application, by its qualified name; asks for more when the state is new. */
  of(name: string, application: Application): Outlook {
    if (application.status?.sync?.status !== 'OutOfSync') {
      this.forget(name);
      return { desiredImages: undefined, drift: false };
    }
    const known = this.#known.get(name);
    const key = stateKey(application);
    if (known?.key !== key) this.#ask(name, key);
    return { desiredImages: known?.images, drift: this.#drifted.has(name) };
  }

  forget(name: string): void {
    this.#known.delete(name);
    this.#queued.delete(name);
    this.#drifted.delete(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unsubscribe();
    this.#abort.abort();
    this.#queued.clear();
    await Promise.allSettled([...this.#work]);
  }

  #ask(name: string, key: string): void {
    if (this.#abort.signal.aborted) return;
    this.#queued.set(name, key);
    this.#pump();
  }

  #pump(): void {
    while (this.#work.size < concurrency) {
      const next = this.#queued.entries().next().value;
      if (next === undefined) return;
      const [name, key] = next;
      this.#queued.delete(name);
      // Noted before the answer is in, so the same state is not asked for twice.
      this.#known.set(name, { key, images: this.#known.get(name)?.images });
      const work = this.#look(name, key).finally(() => {
        this.#work.delete(work);
        this.#pump();
      });
      this.#work.add(work);
    }
  }

  async #look(name: string, key: string): Promise<void> {
    try {
      const resources = await this.#engine.managedResources(name, this.#abort.signal);
      const images = resources.flatMap(({ desiredText }) => (desiredText === undefined ? [] : imagesIn(desiredText)));
      if (this.#known.get(name)?.key !== key) return;
      this.#known.set(name, { key, images });
      this.#onChange(name);
    } catch (error) {
      if (!this.#abort.signal.aborted)
        this.#logger.debug({ application: name }, `desired images are not known: ${messageOf(error)}`);
    }
  }
}

function stateKey(application: Application): string {
  const { sync, resources = [] } = application.status ?? {};
  const states = resources.map(({ kind, name, status }) => `${kind}/${name}=${status}`);
  return [sync?.revision ?? sync?.revisions?.join(), ...states].join(' ');
}
