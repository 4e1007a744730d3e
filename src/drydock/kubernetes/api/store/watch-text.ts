/** Lines for one or many watchers: as text, and as one chunk of a chunked HTTP body that all of them share. */
export class WatchText {
  readonly text: string;
  #chunk: Buffer | undefined;

  constructor(text: string) {
    this.text = text;
  }

  get chunk(): Buffer {
    if (!this.#chunk) {
      const length = Buffer.byteLength(this.text);
      this.#chunk = Buffer.from(`${length.toString(16)}\r\n${this.text}\r\n`, 'utf8');
    }
    return this.#chunk;
  }
}
