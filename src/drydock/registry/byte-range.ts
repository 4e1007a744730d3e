/** Reads a `Range` header with one byte range; undefined means the whole content (no header, or one we may ignore). */
export function parseByteRange(
  header: string | undefined,
  size: number,
): { first: number; last: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match) return undefined;
  const [, from = '', to = ''] = match;
  if (from === '' && to === '') return undefined;
  if (from === '') {
    const length = Math.min(Number(to), size);
    return length === 0 ? 'unsatisfiable' : { first: size - length, last: size - 1 };
  }
  const first = Number(from);
  const last = to === '' ? size - 1 : Math.min(Number(to), size - 1);
  // One that ends before it begins is answered like one beyond the end (RFC 9110, 15.5.17).
  if (to !== '' && Number(to) < first) return 'unsatisfiable';
  return first >= size ? 'unsatisfiable' : { first, last };
}

/** Reads the `Content-Range` of an upload chunk, `first-last` with an optional unit; undefined when it is malformed. */
export function parseChunkRange(header: string): { first: number; last: number } | undefined {
  const match = /^(?:bytes[ =])?(\d+)-(\d+)(?:\/(?:\d+|\*))?$/.exec(header.trim());
  if (!match) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2]);
  return last >= first ? { first, last } : undefined;
}
