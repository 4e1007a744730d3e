import type { ApplicationEngine } from '#apps/port.ts';
import { AppError, isAppError } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Application } from '#model/argocd/application.ts';
import type { AuditLog } from '#trace/event.ts';
import type { ApplicationView } from './contract.ts';
import { Mailbox } from './mailbox.ts';
import { OutlookTracker } from './outlook.ts';
import { viewApplication } from './view.ts';

export interface LiveMessage {
  id: string;
  event: 'application' | 'gone' | 'audit';
  data: string;
  /** What readers must be allowed to get; undefined is everything. */
  access: string | undefined;
}

const remembered = 2000;
const mailboxLimit = 1000;
const readersMax = 500;

export interface LiveFeedDeps {
  engine: ApplicationEngine;
  audit: AuditLog;
  logger: Logger;
  boot: string;
  /** What an application is called: by the engine, and in access rules. */
  names: { idOf: (application: Application) => string; nameOf: (application: Application) => string };
}

/**
 * Everything that changes, numbered, kept for a while and handed to every open page. A reader that comes back with the
 * id of the last message it saw gets what it missed; one that was away too long starts again from a snapshot.
 */
export class LiveFeed {
  readonly #boot: string;
  readonly #engine: ApplicationEngine;
  readonly #names: LiveFeedDeps['names'];
  readonly #outlook: OutlookTracker;
  readonly #recent: LiveMessage[] = [];
  readonly #readers = new Set<Mailbox<LiveMessage>>();
  readonly #unsubscribe: (() => void)[];
  #last = 0;
  dropped = 0;

  constructor(deps: LiveFeedDeps) {
    this.#boot = deps.boot;
    this.#names = deps.names;
    this.#engine = deps.engine;
    // The tracker hears of audit events first, so that a drift is known before the application is shown.
    this.#outlook = new OutlookTracker(deps, (name) => this.#again(name));
    this.#unsubscribe = [
      deps.engine.subscribe(({ type, application }) => {
        const name = this.#names.idOf(application);
        const access = this.#names.nameOf(application);
        if (type === 'upsert') return this.#publish('application', this.view(application), access);
        this.#outlook.forget(name);
        this.#publish('gone', { name }, access);
      }),
      deps.audit.subscribe((event) => {
        this.#publish('audit', event, this.#accessTo(event.application));
        if (event.kind === 'drift-detected' && event.application !== undefined) this.#again(event.application);
      }),
    ];
  }

  get readers(): number {
    return this.#readers.size;
  }

  get cursor(): string {
    return `${this.#boot}-${this.#last}`;
  }

  view(application: Application): ApplicationView {
    const name = this.#names.idOf(application);
    return { ...viewApplication(application, this.#outlook.of(name, application)), name };
  }

  views(may: (application: Application) => boolean): ApplicationView[] {
    return this.#engine.list().flatMap((application) => (may(application) ? [this.view(application)] : []));
  }

  /** A mailbox filled with what came after `cursor`; `resumed` is false when that is not known any more. */
  open(cursor: string | undefined): { mailbox: Mailbox<LiveMessage>; resumed: boolean } {
    if (this.#readers.size >= readersMax)
      throw new AppError('limit', `${readersMax} live streams are open already`, { hint: 'close some pages' });
    const mailbox = new Mailbox<LiveMessage>(mailboxLimit);
    this.#readers.add(mailbox);
    const missed = this.#after(cursor);
    for (const message of missed ?? []) mailbox.push(message);
    return { mailbox, resumed: missed !== undefined };
  }

  close(mailbox: Mailbox<LiveMessage>): void {
    mailbox.close();
    this.#readers.delete(mailbox);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const off of this.#unsubscribe) off();
    for (const mailbox of this.#readers) mailbox.close();
    this.#readers.clear();
    await this.#outlook[Symbol.asyncDispose]();
  }

  #after(cursor: string | undefined): LiveMessage[] | undefined {
    const at = cursor?.lastIndexOf('-') ?? -1;
    if (cursor === undefined || cursor.slice(0, at) !== this.#boot) return undefined;
    const seen = Number(cursor.slice(at + 1));
    if (!Number.isInteger(seen) || seen > this.#last) return undefined;
    const missing = this.#last - seen;
    if (missing > this.#recent.length || missing >= mailboxLimit) return undefined;
    return missing === 0 ? [] : this.#recent.slice(-missing);
  }

  #accessTo(name: string | undefined): string | undefined {
    const application = name === undefined ? undefined : this.#find(name);
    return application && this.#names.nameOf(application);
  }

  /** By name: a look through the list for every event would cost as much as there are applications. */
  #find(name: string): Application | undefined {
    try {
      return this.#engine.get(name);
    } catch (error) {
      if (isAppError(error, 'not-found')) return undefined;
      throw error;
    }
  }

  #again(name: string): void {
    const application = this.#find(name);
    if (application) this.#publish('application', this.view(application), this.#names.nameOf(application));
  }

  #publish(event: LiveMessage['event'], value: unknown, access: string | undefined): void {
    this.#last += 1;
    const message = { id: this.cursor, event, data: JSON.stringify(value), access };
    this.#recent.push(message);
    if (this.#recent.length > remembered) this.#recent.splice(0, this.#recent.length - remembered);
    for (const mailbox of this.#readers) {
      if (mailbox.push(message)) continue;
      this.#readers.delete(mailbox);
      this.dropped += 1;
    }
  }
}
