import { AppError } from '#base/errors.ts';

/**
 * Splits a byte stream into lines without their end; empty lines are dropped, and so is an unfinished line at the end (the
 * connection broke inside it). A line over `maxBytes` throws AppError `limit`.
 */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(10, start);
      const part = chunk.subarray(start, end < 0 ? undefined : end);
      size += part.byteLength;
      if (size > maxBytes) throw new AppError('limit', `one line of the stream is longer than ${maxBytes} bytes`);
      if (part.byteLength > 0) parts.push(part);
      if (end < 0) break;
      if (size > 0) yield Buffer.concat(parts).toString('utf8');
      parts = [];
      size = 0;
      start = end + 1;
    }
  }
}
