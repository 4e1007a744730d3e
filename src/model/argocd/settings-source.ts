import { load } from 'js-yaml';
import { messageOf } from '#base/errors.ts';
import { parseGoDuration } from './duration.ts';

/** The keys of one ConfigMap, read one by one. A value that cannot be read is a problem, and its default holds. */
export class SettingsSource {
  readonly name: string;
  readonly data: Readonly<Record<string, string>>;
  readonly problems: string[];

  constructor(name: string, data: Readonly<Record<string, string>>, problems: string[]) {
    this.name = name;
    this.data = data;
    this.problems = problems;
  }

  read<T>(key: string, fallback: T, parse: (text: string) => T): T {
    const text = this.data[key];
    if (text === undefined || text.trim() === '') return fallback;
    try {
      return parse(text);
    } catch (error) {
      this.problem(key, messageOf(error));
      return fallback;
    }
  }

  problem(key: string, reason: string): void {
    const [line = ''] = reason.split('\n');
    this.problems.push(`${this.name}: ${key}: ${line}`);
  }

  text(key: string, fallback: string): string {
    return this.read(key, fallback, (text) => text.trim());
  }

  /** As Go reads a truth value. */
  flag(key: string, fallback: boolean): boolean {
    return this.read(key, fallback, (text) => {
      const value = text.trim();
      if (/^(1|t|T|TRUE|true|True)$/.test(value)) return true;
      if (/^(0|f|F|FALSE|false|False)$/.test(value)) return false;
      throw new Error(`"${value}" is neither true nor false`);
    });
  }

  durationMs(key: string, fallback: number): number {
    return this.read(key, fallback, (text) => {
      const value = parseGoDuration(text);
      if (value < 0) throw new Error(`"${text}" is negative`);
      return value;
    });
  }

  number(key: string, fallback: number): number {
    return this.read(key, fallback, (text) => {
      if (!/^\d+$/.test(text.trim())) throw new Error(`"${text.trim()}" is not a whole number`);
      return Number(text);
    });
  }

  seconds(key: string, fallbackMs: number): number {
    return this.number(key, fallbackMs / 1000) * 1000;
  }

  /** Parts between commas, without those that are empty. */
  list(key: string, fallback: readonly string[]): string[] {
    return this.read(key, [...fallback], (text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    );
  }

  yaml<T>(key: string, fallback: T, parse: (value: unknown) => T): T {
    return this.read(key, fallback, (text) => parse(load(text)));
  }
}
