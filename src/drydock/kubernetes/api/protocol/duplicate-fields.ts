/**
 * Paths of members that a JSON text names twice in one object, in the order found, e.g. `metadata.name`. The text must
 * be valid JSON.
 */
export function findDuplicateFields(text: string): string[] {
  const found: string[] = [];
  // One frame per open container: an object's known keys, or an array's index.
  const frames: { path: string; keys: Set<string> | undefined; index: number; key: string }[] = [];
  let at = 0;
  let expectsKey = false;
  while (at < text.length) {
    const char = text[at];
    const frame = frames.at(-1);
    if (char === '"') {
      const end = endOfString(text, at);
      if (expectsKey && frame?.keys) {
        const key = String(JSON.parse(text.slice(at, end)));
        frame.key = key;
        const path = join(frame.path, key);
        if (frame.keys.has(key) && !found.includes(path)) found.push(path);
        frame.keys.add(key);
        expectsKey = false;
      }
      at = end;
      continue;
    }
    if (char === '{' || char === '[') {
      const path =
        frame === undefined ? '' : frame.keys ? join(frame.path, frame.key) : `${frame.path}[${frame.index}]`;
      frames.push({ path, keys: char === '{' ? new Set() : undefined, index: 0, key: '' });
      expectsKey = char === '{';
    } else if (char === '}' || char === ']') {
      frames.pop();
      expectsKey = false;
    } else if (char === ',' && frame) {
      if (frame.keys) expectsKey = true;
      else frame.index += 1;
    }
    at += 1;
  }
  return found;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
