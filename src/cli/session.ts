import type { Command } from 'commander';
import { getString } from '#base/json.ts';
import { Client } from './client.ts';
import type { CliDeps } from './deps.ts';
import { parseFormat, type Result, renderResult } from './printer.ts';
import { findServer } from './server-file.ts';

/** One run of the command line: what commands are given, and where they leave their result. */
export class Session {
  readonly deps: CliDeps;
  readonly signal: AbortSignal;
  exit = 0;
  #given: { server?: string | undefined; token?: string | undefined };
  #client: Client | undefined;

  constructor(deps: CliDeps, signal: AbortSignal) {
    this.deps = deps;
    this.signal = signal;
    this.#given = { server: deps.settings.server, token: deps.settings.token };
  }

  configure(options: unknown): void {
    this.#given = {
      server: getString(options, 'server') ?? this.#given.server,
      token: getString(options, 'token') ?? this.#given.token,
    };
  }

  /** Finds the server on first use, so that commands that need none work without. */
  get client(): Client {
    const { cwd, settings } = this.deps;
    this.#client ??= new Client({
      address: findServer(cwd, this.#given),
      actor: settings.actor,
      signal: this.signal,
    });
    return this.#client;
  }

  show(result: Result, options: { output?: string | undefined }): void {
    this.deps.out(renderResult(result, parseFormat(options.output ?? 'table')));
    this.exit = result.exit ?? 0;
  }

  /** Progress, which is no part of the result. */
  note(text: string, options: { output?: string | undefined }): void {
    const format = parseFormat(options.output ?? 'table');
    if (format === 'table' || format === 'wide') this.deps.out(text);
  }
}

export interface OutputOption {
  output?: string;
}

/** The option that every command with a result has. */
export function withOutput(command: Command): Command {
  return command.option('-o, --output <format>', 'table, wide, json or yaml', 'table');
}
