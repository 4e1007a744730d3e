/** The text of one file, for places in messages. */
export interface Source {
  name: string;
  text: string;
}

/** A mistake in a program, or one that it raised itself. `trace` holds the calls that led there, innermost first. */
export class JsonnetError extends Error {
  readonly trace: string[] = [];
  place: string | undefined;

  constructor(message: string, place?: string) {
    super(message);
    this.name = 'JsonnetError';
    this.place = place;
  }

  /** The message with its place and the first calls, as one text. */
  get full(): string {
    const where = this.place === undefined ? '' : `${this.place}: `;
    return [`${where}${this.message}`, ...this.trace.map((line) => `  called at ${line}`)].join('\n');
  }
}

/** `file:line:column`, both from 1. */
export function placeOf(source: Source, at: number): string {
  let line = 1;
  let start = 0;
  for (let next = source.text.indexOf('\n'); next >= 0 && next < at; next = source.text.indexOf('\n', next + 1)) {
    line += 1;
    start = next + 1;
  }
  return `${source.name}:${line}:${at - start + 1}`;
}
